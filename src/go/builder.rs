//! Options for a goroutine.

use super::panic::Plain;
use super::{JoinHandle, cannot_spawn, site_here, spawn_unchecked};
use crate::park::SpawnOptions;
use crate::sched::site::Site;
use std::io;

/// Options for a goroutine: its name, its stack, its thread. `gaggle::task::Builder`.
///
/// ```
/// let worker = gaggle::task::Builder::new().name("worker 3").stack_size(1 << 20).spawn(|| 3)?;
/// assert_eq!(worker.join().unwrap(), 3);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder starts nothing until `spawn`"]
pub struct Builder {
    options: SpawnOptions,
}

impl Default for Builder {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// The defaults: no name, the runtime's stack size, any thread.
    #[track_caller]
    pub fn new() -> Self {
        Self::__at(site_here())
    }

    /// What `go!` calls: the defaults, with the record of its place.
    #[doc(hidden)]
    pub fn __at(site: &'static Site) -> Self {
        Self { options: SpawnOptions::new(site) }
    }

    /// Names the goroutine: panic messages and dumps show it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.options.name = Some(name.into().into_boxed_str());
        self
    }

    /// The size of its first stack segment in bytes, rounded up to a class (64 KiB, 256 KiB, 1 MiB, …). Memory is
    /// committed page by page as it is used.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.options.stack = Some(bytes);
        self
    }

    /// Keeps the goroutine on the thread that first runs it, whatever the mode. `go!(pinned; …)` does the same.
    ///
    /// ```
    /// use std::rc::Rc;
    /// // What is tied to a thread may be held across the wait.
    /// let pinned = gaggle::task::Builder::new().pinned().spawn(|| {
    ///     let mine = Rc::new(1);
    ///     gaggle::runtime::yield_now();
    ///     *mine
    /// })?;
    /// assert_eq!(pinned.join().unwrap(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pinned(mut self) -> Self {
        self.options.pinned = true;
        self
    }

    /// Starts `f` in a new goroutine.
    ///
    /// # Errors
    /// `InvalidInput` for a stack size of 0 or above the largest class; `OutOfMemory` if there is no address space
    /// for the stack.
    ///
    /// ```
    /// let error = gaggle::task::Builder::new().stack_size(0).spawn(|| ()).unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    /// ```
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // SAFETY: everything is `'static`.
        unsafe { spawn_unchecked(self.options, f, Plain) }.map(JoinHandle::new)
    }

    /// What `go!` calls: as `spawn`, but panics where that returns an error.
    #[doc(hidden)]
    #[track_caller]
    pub fn __go<F, T>(self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        match self.spawn(f) {
            Ok(handle) => handle,
            Err(error) => cannot_spawn(&error),
        }
    }

    /// As `spawn`, for a body that borrows; the caller waits for it.
    ///
    /// # Safety
    /// The goroutine ends before anything that `f` and `T` borrow goes away.
    #[cfg(not(loom))]
    pub(crate) unsafe fn spawn_borrowing<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        // SAFETY: by the contract.
        unsafe { spawn_unchecked(self.options, f, Plain) }.map(JoinHandle::new)
    }

    /// Sets the mode that would otherwise be inherited.
    #[cfg(not(loom))]
    pub(crate) fn migrate(mut self, migrate: bool) -> Self {
        self.options.migrate = Some(migrate);
        self
    }
}
