//! Stacks in a model do not grow: every goroutine has a fixed one, of at least 256 KiB.

/// Calls `f`.
pub fn grow<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// Calls `f`. Ask for the room when the goroutine is started, by `stack = …`.
pub fn with_room<R>(_bytes: usize, f: impl FnOnce() -> R) -> R {
    f()
}

/// What `#[growable]` expands to.
#[doc(hidden)]
pub fn growable<R>(f: impl FnOnce() -> R) -> R {
    f()
}
