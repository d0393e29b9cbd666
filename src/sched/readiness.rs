//! Whether a descriptor may be ready in one direction, and who waits for it: one word, and a queue behind it.
//!
//! ```text
//!   63             32 31                    2  1   0
//!  +-----------------+-----------------------+---+---+
//!  | generation      | count of events       | C | Q |
//!  +-----------------+-----------------------+---+---+
//!   C closed: nobody waits any more              Q queue: somebody is in it
//! ```
//!
//! The word is an event count: an operation looks at it, tries, and if the kernel says *would block* waits for the
//! next event **after its look**. `NETPOLL.md` beside this file has the proof sketch.
//!
//! # Invariants
//! 1. The count changes with every event, and only then; a wait is entered only while the word still has the count
//!    that was looked at before the try.
//! 2. Q is set exactly while the queue has somebody, as seen under the lock.
//! 3. Whoever took somebody out of the queue has won the claim on that wait, or has seen it lost; so nobody is taken
//!    out and left asleep.
//! 4. One event takes one waiter out. Whoever has waited passes it on when it is done, unless it found the
//!    descriptor exhausted: then the next event is still to come.
//! 5. An event carries the generation of the registration it is for, and touches no other.
//!
//! # Locking
//! `queue`: its lock (rank Leaf).

use crate::primitives::atomic::{AtomicU64, Ordering};
use crate::primitives::{Lock, LockRank};
use smallvec::SmallVec;

const QUEUED: u64 = 1;
const CLOSED: u64 = 1 << 1;
const EVENT: u64 = 1 << 2;
const GENERATION: u32 = 32;
const COUNT: u64 = (1 << GENERATION) - EVENT;

/// What an operation saw before it tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look(u64);

impl Look {
    #[inline]
    pub(crate) fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    /// As this look, after one more event.
    fn after_event(self) -> Self {
        Self(self.0 & !COUNT | self.0.wrapping_add(EVENT) & COUNT)
    }
}

/// A wait in the queue: a copy of its ticket.
pub(crate) trait Waiting: Copy + PartialEq {
    /// Ends the wait; true for the one call that did, whose caller then wakes the waiter.
    fn claim(self) -> bool;
}

/// See the module's page.
pub(crate) struct Readiness<W> {
    word: AtomicU64,
    queue: Lock<SmallVec<[W; 1]>>,
}

impl<W: Waiting> Readiness<W> {
    pub(crate) fn new() -> Self {
        Self { word: AtomicU64::new(0), queue: Lock::new(LockRank::Leaf, SmallVec::new()) }
    }

    /// The first half of an operation: what it tries next, it tries after this look.
    #[inline]
    pub(crate) fn look(&self) -> Look {
        // ORDERING: Acquire pairs with the Release in `count`: who sees the event also sees what it is about, the data
        // in the kernel or the deadline that was set; and the try stays behind the look.
        Look(self.word.load(Ordering::Acquire))
    }

    /// The second half, after a try that would block: enters `waiter`, unless something has happened since `look`.
    pub(crate) fn enter(&self, look: Look, waiter: W) -> bool {
        let mut queue = self.queue.lock();
        let entered = self.word.fetch_update(
            // ORDERING: Relaxed, both; the queue is published by its lock. One change of the word comes first: if that
            // is an event's, we see it here and do not wait, else it sees Q (I1).
            Ordering::Relaxed,
            Ordering::Relaxed,
            |word| (word & !QUEUED == look.0 & !QUEUED).then_some(word | QUEUED),
        );
        if entered.is_ok() {
            queue.push(waiter);
        }
        entered.is_ok()
    }

    /// Takes `waiter`, whose wait somebody else has ended, out if it is still in.
    pub(crate) fn leave(&self, waiter: W) {
        let mut queue = self.queue.lock();
        if let Some(at) = queue.iter().position(|w| *w == waiter) {
            queue.remove(at);
            self.unmark_if_empty(&queue);
        }
    }

    fn unmark_if_empty(&self, queue: &[W]) {
        if queue.is_empty() {
            // ORDERING: Relaxed; under the lock (I2). Who saw Q before finds the queue empty.
            self.word.fetch_and(!QUEUED, Ordering::Relaxed);
        }
    }

    /// An event of the kernel's for the registration `generation`: the waiter that the caller wakes.
    pub(crate) fn event(&self, generation: u32) -> Option<W> {
        let before = self.count(|look| (look.0 >> GENERATION) as u32 == generation, 0)?;
        if before & QUEUED == 0 { None } else { self.take_first() }
    }

    /// Passes an event on to the next in the queue (I4): the waiter that the caller wakes.
    pub(crate) fn pass_on(&self) -> Option<W> {
        // ORDERING: Relaxed; who enters later than this look has tried later than the event that we pass on.
        if self.word.load(Ordering::Relaxed) & QUEUED == 0 { None } else { self.take_first() }
    }

    /// Counts an event, if the word is as it should be; returns what it was.
    fn count(&self, fits: impl Fn(Look) -> bool, flag: u64) -> Option<u64> {
        // ORDERING: Release pairs with the Acquire in `look`; the failed half reads nothing but the word.
        let counted = self.word.fetch_update(Ordering::Release, Ordering::Relaxed, |word| {
            let look = Look(word);
            fits(look).then_some(look.after_event().0 | flag)
        });
        counted.ok()
    }

    /// The first waiter whose wait nobody else has ended (I3).
    #[cold]
    fn take_first(&self) -> Option<W> {
        let mut queue = self.queue.lock();
        let mut gone = 0;
        let mut claimed = None;
        while claimed.is_none() && gone < queue.len() {
            claimed = Some(queue[gone]).filter(|waiter| waiter.claim());
            gone += 1;
        }
        queue.drain(..gone);
        self.unmark_if_empty(&queue);
        claimed
    }

    /// Makes everybody look again, as when a deadline was moved: those that the caller wakes.
    pub(crate) fn stir(&self) -> SmallVec<[W; 1]> {
        self.stir_with(0)
    }

    /// Closes: everybody looks again, and sees it.
    pub(crate) fn close(&self) -> SmallVec<[W; 1]> {
        self.stir_with(CLOSED)
    }

    fn stir_with(&self, flag: u64) -> SmallVec<[W; 1]> {
        let before = self.count(|_| true, flag).unwrap_or(0);
        if before & QUEUED == 0 {
            return SmallVec::new();
        }
        let mut queue = self.queue.lock();
        let mut all = core::mem::take(&mut *queue);
        self.unmark_if_empty(&queue);
        drop(queue);
        all.retain(|waiter| waiter.claim());
        all
    }

    /// Begins the next generation: events that are on their way for this one come to nothing (I5). Nobody waits, and
    /// nobody but the poller knows the word.
    pub(crate) fn renew(&self, generation: u32) {
        // ORDERING: Relaxed; the next owner gets the word through the lock of the free list, and the poller only
        // compares. A swap, so that an event comes before it or fails.
        self.word.swap(u64::from(generation) << GENERATION, Ordering::Relaxed);
    }

    /// Whether somebody waits.
    #[cfg(test)]
    pub(crate) fn is_awaited(&self) -> bool {
        // ORDERING: Relaxed; a snapshot.
        self.word.load(Ordering::Relaxed) & QUEUED != 0
    }
}

#[cfg(test)]
#[path = "readiness_tests.rs"]
mod tests;
