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
