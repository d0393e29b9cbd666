//! Go's concurrency for Rust.

extern crate self as gaggle;

pub mod chan;
#[cfg(not(loom))]
mod coroutine;
pub mod go;
mod park;
#[cfg(not(loom))]
mod platform;
mod primitives;
#[cfg(not(loom))]
pub mod runtime;
mod sched;
pub mod select;
#[cfg(not(loom))]
pub mod stack;
pub mod sync;
#[cfg(not(loom))]
pub mod time;

pub use chan::{
    Receiver, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError, TrySendError,
    chan, unbounded,
};
#[cfg(feature = "macros")]
pub use gaggle_macros::{go, growable, main, preemptible, select, test};
pub use go::{Id, JoinHandle, Scope, ScopedJoinHandle, scope, spawn};
#[cfg(not(loom))]
pub use park::slice::checkpoint;
#[cfg(not(loom))]
pub use runtime::run;
pub use select::{Select, SelectedOperation};

/// Options for goroutines.
#[cfg(not(loom))]
pub mod task {
    pub use crate::go::{Builder, Id, JoinHandle};
}

/// What the macros expand to. Nothing here is for other callers.
#[doc(hidden)]
pub mod __private {
    pub use crate::go::{Site, spawn_at as go};
    #[cfg(not(loom))]
    pub use crate::runtime::{Attr, run_main as main, run_test as test};
    pub use crate::select::expand as select;
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;

/// In a model every operation is a scheduling point already.
#[cfg(loom)]
pub fn checkpoint() {}
