//! The park word: one atomic that says whether a wait is over, who ended it, and who makes the sleeper run.
//!
//! The word belongs to a goroutine (or a thread); it is type-stable memory, so a late claimer may always look.
//!
//! ```text
//!   63            32 31  30  29  28              0
//!  +----------------+---+---+---+-----------------+
//!  | sequence       | W | C | F | outcome, 0=open |
//!  +----------------+---+---+---+-----------------+
//!   W woken: the winner of the claim called wake      C committed: the sleeper has left its stack
//!   F frozen: a dump looks at the sleeper
//! ```
//!
//! # Invariants
//! 1. Only the owner advances the sequence, and only while no wait is open; so a claim that carries an old
//!    sequence fails for ever.
//! 2. The outcome of a sequence changes once, from 0, by the compare-and-swap of the winning claim.
//! 3. W is set once per wait, by the winner; C is set at most once per wait, after the sleeper's context was
//!    saved. Both are read-modify-writes of one word, so exactly one of the two sees the other's bit: that one
//!    makes the sleeper runnable.
//! 4. F is set only on a committed wait that is not woken. Whoever set it owns the sleeper until it takes F away, and
//!    a wake in between leaves its duty to it: taking F away tells whether that happened.

use crate::primitives::atomic::{AtomicU64, Ordering};
use core::num::NonZeroU32;

const WOKEN: u64 = 1 << 31;
const COMMITTED: u64 = 1 << 30;
const FROZEN: u64 = 1 << 29;
const OUTCOME: u64 = FROZEN - 1;

/// What ended a wait; never zero, below 2^29.
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
    const ARM_BITS: u32 = 27;
    /// The number of arms that an outcome can name.
    pub(crate) const MAX_ARMS: u32 = 1 << Self::ARM_BITS;
    pub(crate) const TIMED_OUT: Self = Self::pack(3, 0);

    #[inline]
    const fn pack(kind: u32, arm: u32) -> Self {
        assert!(arm < Self::MAX_ARMS, "too many arms");
        match NonZeroU32::new(kind << Self::ARM_BITS | arm) {
            Some(word) => Self(word),
            None => unreachable!(),
        }
    }

    #[inline]
    pub(crate) const fn selected(arm: u32) -> Self {
        Self::pack(1, arm)
    }

    #[inline]
    pub(crate) const fn closed(arm: u32) -> Self {
        Self::pack(2, arm)
    }

    #[inline]
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
        // ORDERING: Relaxed; the ticket came through a lock, so this is no older than `begin`, and the swap decides.
        let mut seen = self.0.load(Ordering::Relaxed);
        if seen & !(COMMITTED | FROZEN) != open {
            return false;
        }
        loop {
            // ORDERING: Relaxed; the claim only elects a winner, data travels with `wake` or under a lock.
            match self.0.compare_exchange(seen, seen | outcome, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                // The sleeper committed between, or a dump came or went: still the same open wait.
                Err(now) if now & !(COMMITTED | FROZEN) == open => seen = now,
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
        let before = self.0.fetch_add(WOKEN, Ordering::AcqRel);
        debug_assert!(before & WOKEN == 0, "runtime bug: woken twice");
        debug_assert!(before & OUTCOME != 0, "runtime bug: woken without a claim");
        // A dump that looks at the sleeper takes the duty over (I4).
        if before & (COMMITTED | FROZEN) == COMMITTED { Duty::MakeRunnable } else { Duty::Nothing }
    }

    /// Says that the sleeper has left its stack: its successor on the thread only, once (I3).
    #[inline]
    pub(crate) fn commit(&self) -> Duty {
        // ORDERING: AcqRel. Release publishes the saved context to the waker (`wake`); Acquire pairs with `wake`,
        // whose writes the sleeper, made runnable by us, must see.
        let before = self.0.fetch_add(COMMITTED, Ordering::AcqRel);
        debug_assert!(before & COMMITTED == 0, "runtime bug: committed twice");
        if before & WOKEN != 0 { Duty::MakeRunnable } else { Duty::Nothing }
    }

    /// Takes the sleeper over while it waits, for a look at its stack; false if it does not wait, or another dump looks.
    /// Whoever was told true calls [`thaw`](Self::thaw) soon: a wake is kept waiting.
    #[cfg_attr(loom, allow(dead_code, reason = "no dumps in a model but its own"))]
    pub(crate) fn freeze(&self) -> bool {
        // ORDERING: Relaxed look; the exchange decides.
        let mut seen = self.0.load(Ordering::Relaxed);
        while seen & (WOKEN | COMMITTED | FROZEN) == COMMITTED {
            // ORDERING: Acquire pairs with the Release in `commit`: the saved context and the stack are visible.
            match self.0.compare_exchange_weak(seen, seen | FROZEN, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    /// Ends what [`freeze`](Self::freeze) began: the same caller only, once (I4).
    #[cfg_attr(loom, allow(dead_code, reason = "no dumps in a model but its own"))]
    pub(crate) fn thaw(&self) -> Duty {
        // ORDERING: AcqRel. Release lets whoever wakes the sleeper from now on come after our look; Acquire pairs with
        // the Release of a wake that came meanwhile, whose duty is ours.
        let before = self.0.fetch_and(!FROZEN, Ordering::AcqRel);
        debug_assert!(before & FROZEN != 0, "runtime bug: thawed without a freeze");
        if before & WOKEN == 0 { Duty::Nothing } else { Duty::MakeRunnable }
    }

    /// The number of the last wait.
    #[inline]
    #[cfg_attr(loom, allow(dead_code, reason = "nothing is sampled in a model"))]
    pub(crate) fn sequence(&self) -> u32 {
        // ORDERING: Relaxed; a number.
        (self.0.load(Ordering::Relaxed) >> 32) as u32
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
    fn only_a_sleeper_is_frozen() {
        // A dump that reads the stack of a goroutine that runs, or will in a moment.
        let word = ParkWord::new();
        assert!(!word.freeze());
        let sequence = word.begin();
        assert!(!word.freeze());
        assert_eq!(word.commit(), Duty::Nothing);
        assert!(word.freeze());
        assert!(word.claim(sequence, Outcome::closed(5)));
        assert_eq!(word.wake(), Duty::Nothing);
        assert!(!word.freeze());
        assert_eq!(word.thaw(), Duty::MakeRunnable);
        assert!(!word.freeze());
        assert_eq!(word.outcome().map(Outcome::kind), Some(OutcomeKind::Closed(5)));
    }

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

    /// Mutations seen to fail here: `wake` that takes the duty of a frozen sleeper; `thaw` that overlooks a wake; `freeze`
    /// of a sleeper that is not committed, or was woken; `freeze` without Acquire, `thaw` without Release or Acquire; a
    /// claim that gives up when it meets the freeze.
    #[test]
    fn a_sleeper_that_is_looked_at_is_resumed_once_and_not_meanwhile() {
        // A goroutine that runs while a dump reads its stack, or is never resumed because each side relied on the other.
        loom::model(|| {
            let s = Shared::new();
            let sequence = s.word.begin();
            let waker = {
                let s = s.clone();
                loom::thread::spawn(move || {
                    // Nobody else claims: it must succeed, whatever it meets.
                    assert!(s.word.claim(sequence, Outcome::selected(0)));
                    if s.win() == Duty::MakeRunnable {
                        resume(&s);
                    }
                })
            };
            let dump = {
                let s = s.clone();
                loom::thread::spawn(move || {
                    if !s.word.freeze() {
                        return false;
                    }
                    assert!(!s.word.freeze(), "two dumps own the sleeper");
                    // SAFETY: frozen, so the sleeper is ours (I4). A write: loom would let two reads pass.
                    s.cell.with_mut(|c| unsafe { *c += 10 });
                    if s.word.thaw() == Duty::MakeRunnable {
                        resume(&s);
                    }
                    true
                })
            };
            // SAFETY: the context is ours until it is committed (I3).
            s.cell.with_mut(|c| unsafe { *c = 10 });
            if s.word.commit() == Duty::MakeRunnable {
                resume(&s);
            }
            waker.join().unwrap();
            let looked = dump.join().unwrap();
            assert_eq!(s.resumed.load(Ordering::Relaxed), 1);
            // SAFETY: everybody else has ended.
            assert_eq!(s.cell.with(|c| unsafe { *c }), if looked { 21 } else { 11 });
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
