//! The part of a channel that does not depend on what it carries: the lock, the two queues of waiters, and the
//! word that says in one load how the channel stands.
//!
//! # Invariants
//! 1. `word` is written only under the lock, and each store tells the whole truth: whether the channel is closed,
//!    whether anybody stands in either queue, and how many values are buffered. So one load, even without the
//!    lock, is a snapshot of the channel at one instant: "empty, and not closed" can't be put together from two.
//! 2. A receiver whose wait is still open stands in the queue only while the channel is open and nothing is
//!    buffered; a sender whose wait is still open, only while it is open and full. Nodes whose wait was ended
//!    elsewhere (a select won by another arm, a deadline) may be left in a queue until their owner unlinks them;
//!    whoever meets one drops it from the queue.
//! 3. Closed is for ever. A closed channel's buffer only shrinks, and so do its queues, which nobody looks into but the
//!    nodes' owners and whoever closed it: that one empties them, in batches, before it goes on.
//! 4. A waiter's node and slot stay in place until it has been woken, or has unlinked its node under the lock. Who
//!    wins the claim of its ticket owns the slot until it wakes it.
//! 5. Several channels are locked in the order of their `sequence`.
//!
//! # Locking
//! `queues` (rank Chan) guards both queues, all stores to `word`, and the ring that belongs to the channel.
//! Nobody is woken, and no value is dropped, while it is held: the woken would find the lock taken, and a
//! destructor may use this very channel.

use crate::park::{Course, Outcome, OutcomeKind, Ticket, WaitNode, WaitQueue, begin_wait, wake_all};
use crate::primitives::atomic::{AtomicUsize, Ordering};
use crate::primitives::{Lock, LockGuard, LockRank, sequence};
use core::fmt;
use smallvec::SmallVec;

/// One of the two ends of a channel; as a waiter's attribute, what it waits to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Senders,
    Receivers,
}

/// How a channel stands, in one word (I1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word(usize);

impl Word {
    const CLOSED: usize = 1;
    const SENDERS: usize = 2;
    const RECEIVERS: usize = 4;
    const SHIFT: u32 = 3;
    const ONE: usize = 1 << Self::SHIFT;
    /// The greatest number of values that the word can count.
    pub(crate) const MAX_LEN: usize = usize::MAX >> Self::SHIFT;

    const fn bit(side: Side) -> usize {
        match side {
            Side::Senders => Self::SENDERS,
            Side::Receivers => Self::RECEIVERS,
        }
    }

    /// The number of buffered values.
    #[inline]
    pub(crate) fn len(self) -> usize {
        self.0 >> Self::SHIFT
    }

    #[inline]
    pub(crate) fn is_closed(self) -> bool {
        self.0 & Self::CLOSED != 0
    }

    /// Whether a send has to care about nothing but room in the buffer.
    #[inline]
    pub(crate) fn is_quiet_for_send(self) -> bool {
        self.0 & (Self::CLOSED | Self::RECEIVERS) == 0
    }

    /// Whether a receive can take a buffered value and is done with it: no sender waits to move up.
    #[inline]
    pub(crate) fn is_quiet_for_recv(self) -> bool {
        self.0 & Self::SENDERS == 0 && self.0 >= Self::ONE
    }

    /// Whether a send would have to wait.
    #[inline]
    pub(crate) fn send_would_wait(self, capacity: usize) -> bool {
        self.is_quiet_for_send() && self.len() >= capacity
    }

    /// Whether a receive would have to wait.
    #[inline]
    pub(crate) fn recv_would_wait(self) -> bool {
        self.0 & !Self::RECEIVERS == 0
    }

    /// Whether every receive from now on fails (I3: this does not change any more).
    #[inline]
    pub(crate) fn is_over(self) -> bool {
        self.0 == Self::CLOSED
    }

    #[inline]
    pub(crate) fn one_more(self) -> Self {
        Self(self.0 + Self::ONE)
    }

    #[inline]
    pub(crate) fn one_less(self) -> Self {
        Self(self.0 - Self::ONE)
    }

    fn with(self, bits: usize) -> Self {
        Self(self.0 | bits)
    }

    fn without(self, bits: usize) -> Self {
        Self(self.0 & !bits)
    }

    fn without_values(self) -> Self {
        Self(self.0 & (Self::ONE - 1))
    }
}

#[derive(Debug)]
struct Queues {
    senders: WaitQueue,
    receivers: WaitQueue,
}

impl Queues {
    fn of(&mut self, side: Side) -> &mut WaitQueue {
        match side {
            Side::Senders => &mut self.senders,
            Side::Receivers => &mut self.receivers,
        }
    }
}

/// See the module's page.
pub(crate) struct Core {
    queues: Lock<Queues>,
    word: AtomicUsize,
    /// How many values may be buffered; [`Core::UNBOUNDED`] if there is no limit.
    capacity: usize,
    sequence: u64,
}

/// A waiter taken from a queue and claimed: its slot is the taker's until it wakes it (I4).
pub(crate) struct Claimed {
    pub(crate) ticket: Ticket,
    pub(crate) slot: *mut (),
}

impl Core {
    pub(crate) const UNBOUNDED: usize = Word::MAX_LEN;

    #[cfg_attr(loom, track_caller)]
    pub(crate) fn new(capacity: usize) -> Self {
        let queues = Queues { senders: WaitQueue::new(), receivers: WaitQueue::new() };
        Self { queues: Lock::new(LockRank::Chan, queues), word: AtomicUsize::new(0), capacity, sequence: sequence() }
    }

    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The place of this channel in the order in which channels are locked (I5).
    #[inline]
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// How the channel stands at this instant, without the lock.
    #[inline]
    pub(crate) fn look(&self) -> Word {
        // ORDERING: SeqCst, for two reasons. It acquires from the Release in `Locked::set`: who sees the channel
        // closed sees what was written before the close. And a look must not move up before an earlier operation
        // of this thread on another channel: two threads that each send on one channel and then look at the
        // other must not both find nothing. Free on x86_64, where a read-modify-write of this thread lies between:
        // the unlock, or what follows a light one (`Locked::unlock_lightly`).
        Word(self.word.load(Ordering::SeqCst))
    }

    #[inline]
    pub(crate) fn lock(&self) -> Locked<'_> {
        Locked { core: self, queues: self.queues.lock() }
    }

    /// Stands in the queue of `side`, unlocks, and waits with `wait` until served, closed or timed out.
    ///
    /// `wait` must not unwind, and returns when the ticket that it is given was claimed and woken.
    #[inline]
    pub(crate) fn block(
        &self,
        mut locked: Locked<'_>,
        side: Side,
        slot: *mut (),
        wait: impl FnOnce(Ticket) -> Outcome,
    ) -> OutcomeKind {
        let ticket = begin_wait();
        let mut node = WaitNode::new(ticket, 0, slot);
        let node = &raw mut node;
        // SAFETY: the node is fresh, and stays on this frame until the wait is over: then it was taken out by the
        // winner of the claim, or is removed below (I4).
        unsafe { locked.enqueue(side, node) };
        // A park is committed by a read-modify-write. Without one we were woken already, by somebody who has seen this.
        locked.unlock_lightly();
        let outcome = wait(ticket).kind();
        if outcome == OutcomeKind::TimedOut {
            // SAFETY: the node stands in this queue, or was met there after the deadline and dropped from it.
            unsafe { self.lock().remove(side, node) };
        }
        outcome
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.look();
        f.debug_struct("Core").field("len", &word.len()).field("closed", &word.is_closed()).finish_non_exhaustive()
    }
}

/// A channel whose lock is held; dropping it unlocks.
pub(crate) struct Locked<'a> {
    core: &'a Core,
    queues: LockGuard<'a, Queues>,
}

impl<'a> Locked<'a> {
    #[inline]
    pub(crate) fn core(&self) -> &'a Core {
        self.core
    }

    /// Unlocks without a locked instruction: where a read-modify-write of this thread follows anyway before it looks at
    /// a channel (see [`Core::look`]), and before this goroutine goes on elsewhere.
    #[inline]
    pub(crate) fn unlock_lightly(self) {
        Lock::unlock_lightly(self.queues);
    }

    #[inline]
    pub(crate) fn word(&self) -> Word {
        // ORDERING: Relaxed; stores happen under the lock only, which we hold (I1).
        Word(self.core.word.load(Ordering::Relaxed))
    }

    #[inline]
    pub(crate) fn set(&mut self, word: Word) {
        // ORDERING: Release pairs with `Core::look`, which goes without the lock.
        self.core.word.store(word.0, Ordering::Release);
    }

    /// Takes the first waiter of `side` whose wait is still open, and ends it as served.
    #[inline]
    pub(crate) fn take_waiter(&mut self, side: Side) -> Option<Claimed> {
        let word = self.word();
        if word == word.without(Word::bit(side)) {
            return None;
        }
        let queue = self.queues.of(side);
        let mut taken = None;
        // SAFETY: the lock is held; nodes in the queue are in place (I4).
        while let Some(node) = unsafe { queue.pop_front() } {
            // SAFETY: its owner can't go on before it has been woken or has locked this channel (I4).
            let node = unsafe { node.as_ref() };
            let claimed = Claimed { ticket: node.ticket, slot: node.slot };
            if claimed.ticket.claim(Outcome::selected(node.arm)) {
                taken = Some(claimed);
                break;
            }
        }
        if queue.is_empty() {
            self.set(word.without(Word::bit(side)));
        }
        taken
    }

    /// Appends `node` to the queue of `side`.
    ///
    /// # Safety
    /// The channel is open; the node is not linked, and stays in place until it has been taken out (I4).
    #[inline]
    pub(crate) unsafe fn enqueue(&mut self, side: Side, node: *mut WaitNode) {
        debug_assert!(!self.word().is_closed(), "runtime bug: waiting on a closed channel");
        // SAFETY: the lock is held; the rest is our own contract.
        unsafe { self.queues.of(side).push_back(node) };
        self.set(self.word().with(Word::bit(side)));
    }

    /// Takes `node` out of the queue of `side`, if it still stands there.
    ///
    /// # Safety
    /// The node was enqueued here, on this side.
    pub(crate) unsafe fn remove(&mut self, side: Side, node: *mut WaitNode) {
        let queue = self.queues.of(side);
        // SAFETY: the lock is held, and the node is linked here or nowhere by our own contract.
        unsafe { queue.remove(node) };
        if queue.is_empty() {
            self.set(self.word().without(Word::bit(side)));
        }
    }

    /// Closes the channel; those who wait are to be woken after unlocking. `None` if it was closed before.
    pub(crate) fn close(&mut self) -> Option<Closed<'a>> {
        let word = self.word();
        if word.is_closed() {
            return None;
        }
        self.set(word.with(Word::CLOSED).without(Word::SENDERS | Word::RECEIVERS));
        let mut closed = Closed { core: self.core, claimed: SmallVec::new(), more: true, course: Course::default() };
        self.claim_batch(&mut closed);
        Some(closed)
    }

    /// Takes the next waiters out and ends their waits.
    ///
    /// First all nodes, then all words: the one are where the waiters' stacks are, the other in the goroutines, and each
    /// may be far away. So they come near side by side.
    fn claim_batch(&mut self, closed: &mut Closed<'_>) {
        let claimed = &mut closed.claimed;
        debug_assert!(claimed.is_empty(), "runtime bug: claimed waiters were not woken");
        for side in [Side::Receivers, Side::Senders] {
            let queue = self.queues.of(side);
            while claimed.len() < BATCH {
                // SAFETY: the lock is held; nodes in the queue are in place (I4).
                let Some(node) = (unsafe { queue.pop_front() }) else { break };
                // SAFETY: as in `take_waiter`.
                let (ticket, arm) = unsafe { (node.as_ref().ticket, node.as_ref().arm) };
                ticket.approach();
                closed.course.approach_next(node);
                claimed.push((ticket, arm));
            }
        }
        closed.more = claimed.len() == BATCH;
        claimed.retain(|(ticket, arm)| ticket.claim(Outcome::closed(*arm)));
    }

    /// Says that nothing is buffered any more.
    pub(crate) fn forget_values(&mut self) {
        self.set(self.word().without_values());
    }
}

/// So many waits are ended at a time when a channel is closed: enough that waking them together pays, and few enough for
/// the stack of a goroutine, and for those who want the lock meanwhile. In between, the nodes of a million waiters would
/// leave the caches, and come back for the wake.
const BATCH: usize = if cfg!(loom) { 1 } else { 32 };

/// A channel that was just closed, some of whose waiters are claimed and still asleep.
#[must_use = "claimed waiters sleep until they are woken"]
pub(crate) struct Closed<'a> {
    core: &'a Core,
    claimed: SmallVec<[(Ticket, u32); BATCH]>,
    /// Others may stand in the queues still.
    more: bool,
    course: Course,
}

impl Closed<'_> {
    /// Wakes all waiters, first come first, those who stand in the queues still included. The channel must be unlocked.
    pub(crate) fn wake(mut self) {
        loop {
            wake_all(self.claimed.drain(..).map(|(ticket, _)| ticket));
            if !self.more {
                return;
            }
            self.core.lock().claim_batch(&mut self);
        }
    }
}
