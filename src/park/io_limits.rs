//! How long operations on a descriptor may wait, in one direction.
//!
//! # Locking
//! `limits`: its lock (rank Leaf). `any` is written under it; who reads it without has looked at the word of the
//! descriptor first, which every change stirs afterwards.

use crate::primitives::atomic::{AtomicBool, Ordering};
use crate::primitives::{Lock, LockRank};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, Default)]
struct Limits {
    /// For each operation, from its beginning: `std`'s timeout.
    each: Option<Duration>,
    /// For all operations together: Go's deadline.
    all: Option<Instant>,
}

/// See the module's page.
#[derive(Debug)]
pub(super) struct IoLimits {
    any: AtomicBool,
    limits: Lock<Limits>,
}

impl IoLimits {
    pub(super) fn new() -> Self {
        Self { any: AtomicBool::new(false), limits: Lock::new(LockRank::Leaf, Limits::default()) }
    }

    fn change(&self, change: impl FnOnce(&mut Limits)) {
        let mut limits = self.limits.lock();
        change(&mut limits);
        // ORDERING: Relaxed; the event that the caller counts next publishes it (readiness, `look`).
        self.any.store(limits.each.is_some() || limits.all.is_some(), Ordering::Relaxed);
    }

    pub(super) fn set_timeout(&self, timeout: Option<Duration>) {
        self.change(|limits| limits.each = timeout);
    }

    pub(super) fn set_deadline(&self, deadline: Option<Instant>) {
        self.change(|limits| limits.all = deadline);
    }

    pub(super) fn timeout(&self) -> Option<Duration> {
        self.limits.lock().each
    }

    /// The instant at which an operation gives up that began to wait at `since`, or has not begun to.
    #[inline]
    pub(super) fn end(&self, since: Option<Instant>) -> Option<Instant> {
        // ORDERING: Relaxed; ordered by the look at the descriptor's word.
        if self.any.load(Ordering::Relaxed) { self.end_limited(since) } else { None }
    }

    #[cold]
    fn end_limited(&self, since: Option<Instant>) -> Option<Instant> {
        let limits = *self.limits.lock();
        // A timeout that the clock can't count to is none.
        let each = since.zip(limits.each).and_then(|(since, each)| since.checked_add(each));
        match (each, limits.all) {
            (Some(each), Some(all)) => Some(each.min(all)),
            (each, all) => each.or(all),
        }
    }
}
