//! The park word: one atomic that says whether a wait is over, who ended it, and who makes the sleeper run.
//!
//! The word belongs to a goroutine (or a thread); it is type-stable memory, so a late claimer may always look.
//!
//! ```text
//!   63            32 31  30  29                 0
//!  +----------------+---+---+--------------------+
//!  | sequence       | W | C | outcome, 0 = open  |
//!  +----------------+---+---+--------------------+
//!   W woken: the winner of the claim called wake      C committed: the sleeper has left its stack
//! ```
//!
//! # Invariants
//! 1. Only the owner advances the sequence, and only while no wait is open; so a claim that carries an old
//!    sequence fails for ever.
//! 2. The outcome of a sequence changes once, from 0, by the compare-and-swap of the winning claim.
//! 3. W is set once per wait, by the winner; C is set at most once per wait, after the sleeper's context was
//!    saved. Both are read-modify-writes of one word, so exactly one of the two sees the other's bit: that one
//!    makes the sleeper runnable.

use crate::primitives::atomic::{AtomicU64, Ordering};
use core::num::NonZeroU32;

const WOKEN: u64 = 1 << 31;
const COMMITTED: u64 = 1 << 30;
const OUTCOME: u64 = COMMITTED - 1;

/// What ended a wait; never zero, below 2^30.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome(NonZeroU32);

/// The readable form of an [`Outcome`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutcomeKind {
    /// The operation of this arm was carried out by the claimer.
    Selected(u32),
    /// The channel of this arm was closed.
    Closed(u32),
    /// The deadline passed.
    TimedOut,
}

impl Outcome {
    const ARM_BITS: u32 = 28;
    /// The number of arms that an outcome can name.
    pub(crate) const MAX_ARMS: u32 = 1 << Self::ARM_BITS;
    pub(crate) const TIMED_OUT: Self = Self::pack(3, 0);

    const fn pack(kind: u32, arm: u32) -> Self {
        assert!(arm < Self::MAX_ARMS, "too many arms");
        match NonZeroU32::new(kind << Self::ARM_BITS | arm) {
            Some(word) => Self(word),
            None => unreachable!(),
        }
    }

    pub(crate) const fn selected(arm: u32) -> Self {
        Self::pack(1, arm)
    }

    pub(crate) const fn closed(arm: u32) -> Self {
        Self::pack(2, arm)
    }

    pub(crate) const fn kind(self) -> OutcomeKind {
        let arm = self.0.get() & (Self::MAX_ARMS - 1);
        match self.0.get() >> Self::ARM_BITS {
            1 => OutcomeKind::Selected(arm),
            2 => OutcomeKind::Closed(arm),
            _ => OutcomeKind::TimedOut,
        }
    }
}

/// What [`ParkWord::commit`] and [`ParkWord::wake`] tell their caller to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// Nothing: the other side will make the sleeper runnable.
    Nothing,
    /// The caller makes the sleeper runnable.
    MakeRunnable,
}

/// See the module's page.
#[derive(Debug)]
pub(crate) struct ParkWord(AtomicU64);

impl ParkWord {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Opens the next wait and returns its sequence. Owner only, no wait open (I1).
    #[inline]
    pub(crate) fn begin(&self) -> u32 {
        // ORDERING: Relaxed; only the owner writes the word between waits (I1).
        let before = self.0.load(Ordering::Relaxed);
        debug_assert!(before == 0 || before & OUTCOME != 0, "runtime bug: a wait begun inside another one");
        let sequence = ((before >> 32) as u32).wrapping_add(1);
        // ORDERING: Relaxed; the ticket reaches claimers through a lock, which publishes this store.
        self.0.store(u64::from(sequence) << 32, Ordering::Relaxed);
        sequence
    }

    /// Ends wait `sequence` with `outcome`; true for the one call that did (I2).
    #[inline]
    pub(crate) fn claim(&self, sequence: u32, outcome: Outcome) -> bool {
        let open = u64::from(sequence) << 32;
        let outcome = u64::from(outcome.0.get());
        let mut seen = open;
        loop {
            // ORDERING: Relaxed; the claim only elects a winner, data travels with `wake` or under a lock.
            match self.0.compare_exchange(seen, seen | outcome, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                // The sleeper committed between: still the same open wait.
                Err(now) if now == open | COMMITTED && now != seen => seen = now,
                Err(_) => return false,
            }
        }
    }

    /// Ends wait `sequence` on behalf of its owner, who has not slept; true if nobody had claimed it.
    #[inline]
    pub(crate) fn cancel(&self, sequence: u32) -> bool {
        self.claim(sequence, Outcome::TIMED_OUT)
    }

    /// Says that the claimed sleeper may run: the winner of the claim only, once (I3).
    #[inline]
    pub(crate) fn wake(&self) -> Duty {
        // ORDERING: AcqRel. Release publishes the winner's writes to the sleeper, who acquires in `outcome` or
        // through `commit`; Acquire pairs with `commit`, whose caller saved the context that we may now resume.
        let before = self.0.fetch_or(WOKEN, Ordering::AcqRel);
        debug_assert!(before & WOKEN == 0, "runtime bug: woken twice");
        debug_assert!(before & OUTCOME != 0, "runtime bug: woken without a claim");
        if before & COMMITTED != 0 { Duty::MakeRunnable } else { Duty::Nothing }
    }

    /// Says that the sleeper has left its stack: its successor on the thread only, once (I3).
    #[inline]
    pub(crate) fn commit(&self) -> Duty {
        // ORDERING: AcqRel. Release publishes the saved context to the waker (`wake`); Acquire pairs with `wake`,
        // whose writes the sleeper, made runnable by us, must see.
        let before = self.0.fetch_or(COMMITTED, Ordering::AcqRel);
        debug_assert!(before & COMMITTED == 0, "runtime bug: committed twice");
        if before & WOKEN != 0 { Duty::MakeRunnable } else { Duty::Nothing }
    }

    /// The outcome, once the wait was ended and woken. Owner only.
    #[inline]
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        // ORDERING: Acquire pairs with the Release in `wake`: the winner's writes are visible with the outcome.
        let word = self.0.load(Ordering::Acquire);
        if word & WOKEN == 0 {
            return None;
        }
        NonZeroU32::new((word & OUTCOME) as u32).map(Outcome)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_stale_claim_fails() {
        // A timer of an old wait must not end the next one.
        let word = ParkWord::new();
        let first = word.begin();
        assert!(word.claim(first, Outcome::selected(3)));
        assert!(!word.claim(first, Outcome::TIMED_OUT));
        assert_eq!(word.wake(), Duty::Nothing);
        assert_eq!(word.commit(), Duty::MakeRunnable);
        assert_eq!(word.outcome().map(Outcome::kind), Some(OutcomeKind::Selected(3)));
        let second = word.begin();
        assert!(!word.claim(first, Outcome::TIMED_OUT));
        assert_eq!(word.commit(), Duty::Nothing);
        assert!(word.claim(second, Outcome::closed(1)));
        assert_eq!(word.outcome(), None);
        assert_eq!(word.wake(), Duty::MakeRunnable);
        assert_eq!(word.outcome().map(Outcome::kind), Some(OutcomeKind::Closed(1)));
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::primitives::cell::UnsafeCell;
    use crate::primitives::sync::Arc;

    struct Shared {
        word: ParkWord,
        /// Stands for the saved context: a race on it is found by loom.
        cell: UnsafeCell<u32>,
        /// Stands for the sleeper's slot, into which the winner writes.
        slot: UnsafeCell<u32>,
        resumed: loom::sync::atomic::AtomicUsize,
    }
    // SAFETY: the cell is accessed only as the protocol under test allows; loom reports it otherwise.
    unsafe impl Sync for Shared {}
    // SAFETY: as above.
    unsafe impl Send for Shared {}

    impl Shared {
        fn new() -> Arc<Self> {
            Arc::new(Self {
                word: ParkWord::new(),
                cell: UnsafeCell::new(0),
                slot: UnsafeCell::new(0),
                resumed: loom::sync::atomic::AtomicUsize::new(0),
            })
        }

        /// What the winner of a claim does.
        fn win(&self) -> Duty {
            // SAFETY: claimed, so the sleeper's slot is ours until the wake.
            self.slot.with_mut(|slot| unsafe { *slot = 7 });
            self.word.wake()
        }
    }

    fn resume(s: &Shared) {
        // SAFETY: whoever has the duty to resume owns the sleeper (I3).
        s.cell.with_mut(|c| unsafe { *c += 1 });
        // SAFETY: as above.
        assert_eq!(s.slot.with(|slot| unsafe { *slot }), 7);
        s.resumed.fetch_add(1, Ordering::Relaxed);
    }

    /// Mutations seen to fail here: `commit` without either half of AcqRel, `wake` without Acquire, either ignoring the
    /// other's bit; a claim without compare-and-swap, or one that gives up when it meets the commit.
    #[test]
    fn commit_against_wake_resumes_exactly_once() {
        loom::model(|| {
            let s = Shared::new();
            let sequence = s.word.begin();
            let waker = {
                let s = s.clone();
                loom::thread::spawn(move || {
                    if s.word.claim(sequence, Outcome::selected(0)) && s.win() == Duty::MakeRunnable {
                        resume(&s);
                    }
                })
            };
            let timer = {
                let s = s.clone();
                loom::thread::spawn(move || {
                    if s.word.claim(sequence, Outcome::TIMED_OUT) && s.win() == Duty::MakeRunnable {
                        resume(&s);
                    }
                })
            };
            // The sleeper: save the context, then commit.
            // SAFETY: the context is ours until it is committed (I3).
            s.cell.with_mut(|c| unsafe { *c = 10 });
            if s.word.commit() == Duty::MakeRunnable {
                resume(&s);
            }
            waker.join().unwrap();
            timer.join().unwrap();
            assert_eq!(s.resumed.load(Ordering::Relaxed), 1);
        });
    }

    /// Mutations seen to fail here: `begin` keeping the sequence; a claim that does not compare it.
    #[test]
    fn b16_a_claim_of_an_old_wait_fails() {
        // A timer that was too late for its wait ends the next one.
        loom::model(|| {
            let word = Arc::new(ParkWord::new());
            let first = word.begin();
            let timer = {
                let word = word.clone();
                loom::thread::spawn(move || {
                    let won = word.claim(first, Outcome::TIMED_OUT);
                    if won {
                        word.wake();
                    }
                    won
                })
            };
            // The same thread is the claimer, so that the second wait begins whatever the timer does.
            let won = word.claim(first, Outcome::selected(0));
            if won {
                word.wake();
            }
            while word.outcome().is_none() {
                loom::thread::yield_now();
            }
            let second = word.begin();
            let theirs = timer.join().unwrap();
            assert!(won != theirs, "one of the two ends the first wait");
            assert!(word.claim(second, Outcome::selected(1)), "an old claim ended the second wait");
            word.wake();
            assert_eq!(word.outcome(), Some(Outcome::selected(1)));
        });
    }

    /// Mutations seen to fail here: `outcome` Relaxed, or not waiting for WOKEN; `wake` without Release.
    #[test]
    fn an_outcome_comes_with_what_the_winner_wrote() {
        // A waiter that did not need to sleep, and returns before its value is there, or does not see it.
        loom::model(|| {
            let s = Shared::new();
            let sequence = s.word.begin();
            let winner = {
                let s = s.clone();
                loom::thread::spawn(move || {
                    assert!(s.word.claim(sequence, Outcome::selected(0)));
                    s.win();
                })
            };
            while s.word.outcome().is_none() {
                loom::thread::yield_now();
            }
            // SAFETY: woken, so the slot is ours again.
            assert_eq!(s.slot.with(|slot| unsafe { *slot }), 7);
            winner.join().unwrap();
        });
    }
}
