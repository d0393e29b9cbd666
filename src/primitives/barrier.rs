//! A pair of fences of which one is free: `heavy` makes every running thread of the process pass a fence.
//!
//! # Invariants
//! 1. One thread runs *store a, [`light`], load b*, another one *store b, [`heavy`], load a*: at least one of the loads
//!    sees the other side's store.
//! 2. `ASYMMETRIC` turns true at most once, perhaps while others pass fences. Whoever finds it true comes after every
//!    [`heavy`] that found it false, and was but a fence: that one reads it by a read-modify-write, which the one that
//!    turns it follows. For the opposite pair, a fence in `light` and more than that in `heavy`, nothing is asked.

use super::atomic::{AtomicBool, Ordering, fence};
use core::sync::atomic::compiler_fence;

/// Whether the kernel runs fences in other threads for us (I2).
static ASYMMETRIC: AtomicBool = AtomicBool::new(false);

/// Finds out what the kernel can do. Until then the fences are right and both cost something: threads outside the
/// runtime use channels before it starts.
pub(crate) fn decide() {
    if os::register() {
        // ORDERING: AcqRel. Acquire pairs with the Release in `heavy`, Release with the Acquire in `light` (I2).
        ASYMMETRIC.swap(true, Ordering::AcqRel);
    }
}

/// The side that comes by often: nothing but a word to the compiler, where the kernel helps.
#[inline]
pub(crate) fn light() {
    // ORDERING: Acquire pairs with the Release in `decide` (I2).
    if ASYMMETRIC.load(Ordering::Acquire) {
        // ORDERING: SeqCst, for the compiler alone; pairs with the fence that `heavy` makes this thread pass (I1).
        compiler_fence(Ordering::SeqCst);
    } else {
        // ORDERING: SeqCst; pairs with the fence in `heavy` (I1).
        fence(Ordering::SeqCst);
    }
}

/// The side that comes by rarely: some microseconds. False if the kernel failed: then nothing is ordered.
#[must_use]
pub(crate) fn heavy() -> bool {
    // ORDERING: AcqRel; pairs with `decide`, which is to see what was written before this, or to be seen (I2).
    if ASYMMETRIC.fetch_or(false, Ordering::AcqRel) {
        return os::fence_everywhere();
    }
    // ORDERING: SeqCst; pairs with the fence in `light` (I1).
    fence(Ordering::SeqCst);
    true
}

#[cfg(all(target_os = "linux", not(miri)))]
mod os {
    const QUERY: libc::c_int = 0;
    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

    fn membarrier(command: libc::c_int) -> libc::c_long {
        // SAFETY: the call reads and writes no memory of ours.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) }
    }

    pub(super) fn register() -> bool {
        let needed = libc::c_long::from(PRIVATE_EXPEDITED | REGISTER_PRIVATE_EXPEDITED);
        let offered = membarrier(QUERY);
        offered > 0 && offered & needed == needed && membarrier(REGISTER_PRIVATE_EXPEDITED) == 0
    }

    pub(super) fn fence_everywhere() -> bool {
        membarrier(PRIVATE_EXPEDITED) == 0
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
mod os {
    pub(super) fn register() -> bool {
        false
    }

    pub(super) fn fence_everywhere() -> bool {
        false
    }
}
