//! The ticket: the one way to wait, and the one way to end a wait.
//!
//! # Invariants
//! 1. The memory behind a ticket's pointer is type-stable: never freed while the process (or the model) lives.
//! 2. The first claim to succeed has the right, and the duty, to wake once; until it does, it owns the sleeper's
//!    slots.
//! 3. Only the opener of a wait calls `wait` or `cancel` on it, once.

use super::{Outcome, WaitReason, imp};
use crate::primitives::prefetch;

/// A wait of one goroutine or thread: two plain words, freely copied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    parker: imp::Parker,
    sequence: u32,
}

/// Opens a wait of the calling goroutine, or thread.
#[inline]
pub(crate) fn begin_wait() -> Ticket {
    let parker = imp::Parker::current();
    Ticket { parker, sequence: parker.word().begin() }
}

/// As [`Ticket::wake`] for each of them, in this order; many are made runnable in one go.
pub(crate) fn wake_all(tickets: impl ExactSizeIterator<Item = Ticket>) {
    imp::wake_all(tickets.map(|ticket| ticket.parker));
}

impl Ticket {
    /// Ends the wait with `outcome`; true for the one call that did, which must then call [`wake`](Self::wake).
    #[inline]
    pub(crate) fn claim(self, outcome: Outcome) -> bool {
        self.parker.word().claim(self.sequence, outcome)
    }

    /// Lets the sleeper run. The last thing a claimer does: nothing of the sleeper may be touched afterwards.
    #[inline]
    pub(crate) fn wake(self) {
        self.parker.wake();
    }

    /// The ticket is about to be claimed.
    #[inline]
    pub(crate) fn approach(self) {
        prefetch(core::ptr::from_ref(self.parker.word()).addr());
    }

    /// Ends the wait with `outcome` and lets the sleeper run; false if somebody has ended it before.
    #[cfg(loom)]
    pub(crate) fn end(self, outcome: Outcome) -> bool {
        let won = self.claim(outcome);
        if won {
            self.wake();
        }
        won
    }

    /// Sleeps until the wait is claimed and woken; never returns early.
    #[inline]
    pub(crate) fn wait(self, reason: WaitReason) -> Outcome {
        if let Some(outcome) = self.parker.word().outcome() {
            return outcome;
        }
        self.parker.suspend(reason)
    }

    /// The copy of who wakes many at a time.
    #[cfg(not(loom))]
    pub(super) fn copy(self) -> crate::sched::woken::Waiter {
        self.parker.waiter(self.sequence)
    }

    /// The waiter stands in a queue of the object that was made there: for the report of a model.
    #[cfg(loom)]
    pub(super) fn stands_in_queue(self, made: &'static core::panic::Location<'static>) {
        self.parker.stands_in_queue(made);
    }

    /// Ends the wait without sleeping; false if somebody claimed it before, and [`wait`](Self::wait) is due.
    #[inline]
    pub(crate) fn cancel(self) -> bool {
        self.parker.word().cancel(self.sequence)
    }
}
