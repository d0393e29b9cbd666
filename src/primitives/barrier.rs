//! A pair of fences of which one is free: `heavy` makes every running thread of the process pass a fence.
//!
//! # Invariants
//! 1. One thread runs *store a, [`light`], load b*, another one *store b, [`heavy`], load a*: at least one of the loads
//!    sees the other side's store.
//! 2. `ASYMMETRIC` is decided before the first thread that relies on it is started, and never changes again.

use super::atomic::{AtomicBool, Ordering, fence};
use core::sync::atomic::compiler_fence;

/// Whether the kernel runs fences in other threads for us (I2).
static ASYMMETRIC: AtomicBool = AtomicBool::new(false);

/// Finds out what the kernel can do. Before any use of the fences (I2).
pub(crate) fn decide() {
    // ORDERING: Relaxed; the start of the threads that look at it publishes it (I2).
    ASYMMETRIC.store(os::register(), Ordering::Relaxed);
}

/// The side that comes by often: nothing but a word to the compiler, where the kernel helps.
#[inline]
pub(crate) fn light() {
    // ORDERING: Relaxed; see `decide`.
    if ASYMMETRIC.load(Ordering::Relaxed) {
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
    // ORDERING: Relaxed; see `decide`.
    if ASYMMETRIC.load(Ordering::Relaxed) {
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
