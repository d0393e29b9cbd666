//! Saves one machine context and resumes another.
//!
//! Each back end defines the same names:
//!
//! | name | meaning |
//! | --- | --- |
//! | [`Context`] | a suspended machine context; one word on the native back ends |
//! | [`init`] | prepares a context whose first resumption calls a function on a stack |
//! | [`swap`] | suspends the caller into one context, resumes another |
//! | [`call_on`] | calls a closure on another stack and comes back; panics unwind through |
//! | [`call_as_if_from`] | calls a function in a frame that the unwinder takes for a suspended context's |
//! | [`stack_pointer`] | where the caller's frame is |
//!
//! # Invariants
//! 1. A context is resumed at most once after it was saved or initialised.
//! 2. What was saved becomes visible before the old stack is left. Only the successor, the code resumed by that very
//!    swap, may let others know that the context can be resumed.
//! 3. When an entry returns, its stack is left by a last jump that still reads a few bytes of it. Only the successor
//!    may hand that stack to somebody else.
//! 4. Nothing thread-local is read in a switch: a context may be resumed by another thread than saved it.

#[cfg(all(target_os = "linux", target_arch = "x86_64", not(gaggle_portable)))]
#[path = "x86_64.rs"]
mod imp;
#[cfg(all(target_os = "linux", target_arch = "aarch64", not(gaggle_portable)))]
#[path = "aarch64.rs"]
mod imp;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(gaggle_portable))))]
#[path = "portable.rs"]
mod imp;

pub(in crate::coroutine) use imp::call_as_if_from;
pub(crate) use imp::{Context, call_on, init, stack_pointer, swap};

/// What a context runs: it never unwinds, and returns the context that takes over.
pub(crate) type Entry = unsafe extern "C" fn(*mut ()) -> *const Context;

#[cfg(test)]
mod tests;
