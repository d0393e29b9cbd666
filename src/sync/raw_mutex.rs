//! The mutex without a value: one word to lock and unlock, and a queue for those who must wait.
//!
//! ```text
//!  state   STARVING | WOKEN | QUEUED | LOCKED
//! ```
//!
//! *Normal mode.* An unlock frees the word and wakes the first waiter, which competes for the lock with whoever is
//! running: a running goroutine has the lock's line in its cache and needs no switch, so letting it win is what
//! makes a busy mutex fast. The first waiter stays first in the queue while it competes; if it loses, it sleeps
//! again in its old place.
//!
//! *Starving mode.* A woken waiter that loses and has waited a millisecond by then sets STARVING. From then on
//! nobody overtakes: an unlock leaves LOCKED set and hands the lock to the first waiter. The mode ends with a waiter
//! that was served within the millisecond, or with the queue. So a waiter is overtaken for at most a millisecond
//! after it has become first, plus the time it takes to be scheduled once: this is Go's rule, and for Go's reason:
//! handing over every time costs a switch per operation, never doing so starves.
//!
//! Unlike Go's, an unlock looks before it steps: so a hand-over never frees the word, STARVING implies LOCKED, and
//! one bit test-and-set locks in every state, also while others are queued. That is one read-modify-write less for
//! each operation on a busy mutex.
//!
//! # Invariants
//! 1. LOCKED is set exactly while somebody holds the mutex: the one that found it clear when setting it, or the
//!    waiter to which that one, or its successor, handed over.
//! 2. QUEUED is set while the queue is not empty. It is set, under the queue's lock, only by a compare-and-swap that
//!    saw LOCKED, so the unlock to come sees it; the other bits of the word change under that lock too, except that
//!    the holder may clear STARVING.
//! 3. WOKEN is set from an unlock's claim of the first waiter until that waiter has won, or has seen LOCKED in the
//!    same compare-and-swap that clears WOKEN. Meanwhile unlocks need to wake nobody: that waiter will look.
//! 4. STARVING is set only together with LOCKED, by the step that clears WOKEN; then the queue is not empty and its
//!    first waiter is asleep. Only the holder ends it.
//! 5. A node is linked from its push until its owner removes it after winning, or an unlock hands over.
//!
//! # Locking
//! `waiters`: guarded by its lock (rank Sync). Waiters are woken after it is released.

use super::patience::{Patience, SPINS, pause};
use crate::park::{Outcome, WaitNode, WaitQueue, WaitReason, begin_wait};
use crate::primitives::atomic::{AtomicU32, Ordering};
use crate::primitives::{Lock, LockRank};
use core::ptr;

const LOCKED: u32 = 1;
const QUEUED: u32 = 2;
const WOKEN: u32 = 4;
const STARVING: u32 = 8;

const TRY: Outcome = Outcome::selected(0);
const HANDED: Outcome = Outcome::selected(1);

/// See the module's page.
#[derive(Debug)]
pub(super) struct RawMutex {
    state: AtomicU32,
    waiters: Lock<WaitQueue>,
}

impl RawMutex {
    const_unless_loom! {
        pub(super) const fn new() -> Self {
            Self { state: AtomicU32::new(0), waiters: Lock::new(LockRank::Sync, WaitQueue::new()) }
        }
    }

    #[inline]
    pub(super) fn lock(&self, reason: WaitReason) {
        if !self.set_locked() {
            self.lock_contended(reason);
        }
    }

    #[inline]
    pub(super) fn try_lock(&self) -> bool {
        // ORDERING: Relaxed; a look that spares the holder its line.
        self.state.load(Ordering::Relaxed) & LOCKED == 0 && self.set_locked()
    }

    /// Sets LOCKED; true if it was clear, and the mutex is the caller's (I1).
    #[inline]
    fn set_locked(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `unlock`.
        self.state.fetch_or(LOCKED, Ordering::Acquire) & LOCKED == 0
    }

    /// Unlocks, and wakes the next if somebody waits.
    ///
    /// # Safety
    /// The caller holds the mutex.
    #[inline]
    pub(super) unsafe fn unlock(&self) {
        // ORDERING: Relaxed; only the compare-and-swap decides, and STARVING stays until we end it (I4).
        let mut seen = self.state.load(Ordering::Relaxed);
        while seen & STARVING == 0 {
            debug_assert!(seen & LOCKED != 0, "runtime bug: unlock of an unlocked mutex");
            // ORDERING: Release pairs with the Acquire of whoever locks next.
            match self.state.compare_exchange_weak(seen, seen & !LOCKED, Ordering::Release, Ordering::Relaxed) {
                Ok(_) if seen & (QUEUED | WOKEN) == QUEUED => return self.wake_first(),
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
        self.hand_over();
    }

    #[cold]
    fn lock_contended(&self, reason: WaitReason) {
        for _ in SPINS {
            if self.try_lock() {
                return;
            }
            pause();
        }
        self.lock_queued(reason);
    }

    fn lock_queued(&self, reason: WaitReason) {
        let mut patience = Patience::new();
        let mut queue = self.waiters.lock();
        if self.lock_or_announce() {
            return;
        }
        let mut node = WaitNode::new(begin_wait(), 0, ptr::null_mut());
        let node = &raw mut node;
        // SAFETY: the queue's lock is held and the node lives on this frame until it is unlinked (I5).
        unsafe { queue.push_back(node) };
        drop(queue);
        // SAFETY: the ticket is written by us alone, under the queue's lock, while no claim is under way (I5).
        while unsafe { (*node).ticket }.wait(reason) == TRY {
            if self.compete(node, patience.is_over()) {
                return;
            }
        }
        // Handed over: LOCKED was kept for us. The mode ends with a waiter that did not have to wait long.
        if !patience.is_over() {
            // ORDERING: Relaxed; a hint for the next unlock, which is ours.
            self.state.fetch_and(!STARVING, Ordering::Relaxed);
        }
    }

    /// Locks if nobody holds the mutex, or else makes sure that the next unlock looks into the queue. The queue's
    /// lock is held.
    fn lock_or_announce(&self) -> bool {
        // ORDERING: Relaxed; only the compare-and-swaps decide.
        let mut seen = self.state.load(Ordering::Relaxed);
        loop {
            let free = seen & LOCKED == 0;
            let next = seen | if free { LOCKED } else { QUEUED };
            // ORDERING: Acquire pairs with the Release in `unlock`, for the case that this locks.
            match self.state.compare_exchange_weak(seen, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return free,
                Err(now) => seen = now,
            }
        }
    }

    /// The first waiter, woken, takes the lock, or else renews its wait in its old place.
    fn compete(&self, node: *mut WaitNode, starving: bool) -> bool {
        for _ in SPINS {
            // ORDERING: Relaxed; a look that decides nothing.
            if self.state.load(Ordering::Relaxed) & LOCKED == 0 {
                break;
            }
            pause();
        }
        let mut queue = self.waiters.lock();
        // ORDERING: Relaxed; only the compare-and-swaps decide.
        let mut seen = self.state.load(Ordering::Relaxed);
        loop {
            debug_assert!(seen & WOKEN != 0 && seen & STARVING == 0, "runtime bug: mutex state {seen}");
            let free = seen & LOCKED == 0;
            let lost = if starving { STARVING } else { 0 };
            let next = seen & !WOKEN | if free { LOCKED } else { lost };
            // ORDERING: Acquire pairs with the Release in `unlock`, for the case that this locks.
            match self.state.compare_exchange_weak(seen, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) if free => break,
                Ok(_) => {
                    // SAFETY: the queue's lock is held; the old wait is over, so the node's ticket is ours (I5).
                    unsafe { (*node).ticket = begin_wait() };
                    return false;
                }
                Err(now) => seen = now,
            }
        }
        // SAFETY: the queue's lock is held and the node is linked (I5).
        unsafe { queue.remove(node) };
        if queue.is_empty() {
            // ORDERING: Relaxed; we hold the mutex and the queue's lock, nobody may set the bit now (I2).
            self.state.fetch_and(!QUEUED, Ordering::Relaxed);
        }
        true
    }

    /// Wakes the first waiter, so that it competes for the lock that the caller has freed.
    #[cold]
    fn wake_first(&self) {
        let queue = self.waiters.lock();
        // ORDERING: Relaxed; the bits change under the queue's lock, except LOCKED: whoever has set that meanwhile
        // unlocks in turn, and sees QUEUED then.
        if self.state.load(Ordering::Relaxed) & (LOCKED | WOKEN) != 0 {
            return;
        }
        let Some(node) = queue.front() else { return };
        // ORDERING: Relaxed; the bit only stops others from waking too (I3).
        self.state.fetch_or(WOKEN, Ordering::Relaxed);
        // SAFETY: the queue's lock is held, so the first node is in place (I5).
        let ticket = unsafe { node.as_ref().ticket };
        let claimed = ticket.claim(TRY);
        // Wake after unlocking: the woken waiter takes this lock first thing.
        drop(queue);
        assert!(claimed, "runtime bug: a mutex's waiter was claimed by somebody else");
        ticket.wake();
    }

    /// The holder passes the lock on to the first waiter, without freeing the word.
    #[cold]
    fn hand_over(&self) {
        let mut queue = self.waiters.lock();
        // SAFETY: the queue's lock is held.
        let first = unsafe { queue.pop_front() };
        // SAFETY: the waiter sleeps until we wake it, so its node is in place (I4, I5).
        let ticket = first.map(|node| unsafe { node.as_ref().ticket });
        if queue.is_empty() {
            // ORDERING: Relaxed; nobody may set these bits now, and the new holder gets what we wrote by the wake.
            self.state.fetch_and(!(QUEUED | STARVING), Ordering::Relaxed);
        }
        let claimed = ticket.filter(|ticket| ticket.claim(HANDED));
        // Wake after unlocking: the new holder may be quick to come back for this lock.
        drop(queue);
        claimed.expect("runtime bug: a starving mutex without a waiter").wake();
    }
}
