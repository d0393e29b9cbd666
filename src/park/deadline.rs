//! Deadlines of waits, and of what is done at an instant; `sched::clock` keeps them.

use super::{Outcome, Ticket, WaitReason};
use crate::primitives::sync::Arc;
use crate::sched::clock::{self, Action};
use crate::sched::timers::TimerId;
use std::time::Instant;

pub(crate) use crate::sched::clock::{OnTime, pending};

/// A started deadline, to be stopped. Dropping it does not stop it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimerHandle(TimerId);

impl TimerHandle {
    /// Takes the deadline back: true if it has not fired and will not.
    pub(crate) fn stop(&self) -> bool {
        clock::stop(self.0)
    }
}

/// Runs `action` at `when`, or at once if that has passed.
pub(crate) fn start(when: Instant, action: Arc<dyn OnTime>) -> TimerHandle {
    TimerHandle(clock::insert(when, Action::Run(action)))
}

/// Waits as [`Ticket::wait`] does, but no longer than until `deadline`: then the outcome is
/// [`Outcome::TIMED_OUT`].
pub(crate) fn wait_until(ticket: Ticket, reason: WaitReason, deadline: Instant) -> Outcome {
    let timer = clock::insert(deadline, Action::End(ticket.copy()));
    let outcome = ticket.wait(reason);
    if outcome != Outcome::TIMED_OUT {
        clock::stop(timer);
    }
    outcome
}
