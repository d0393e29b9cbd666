//! [`OnceLock`]: a cell that is written once.
//!
//! # Invariants
//! 1. `value` is initialised exactly when `once` is completed; it is written by the call that completes it, and
//!    from then on only read through `&self`.

use super::Once;
use crate::primitives::cell::UnsafeCell;
use core::fmt;
use core::mem::MaybeUninit;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// A value that is set once and then shared, with `std::sync::OnceLock`'s signatures; those who wait for the one
/// that makes it park.
///
/// ```
/// use gaggle::sync::OnceLock;
///
/// static CONFIG: OnceLock<String> = OnceLock::new();
/// assert_eq!(CONFIG.get(), None);
/// assert_eq!(CONFIG.get_or_init(|| "made once".to_string()), "made once");
/// assert_eq!(CONFIG.set("again".to_string()), Err("again".to_string()));
/// ```
///
/// # Compared with Go
///
/// `sync.OnceValue`, as a place rather than a function.
pub struct OnceLock<T> {
    once: Once,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// Sending the cell sends the value.
///
/// # Safety
/// Nothing in it is tied to a thread but, perhaps, the value: `T: Send`.
unsafe impl<T: Send> Send for OnceLock<T> {}
/// Sharing the cell shares the value, and lets one party make what another drops.
///
/// # Safety
/// `T: Sync` allows the first, `T: Send` the second.
unsafe impl<T: Send + Sync> Sync for OnceLock<T> {}

impl<T: UnwindSafe> UnwindSafe for OnceLock<T> {}
impl<T: UnwindSafe + RefUnwindSafe> RefUnwindSafe for OnceLock<T> {}

impl<T> OnceLock<T> {
    const_unless_loom! {
        /// An empty cell.
        ///
        /// ```
        /// static CELL: gaggle::sync::OnceLock<u32> = gaggle::sync::OnceLock::new();
        /// assert!(CELL.get().is_none());
        /// ```
        pub const fn new() -> OnceLock<T> {
            OnceLock { once: Once::new(), value: UnsafeCell::new(MaybeUninit::uninit()) }
        }
    }

    /// The value, if it is set.
    ///
    /// ```
    /// let cell = gaggle::sync::OnceLock::from(1);
    /// assert_eq!(cell.get(), Some(&1));
    /// ```
    #[inline]
    pub fn get(&self) -> Option<&T> {
        // SAFETY: `is_completed` has just said so.
        self.once.is_completed().then(|| unsafe { self.get_unchecked() })
    }

    /// # Safety
    /// The once is completed.
    #[inline]
    unsafe fn get_unchecked(&self) -> &T {
        // SAFETY: completed, so the value is there and only read (I1).
        self.value.with(|value| unsafe { (*value).assume_init_ref() })
    }

    /// The value, mutably, if it is set.
    ///
    /// ```
    /// let mut cell = gaggle::sync::OnceLock::from(1);
    /// *cell.get_mut().unwrap() += 1;
    /// assert_eq!(cell.into_inner(), Some(2));
    /// ```
    pub fn get_mut(&mut self) -> Option<&mut T> {
        if !self.once.is_completed() {
            return None;
        }
        // SAFETY: completed, so the value is there (I1), and `&mut self` excludes everybody else.
        Some(self.value.with_mut(|value| unsafe { (*value).assume_init_mut() }))
    }

    /// Sets the value.
    ///
    /// # Blocking
    /// Parks while another is making the value.
    ///
    /// # Errors
    /// If the value is set already, gives `value` back.
    ///
    /// ```
    /// let cell = gaggle::sync::OnceLock::new();
    /// assert_eq!(cell.set(1), Ok(()));
    /// assert_eq!(cell.set(2), Err(2));
    /// ```
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.get_or_init(|| value.take().expect("runtime bug: a value is set twice"));
        match value {
            None => Ok(()),
            Some(value) => Err(value),
        }
    }

    /// The value; if it is not set, `f` makes it, once, however many ask.
    ///
    /// # Blocking
    /// Parks while another is making the value. Asking for the cell from within `f` blocks for ever.
    ///
    /// # Panics
    /// If `f` panics; then the cell stays empty, and the next caller may try.
    ///
    /// ```
    /// let cell = gaggle::sync::OnceLock::new();
    /// assert_eq!(*cell.get_or_init(|| 1), 1);
    /// assert_eq!(*cell.get_or_init(|| 2), 1);
    /// ```
    #[inline]
    pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {
        self.once.call_once_force(|_| {
            let made = f();
            // SAFETY: the once lets one call at a time in, and none after one has completed; no reference to the
            // value exists before (I1).
            self.value.with_mut(|value| unsafe {
                (*value).write(made);
            });
        });
        // SAFETY: a call has completed.
        unsafe { self.get_unchecked() }
    }

    /// Waits until the value is set.
    ///
    /// # Blocking
    /// Parks until another has set it.
    ///
    /// ```
    /// let cell = gaggle::sync::OnceLock::new();
    /// gaggle::scope(|s| {
    ///     s.go(|| cell.set(1).unwrap());
    ///     assert_eq!(*cell.wait(), 1);
    /// });
    /// ```
    pub fn wait(&self) -> &T {
        self.once.wait_force();
        // SAFETY: a call has completed.
        unsafe { self.get_unchecked() }
    }

    /// The value, if it is set, for good.
    ///
    /// ```
    /// assert_eq!(gaggle::sync::OnceLock::from(1).into_inner(), Some(1));
    /// ```
    pub fn into_inner(mut self) -> Option<T> {
        self.take()
    }

    /// Takes the value out, if it is set; the cell is empty again.
    ///
    /// ```
    /// let mut cell = gaggle::sync::OnceLock::from(1);
    /// assert_eq!(cell.take(), Some(1));
    /// assert_eq!(cell.get(), None);
    /// ```
    pub fn take(&mut self) -> Option<T> {
        if !self.once.is_completed() {
            return None;
        }
        self.once = Once::new();
        // SAFETY: the once was completed, so the value is there; it has been reset, so nobody reads it again (I1).
        Some(self.value.with_mut(|value| unsafe { (*value).assume_init_read() }))
    }
}

impl<T> Drop for OnceLock<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for OnceLock<T> {
    fn from(value: T) -> Self {
        let cell = Self::new();
        match cell.set(value) {
            Ok(()) => cell,
            Err(_) => unreachable!("runtime bug: a new cell is set"),
        }
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    fn clone(&self) -> Self {
        self.get().map_or_else(Self::new, |value| Self::from(value.clone()))
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceLock<T> {}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_tuple("OnceLock");
        match self.get() {
            Some(value) => d.field(value),
            None => d.field(&format_args!("<uninit>")),
        };
        d.finish()
    }
}
