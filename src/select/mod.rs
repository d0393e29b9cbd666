//! Waiting on several channels at once.
mod cases;
#[doc(hidden)]
pub mod expand;
mod run;
#[cfg(not(loom))]
mod timed;
