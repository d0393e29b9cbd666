//! [`Barrier`]: a number of parties wait for each other.
//!
//! # Invariants
//! 1. `arrived` is the number of nodes in the queue: fewer than `parties` whenever the lock is free. The party that
//!    completes the number empties the queue and counts from zero again, so rounds cannot mix.
//!
//! # Locking
//! `state`: guarded by its lock (rank Sync). Waiters are woken after it is released.

use super::wake_list::WakeList;
use crate::park::{Outcome, WaitNode, WaitQueue, WaitReason, begin_wait};
use crate::primitives::{Lock, LockRank};
use core::{fmt, ptr};
use std::panic::{RefUnwindSafe, UnwindSafe};

/// Lets a number of parties wait until all of them have come, again and again, with `std::sync::Barrier`'s
/// signatures; it parks the goroutine.
///
/// ```
/// use gaggle::sync::Barrier;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// let (barrier, ready, leaders) = (Barrier::new(3), AtomicU32::new(0), AtomicU32::new(0));
/// gaggle::scope(|s| {
///     for _ in 0..3 {
///         s.go(|| {
///             ready.fetch_add(1, Ordering::Relaxed);
///             if barrier.wait().is_leader() {
///                 leaders.fetch_add(1, Ordering::Relaxed);
///             }
///             assert_eq!(ready.load(Ordering::Relaxed), 3);
///         });
///     }
/// });
/// assert_eq!(leaders.into_inner(), 1);
/// ```
pub struct Barrier {
    parties: usize,
    state: Lock<State>,
}

struct State {
    arrived: usize,
    waiters: WaitQueue,
}

/// Says which of the parties of a [`Barrier`] is the leader of the round.
///
/// ```
/// assert!(gaggle::sync::Barrier::new(1).wait().is_leader());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// True for one party of each round: the one that came last.
    ///
    /// ```
    /// assert!(gaggle::sync::Barrier::new(1).wait().is_leader());
    /// ```
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl UnwindSafe for Barrier {}
impl RefUnwindSafe for Barrier {}

impl Barrier {
    const_unless_loom! {
        /// A barrier for `parties`; with 0 or 1, nobody ever waits.
        ///
        /// ```
        /// static START: gaggle::sync::Barrier = gaggle::sync::Barrier::new(1);
        /// START.wait();
        /// ```
        pub const fn new(parties: usize) -> Barrier {
            let state = State { arrived: 0, waiters: WaitQueue::new() };
            Barrier { parties, state: Lock::new(LockRank::Sync, state) }
        }
    }

    /// Waits until all parties have come. What each did before is visible to all afterwards.
    ///
    /// # Blocking
    /// Parks all but the last party of a round.
    ///
    /// ```
    /// use gaggle::sync::Barrier;
    ///
    /// let barrier = Barrier::new(2);
    /// gaggle::scope(|s| {
    ///     let other = s.go(|| barrier.wait().is_leader());
    ///     let mine = barrier.wait().is_leader();
    ///     assert!(mine != other.join().unwrap());
    /// });
    /// ```
    pub fn wait(&self) -> BarrierWaitResult {
        let mut woken = WakeList::new();
        let mut state = self.state.lock();
        if state.arrived + 1 < self.parties {
            state.arrived += 1;
            let ticket = begin_wait();
            let mut node = WaitNode::new(ticket, 0, ptr::null_mut());
            // SAFETY: the lock is held, and the node lives on this frame until the last party has unlinked it.
            unsafe { state.waiters.push_back(&raw mut node) };
            drop(state);
            ticket.wait(WaitReason::BarrierWait);
            return BarrierWaitResult(false);
        }
        state.arrived = 0;
        // SAFETY: the lock is held.
        unsafe { woken.claim_all(&mut state.waiters, Outcome::selected(0)) };
        // Wake after unlocking: `woken` is dropped last.
        drop(state);
        BarrierWaitResult(true)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").field("parties", &self.parties).finish_non_exhaustive()
    }
}
