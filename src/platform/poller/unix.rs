//! What the poller watches where everything is a file descriptor.

use mio::event;
use mio::unix::SourceFd;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};

/// Whether the poller must be told when an operation would block: here the kernel goes on watching by itself.
pub(crate) const REARM: bool = false;

/// A descriptor that is being watched. It does not own it.
#[derive(Debug)]
pub(crate) struct Source(RawFd);

/// Lets as many connections wait for an accept of `listener` as the kernel allows: it cuts the number at a limit of its
/// own. One that refuses leaves the number that was in force.
pub(crate) fn lengthen_backlog(listener: &impl AsFd) {
    // SAFETY: it takes two numbers, and the descriptor is open: it is borrowed.
    unsafe { libc::listen(listener.as_fd().as_raw_fd(), libc::c_int::MAX) };
}

/// What has a descriptor.
pub(crate) trait AsSource {
    /// # Errors
    /// None here; elsewhere, those of getting what the poller needs beside the descriptor.
    fn source(&self) -> io::Result<Source>;
}

impl<T: AsFd> AsSource for T {
    fn source(&self) -> io::Result<Source> {
        Ok(Source(self.as_fd().as_raw_fd()))
    }
}

impl Source {
    pub(super) fn with<R>(&mut self, f: impl FnOnce(&mut dyn event::Source) -> R) -> R {
        f(&mut SourceFd(&self.0))
    }
}
