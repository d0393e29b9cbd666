//! Deadlines: what is to happen at an instant. Whoever keeps the lookout, or passes by, carries out what is due.
//!
//! # Invariants
//! 1. An entry is among the timers from `insert` until it is stopped or taken as due; only one of the two removes it.
//! 2. The lookout knows the instant of the first entry, or an earlier one, whenever the lock is free.
//! 3. There is an external while there are entries, and while somebody carries out what was due.
//!
//! # Locking
//! `PENDING`: guarded by its lock (rank Deadline). Entries are run, and dropped, after unlocking.

use super::lookout::NEVER;
use super::status::Outcome;
use super::timers::{TimerId, Timers};
use super::vigil::{self, LOOKOUT};
use super::watch::External;
use super::woken::{Waiter, Woken};
use crate::primitives::sync::Arc;
use crate::primitives::{Lock, LockRank};
use smallvec::SmallVec;
use std::time::Instant;

/// What a due deadline does. It runs on a worker's own stack and must not block.
pub(crate) trait OnTime: Send + Sync {
    fn due(&self, now: Instant);
}

pub(crate) enum Action {
    /// Claims the wait with [`Outcome::TIMED_OUT`].
    End(Waiter),
    Run(Arc<dyn OnTime>),
}

struct Pending {
    timers: Timers<Action>,
    /// While there are timers (I3).
    held: Option<External>,
}

static PENDING: Lock<Pending> = Lock::new(LockRank::Deadline, Pending { timers: Timers::new(), held: None });

/// So many deadlines are taken out under the lock at a time.
const BATCH: usize = 32;
/// When at least so many are due at once nobody gets up for others before [`REST`] has passed, in nanoseconds: getting
/// up takes longer than what most of them are for.
const CROWD: usize = 4;
const REST: u64 = 500_000;

impl Pending {
    /// Tells the lookout what comes first (I2); what nobody waits for any more is dropped after unlocking.
    fn settle(&mut self) -> Option<External> {
        LOOKOUT.set_first(self.timers.first().unwrap_or(NEVER));
        if self.timers.len() == 0 { self.held.take() } else { None }
    }
}

/// Does `action` at `when`, or soon if that has passed. The result is for [`stop`].
pub(crate) fn insert(when: Instant, action: Action) -> TimerId {
    let when = vigil::nanos(when);
    let mut pending = PENDING.lock();
    let id = pending.timers.insert(when, action);
    pending.held.get_or_insert_with(External::begin);
    let sooner = when < LOOKOUT.first();
    if sooner {
        LOOKOUT.set_first(when);
    }
    drop(pending);
    if sooner {
        vigil::tell_sooner(when);
    }
    id
}

/// Takes a deadline back: true if nothing has come of it, and nothing will.
pub(crate) fn stop(id: TimerId) -> bool {
    // The entry is dropped after unlocking: it may own a user's closure.
    let mut pending = PENDING.lock();
    let removed = pending.timers.remove(id);
    let freed = pending.settle();
    drop(pending);
    drop(freed);
    removed.is_some()
}

/// How many deadlines are set.
pub(crate) fn pending() -> usize {
    PENDING.lock().timers.len()
}

/// Carries out what is due. On a worker's root.
pub(super) fn fire(woken: &mut Woken) {
    let now = Instant::now();
    let nanos = vigil::nanos(now);
    let mut due: SmallVec<[Action; BATCH]> = SmallVec::new();
    let mut count = 0;
    while LOOKOUT.first() <= nanos {
        woken.begin();
        // Not all at once: whoever sets a deadline waits for the lock meanwhile.
        let mut pending = PENDING.lock();
        due.extend(core::iter::from_fn(|| pending.timers.pop_due(nanos)).take(BATCH));
        let freed = pending.settle();
        drop(pending);
        drop(freed);
        count += due.len();
        due.drain(..).for_each(|action| match action {
            Action::End(waiter) => {
                if waiter.claim_with(Outcome::TIMED_OUT) {
                    woken.wake(waiter);
                }
            }
            Action::Run(on_time) => on_time.due(now),
        });
    }
    if count >= CROWD {
        LOOKOUT.rest_until(nanos + REST);
    }
}
