//! Go's concurrency for Rust.

extern crate self as gaggle;

mod primitives;
#[cfg(not(loom))]
mod platform;
#[cfg(not(loom))]
mod coroutine;
mod sched;
mod park;
pub mod go;
pub mod chan;
pub mod select;
pub mod sync;
#[cfg(not(loom))]
pub mod time;
#[cfg(not(loom))]
pub mod stack;
#[cfg(not(loom))]
pub mod runtime;

pub use chan::{
    Receiver, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError, TrySendError, chan, unbounded,
};
pub use select::{Select, SelectedOperation};

#[doc(hidden)]
pub mod __private {
    pub use crate::select::expand as select;
}
