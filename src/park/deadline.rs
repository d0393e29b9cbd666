//! Deadlines: what is to happen at an instant, and the thread that makes it happen.
//!
//! # Invariants
//! 1. An entry is in the map from `start` until it is stopped or taken as due; only one of the two removes it.
//! 2. `wakes_at` is the instant until which the timer thread sleeps; an entry that is earlier rings its event.
//!    The thread publishes it under the lock, together with its look at the first entry.
//!
//! # Locking
//! `pending`: guarded by its lock (rank Deadline). Entries are run after unlocking.

use super::{Outcome, Ticket, WaitReason};
use crate::primitives::sync::Arc;
use crate::primitives::{Event, Lock, LockRank, sequence};
use std::collections::BTreeMap;
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

type Key = (Instant, u64);

struct Pending {
    entries: BTreeMap<Key, Action>,
    /// `None`: the thread has not been started.
    wakes_at: Option<WakesAt>,
}

#[derive(Clone, Copy)]
enum WakesAt {
    /// It is running entries and will look again.
    Busy,
    Never,
    At(Instant),
}

static PENDING: Lock<Pending> = Lock::new(LockRank::Deadline, Pending { entries: BTreeMap::new(), wakes_at: None });
static RING: Event = Event::new();

/// A started deadline, to be stopped. Dropping it does not stop it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimerHandle(Key);

impl TimerHandle {
    /// Takes the deadline back: true if it has not fired and will not.
    pub(crate) fn stop(&self) -> bool {
        // The entry is dropped after unlocking: it may own a user's closure.
        let removed = PENDING.lock().entries.remove(&self.0);
        removed.is_some()
    }
}

fn insert(when: Instant, action: Action) -> TimerHandle {
    let key = (when, sequence());
    let mut pending = PENDING.lock();
    pending.entries.insert(key, action);
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
    TimerHandle(key)
}

/// How many deadlines are set.
pub(crate) fn pending() -> usize {
    PENDING.lock().entries.len()
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
    let mut due = Vec::new();
    loop {
        let now = Instant::now();
        let mut pending = PENDING.lock();
        pending.wakes_at = Some(WakesAt::Busy);
        while let Some(entry) = pending.entries.first_entry() {
            if entry.key().0 > now {
                break;
            }
            due.push(entry.remove());
        }
        if !due.is_empty() {
            drop(pending);
            due.drain(..).for_each(|action| run(action, now));
            continue;
        }
        let next = pending.entries.first_key_value().map(|(key, _)| key.0);
        pending.wakes_at = Some(next.map_or(WakesAt::Never, WakesAt::At));
        drop(pending);
        // Whether it was rung or the time has come: look again.
        let _ = RING.wait_for(next.map(|at| at.saturating_duration_since(now)));
    }
}

fn run(action: Action, now: Instant) {
    match action {
        Action::End(ticket) => {
            if ticket.claim(Outcome::TIMED_OUT) {
                ticket.wake();
            }
        }
        Action::Run(on_time) => on_time.due(now),
    }
}
