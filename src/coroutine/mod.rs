//! Stacks and switches: memory to run a goroutine on, and the jump from one to another.
//!
//! See `README.md` in this folder for pictures of a slot, of a suspended stack and of a chain of segments.

pub(crate) mod borrow;
mod sanitizer;
pub(crate) mod stack;
pub(crate) mod switch;
