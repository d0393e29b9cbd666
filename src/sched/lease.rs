//! What a worker has of its processor: the right to use it, which the monitor may end while a goroutine computes.
//!
//! The owner is *inside* while it uses the processor, and outside while a goroutine's own code runs. The monitor takes
//! the processor of an owner that is outside; the owner learns of it at its next `enter`. Both sides write first and
//! look afterwards, with a fence between; the owner's is free (`primitives::barrier`).
//!
//! # Invariants
//! 1. What goes with the processor is touched by the owner while it is inside and the lease was not taken, and by the
//!    monitor, or whoever it gives the processor to, once [`revoke`](Lease::revoke) has said yes.
//! 2. `busy` is written by the owner only. `revoked` is written under `decision`: when a look finds it set, the lock
//!    tells whether it stays so.
//! 3. While the monitor holds `decision` and found the owner outside, the owner stays outside: what only the owner
//!    touches when inside may be read.
//!
//! # Locking
//! `revoked`: `decision` (rank Leaf); read without it as a hint that the lock corrects.

use crate::primitives::atomic::{AtomicBool, Ordering};
use crate::primitives::{Lock, LockRank, barrier};

/// See the module's page.
pub(super) struct Lease {
    /// The owner is inside.
    busy: AtomicBool,
    /// The processor is being taken, or was taken.
    revoked: AtomicBool,
    decision: Lock<()>,
}

impl Lease {
    /// A lease whose owner is inside.
    pub(super) fn new() -> Self {
        Self { busy: AtomicBool::new(true), revoked: AtomicBool::new(false), decision: Lock::new(LockRank::Leaf, ()) }
    }

    /// Owner: goes inside. If it answers false, [`is_taken`](Self::is_taken) says whether the processor is gone.
    #[inline]
    pub(super) fn enter(&self) -> bool {
        debug_assert!(!self.busy.load(Ordering::Relaxed), "runtime bug: inside already");
        // ORDERING: Relaxed; the light fence after it pairs with the heavy one in `outside`: either the monitor sees us
        // inside, or we see it at work.
        self.busy.store(true, Ordering::Relaxed);
        barrier::light();
        // ORDERING: Acquire pairs with the Release in `inspect`: what we change now was read before.
        !self.revoked.load(Ordering::Acquire)
    }

    /// Owner: goes outside. A goroutine's code runs next.
    #[inline]
    pub(super) fn exit(&self) {
        debug_assert!(self.busy.load(Ordering::Relaxed), "runtime bug: outside already");
        // ORDERING: Release publishes what we did to the processor; pairs with the Acquire in `outside`.
        self.busy.store(false, Ordering::Release);
    }

    /// Owner, inside: waits for the monitor's decision; whether the processor was taken.
    pub(super) fn is_taken(&self) -> bool {
        let _decision = self.decision.lock();
        // ORDERING: Relaxed; under the lock (I2).
        self.revoked.load(Ordering::Relaxed)
    }

    /// Owner, inside: it was given a processor.
    pub(super) fn renew(&self) {
        let _decision = self.decision.lock();
        // ORDERING: Relaxed; under the lock (I2).
        self.revoked.store(false, Ordering::Relaxed);
    }

    /// Owner: whether it is inside. For its signal handler, which comes in between.
    pub(super) fn is_inside(&self) -> bool {
        // ORDERING: Relaxed; this thread's own word.
        self.busy.load(Ordering::Relaxed)
    }

    /// Monitor: whether it took the processor, and the owner has had no other since.
    pub(super) fn is_lost(&self) -> bool {
        // ORDERING: Relaxed; only the monitor sets it, and that the owner takes it back is a hint.
        self.revoked.load(Ordering::Relaxed)
    }

    /// Monitor: takes the processor if its owner is outside and `wanted`, asked then, agrees (I3).
    pub(super) fn revoke(&self, wanted: impl FnOnce() -> bool) -> bool {
        let _decision = self.decision.lock();
        // ORDERING: Relaxed; under the lock (I2).
        if self.revoked.load(Ordering::Relaxed) {
            return false;
        }
        let taken = self.outside() && wanted();
        if !taken {
            // ORDERING: Release, as in `inspect`: pairs with the Acquire in `enter`.
            self.revoked.store(false, Ordering::Release);
        }
        taken
    }

    /// Monitor: calls `look` while the owner is outside and kept there (I3); `None` if it is inside.
    pub(super) fn inspect<R>(&self, look: impl FnOnce() -> R) -> Option<R> {
        let _decision = self.decision.lock();
        // ORDERING: Relaxed; under the lock (I2).
        let before = self.revoked.load(Ordering::Relaxed);
        let answer = self.outside().then(look);
        // ORDERING: Release keeps the look before it; pairs with the Acquire in `enter`.
        self.revoked.store(before, Ordering::Release);
        answer
    }

    /// Under `decision`: stops the owner at its next `enter`; whether it is outside now.
    fn outside(&self) -> bool {
        // ORDERING: Relaxed; the heavy fence pairs with the light one in `enter`.
        self.revoked.store(true, Ordering::Relaxed);
        // ORDERING: Acquire pairs with the Release in `exit`: what the owner did to the processor is seen.
        barrier::heavy() && !self.busy.load(Ordering::Acquire)
    }
}

#[cfg(all(test, loom))]
#[path = "lease_tests.rs"]
mod models;
