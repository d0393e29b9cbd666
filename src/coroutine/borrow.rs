//! Looking at a suspended stack from outside, for a backtrace: nothing is pushed on it, nothing of it changes.
//!
//! A closure is called on the caller's own stack, in a frame that is described to the unwinder as if the suspended
//! context had called it. So a backtrace taken in the closure has our frames first, and then those of the goroutine.
//! (Pushing a frame below the saved stack pointer works as well, but it takes room there, up to 4 KiB, and commits a
//! page of each stack for good: 4 GB for a million goroutines.)
//!
//! # Invariants
//! 1. The context stays suspended, and its stack as it is, while the closure runs: the caller owns it exclusively.
//! 2. The closure does not unwind: the way out would be the other stack.
//!
//! On the portable back end there is nothing to look at: the generator crate keeps the saved registers to itself.

use super::switch::{Context, call_as_if_from};
use core::ffi::c_void;

/// Whether suspended stacks can be looked at.
pub(crate) const POSSIBLE: bool =
    cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(gaggle_portable)));

/// Calls `f` as if the suspended context had called it.
///
/// # Safety
/// `context` was saved by a swap (it is not a fresh one), and the caller owns it exclusively meanwhile (I1). A panic of
/// `f` aborts the process (I2).
pub(crate) unsafe fn look(context: *const Context, f: &mut dyn FnMut()) {
    extern "C" fn call(closure: *mut c_void) {
        // SAFETY: the pointer to the closure's reference given below, alive until we return.
        let f = unsafe { &mut *closure.cast::<&mut dyn FnMut()>() };
        f();
    }
    let mut f = f;
    // SAFETY: the caller's promise (I1); `call` does not unwind, being `extern "C"` (I2).
    unsafe { call_as_if_from(context, (&raw mut f).cast(), call) }
}
