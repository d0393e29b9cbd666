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
//! nobody overtakes: newcomers queue, and an unlock hands the lock to the first waiter. The mode ends with a waiter
//! that was served within the millisecond, or with the queue. So a waiter is overtaken for at most a millisecond
//! after it has become first, plus the time it takes to be scheduled once: this is Go's rule, and for Go's reason:
//! handing over every time costs a switch per operation, never doing so starves.
//!
//! # Invariants
//! 1. LOCKED is set exactly while somebody holds the mutex. It is set by a compare-and-swap that saw neither LOCKED
//!    nor STARVING, or by an unlock that hands over (then it is the woken waiter that holds the mutex).
//! 2. QUEUED is set while the queue is not empty. It is set, under the queue's lock, only by a compare-and-swap that
//!    saw LOCKED or STARVING, so the unlock to come sees it; the other bits of the word change under that lock too,
//!    except that the holder may clear STARVING.
//! 3. WOKEN is set from an unlock's claim of the first waiter until that waiter has won, or has seen LOCKED in the
//!    same compare-and-swap that clears WOKEN. Meanwhile unlocks need to wake nobody: that waiter will look.
//! 4. WOKEN and STARVING are never set together: the one is only set while the other is clear.
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
        // ORDERING: Acquire pairs with the Release in `unlock`.
        if self.state.compare_exchange(0, LOCKED, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.lock_contended(reason);
        }
    }

    #[inline]
    pub(super) fn try_lock(&self) -> bool {
        // ORDERING: Relaxed; only the compare-and-swap decides.
        let mut seen = self.state.load(Ordering::Relaxed);
        while seen & (LOCKED | STARVING) == 0 {
            // ORDERING: Acquire pairs with the Release in `unlock`.
            match self.state.compare_exchange_weak(seen, seen | LOCKED, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    /// Unlocks, and wakes the next if somebody waits.
    ///
    /// # Safety
    /// The caller holds the mutex.
    #[inline]
    pub(super) unsafe fn unlock(&self) {
        // ORDERING: Release pairs with the Acquire of whoever locks next; a waiter handed the lock gets it by wake.
        let before = self.state.fetch_sub(LOCKED, Ordering::Release);
        debug_assert!(before & LOCKED != 0, "runtime bug: unlock of an unlocked mutex");
        if before != LOCKED {
            self.unlock_contended(before);
        }
    }

    #[cold]
    fn lock_contended(&self, reason: WaitReason) {
        for _ in 0..SPINS {
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
            let free = seen & (LOCKED | STARVING) == 0;
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
        for _ in 0..SPINS {
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

    #[cold]
    fn unlock_contended(&self, before: u32) {
        if before & WOKEN != 0 {
            return;
        }
        let mut queue = self.waiters.lock();
        // ORDERING: Acquire pairs with the Release in `unlock`: it may be another holder's unlock that we carry out,
        // and whom we hand the lock to must see that holder's writes.
        let seen = self.state.load(Ordering::Acquire);
        // Somebody has overtaken us and will unlock in turn, or a waiter is about to look.
        if seen & (LOCKED | WOKEN) != 0 || queue.is_empty() {
            return;
        }
        let ticket = if seen & STARVING != 0 {
            // SAFETY: the queue's lock is held, and the queue is not empty.
            let Some(node) = (unsafe { queue.pop_front() }) else { return };
            let rest = if queue.is_empty() { 0 } else { QUEUED | STARVING };
            // ORDERING: Relaxed; STARVING without LOCKED keeps everybody else out (I1), and the new holder gets
            // what we wrote by the wake.
            self.state.store(LOCKED | rest, Ordering::Relaxed);
            // SAFETY: the waiter sleeps until we wake it, so its node is in place (I5).
            let ticket = unsafe { node.as_ref().ticket };
            ticket.claim(HANDED).then_some(ticket)
        } else {
            // ORDERING: Relaxed; the bit only stops others from waking too (I3).
            self.state.fetch_or(WOKEN, Ordering::Relaxed);
            // SAFETY: the queue's lock is held, so the first node is in place (I5).
            let ticket = queue.front().map(|node| unsafe { node.as_ref().ticket });
            ticket.filter(|ticket| ticket.claim(TRY))
        };
        // Wake after unlocking: the woken waiter takes this lock first thing.
        drop(queue);
        match ticket {
            Some(ticket) => ticket.wake(),
            None => unreachable!("runtime bug: a mutex's waiter was claimed by somebody else"),
        }
    }
}
