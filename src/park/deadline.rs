//! Deadlines: what is to happen at an instant, and the thread that makes it happen.
//!
//! # Invariants
//! 1. An entry is among the timers from `start` until it is stopped or taken as due; only one of the two removes it.
//! 2. `wakes_at` is the instant until which the timer thread sleeps; an entry that is earlier rings its event.
//!    The thread publishes it under the lock, together with its look at the first entry.
//!
//! # Locking
//! `pending`: guarded by its lock (rank Deadline). Entries are run after unlocking.

use super::{External, Outcome, Ticket, WaitReason};
use crate::primitives::sync::Arc;
use crate::primitives::{Event, Lock, LockRank};
use crate::sched::timers::{TimerId, Timers};
use crate::sched::watch::own_thread;
use std::time::Instant;

/// What a due deadline does. It runs on the timer thread and must not block.
pub(crate) trait OnTime: Send + Sync {
    fn due(&self, now: Instant);
}

enum Action {
    /// Claims the wait with [`Outcome::TIMED_OUT`].
    End(Ticket),
    Run(Arc<dyn OnTime>),
}

struct Pending {
    timers: Timers<Action>,
    /// There are timers, or the thread has not finished with those that were due.
    held: Option<External>,
    /// `None`: the thread has not been started.
    wakes_at: Option<WakesAt>,
}

impl Pending {
    /// What nobody waits for any more: dropped after unlocking.
    fn release(&mut self) -> Option<External> {
        // While the thread runs entries it may be about to wake somebody; it comes here afterwards.
        let busy = matches!(self.wakes_at, Some(WakesAt::Busy));
        if busy || self.timers.len() != 0 { None } else { self.held.take() }
    }
}

#[derive(Clone, Copy)]
enum WakesAt {
    /// It is running entries and will look again.
    Busy,
    Never,
    At(Instant),
}

static PENDING: Lock<Pending> =
    Lock::new(LockRank::Deadline, Pending { timers: Timers::new(), held: None, wakes_at: None });
static RING: Event = Event::new();

/// So many deadlines are taken out under the lock at a time.
const BATCH: usize = 64;

/// A started deadline, to be stopped. Dropping it does not stop it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimerHandle(TimerId);

impl TimerHandle {
    /// Takes the deadline back: true if it has not fired and will not.
    pub(crate) fn stop(&self) -> bool {
        // The entry is dropped after unlocking: it may own a user's closure.
        let mut pending = PENDING.lock();
        let removed = pending.timers.remove(self.0);
        let freed = pending.release();
        drop(pending);
        drop(freed);
        removed.is_some()
    }
}

fn insert(when: Instant, action: Action) -> TimerHandle {
    let mut pending = PENDING.lock();
    let id = pending.timers.insert(when, action);
    pending.held.get_or_insert_with(External::begin);
    let (start, ring) = match pending.wakes_at {
        None => {
            pending.wakes_at = Some(WakesAt::Busy);
            (true, false)
        }
        Some(WakesAt::Busy) => (false, false),
        Some(WakesAt::Never) => (false, true),
        Some(WakesAt::At(at)) => (false, when < at),
    };
    drop(pending);
    if start {
        let started = std::thread::Builder::new().name("gaggle-timer".into()).spawn(timer_thread);
        if let Err(error) = started {
            // Not a panic: the caller has an open wait, and nodes in queues that live on its stack.
            crate::platform::fatal::fatal(format_args!("cannot start the timer thread: {error}"));
        }
    } else if ring {
        RING.set();
    }
    TimerHandle(id)
}

/// How many deadlines are set.
pub(crate) fn pending() -> usize {
    PENDING.lock().timers.len()
}

/// Runs `action` at `when`, or at once if that has passed.
pub(crate) fn start(when: Instant, action: Arc<dyn OnTime>) -> TimerHandle {
    insert(when, Action::Run(action))
}

/// Waits as [`Ticket::wait`] does, but no longer than until `deadline`: then the outcome is
/// [`Outcome::TIMED_OUT`].
pub(crate) fn wait_until(ticket: Ticket, reason: WaitReason, deadline: Instant) -> Outcome {
    let timer = insert(deadline, Action::End(ticket));
    let outcome = ticket.wait(reason);
    if outcome != Outcome::TIMED_OUT {
        timer.stop();
    }
    outcome
}

fn timer_thread() {
    let _own = own_thread();
    let mut due = Vec::new();
    loop {
        let now = Instant::now();
        let mut pending = PENDING.lock();
        pending.wakes_at = Some(WakesAt::Busy);
        // Not all at once: whoever sets a deadline waits for the lock meanwhile.
        due.extend(core::iter::from_fn(|| pending.timers.pop_due(now)).take(BATCH));
        if !due.is_empty() {
            drop(pending);
            due.drain(..).for_each(|action| run(action, now));
            continue;
        }
        let next = pending.timers.first();
        pending.wakes_at = Some(next.map_or(WakesAt::Never, WakesAt::At));
        let freed = pending.release();
        drop(pending);
        drop(freed);
        // Whether it was rung or the time has come: look again.
        let _ = RING.wait_for(next.map(|at| at.saturating_duration_since(now)));
    }
}

fn run(action: Action, now: Instant) {
    match action {
        Action::End(ticket) => {
            ticket.end(Outcome::TIMED_OUT);
        }
        Action::Run(on_time) => on_time.due(now),
    }
}
