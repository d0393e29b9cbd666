//! Spawn sites: one static record per `go!`, named by dumps and panic messages.

use core::fmt;
use core::panic::Location;

/// Where goroutines are started: the place of one `go!` or `spawn` in the source.
#[derive(Debug)]
#[repr(transparent)]
pub struct Site(Location<'static>);

impl Site {
    /// The place of goroutine objects that were never used.
    pub(crate) const NOWHERE: &'static Site = &Site(*Location::caller());

    /// A record for the place that calls this function; the arguments repeat what the compiler knows.
    #[track_caller]
    pub const fn new(_file: &'static str, _line: u32, _column: u32) -> Self {
        Self(*Location::caller())
    }

    /// The same record under our name.
    pub(crate) fn of(location: &'static Location<'static>) -> &'static Self {
        // SAFETY: `Site` is a transparent wrapper.
        unsafe { &*core::ptr::from_ref(location).cast::<Self>() }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.0.file(), self.0.line(), self.0.column())
    }
}
