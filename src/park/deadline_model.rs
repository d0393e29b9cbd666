//! Deadlines in a model: a set of them without a clock. The model says when it is what time, and who finds that out.
//!
//! # Invariants
//! 1. As in `deadline.rs`: an entry is in the set until it is stopped or taken as due; only one of the two removes it.
//!
//! # Locking
//! `PENDING`: guarded by its lock. Entries are run after unlocking.

use crate::primitives::sync::Arc;
use crate::primitives::{Lock, LockRank, lazy_static, sequence};
use std::collections::BTreeMap;
use std::time::Instant;

/// What a due deadline does.
pub(crate) trait OnTime: Send + Sync {
    fn due(&self, now: Instant);
}

type Key = (Instant, u64);
type Action = Box<dyn FnOnce(Instant) + Send>;

lazy_static! {
    static ref PENDING: Lock<BTreeMap<Key, Action>> = Lock::new(LockRank::Deadline, BTreeMap::new());
}

/// A started deadline, to be stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimerHandle(Key);

impl TimerHandle {
    /// Takes the deadline back: true if it has not fired and will not.
    pub(crate) fn stop(&self) -> bool {
        let removed = PENDING.lock().remove(&self.0);
        removed.is_some()
    }
}

/// Runs `action` when somebody says that it is `when`.
pub(crate) fn start<T: OnTime + 'static>(when: Instant, action: Arc<T>) -> TimerHandle {
    let key = (when, sequence());
    PENDING.lock().insert(key, Box::new(move |now| action.due(now)));
    TimerHandle(key)
}

/// What whoever looks at the clock does at `now`.
pub(crate) fn it_is(now: Instant) {
    loop {
        let mut pending = PENDING.lock();
        let due = pending.first_entry().filter(|entry| entry.key().0 <= now).map(|entry| entry.remove());
        drop(pending);
        let Some(action) = due else { return };
        action(now);
    }
}

/// How many deadlines have neither been stopped nor taken as due.
pub(crate) fn pending() -> usize {
    PENDING.lock().len()
}
