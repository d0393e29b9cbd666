//! A count that tells whether it stood still between two readings.
//!
//! # Invariants
//! 1. The low half of the word is the count, the high half how often it changed (wrapping): two equal readings mean
//!    that nothing was added or taken in between. (For a wrap-around it would have to change four billion times.)

use super::atomic::{AtomicU64, Ordering};

const CHANGE: u64 = 1 << 32;

/// See the module's page.
#[derive(Debug)]
pub(crate) struct Tally(AtomicU64);

/// What was read of a [`Tally`], change counter included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading(u64);

impl Reading {
    pub(crate) fn count(self) -> u32 {
        self.0 as u32
    }
}

impl Tally {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    #[cfg(loom)]
    #[allow(dead_code, reason = "its models are those of who counts")]
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn add(&self) {
        // ORDERING: SeqCst; readings are compared with those of other words, in the order of `sched::quiescence`.
        self.0.fetch_add(CHANGE + 1, Ordering::SeqCst);
    }

    /// Takes one away, which was added; returns how many are left.
    pub(crate) fn take(&self) -> u32 {
        // ORDERING: SeqCst; as in `add`.
        let before = self.0.fetch_add(CHANGE - 1, Ordering::SeqCst);
        debug_assert!(before as u32 != 0, "runtime bug: a tally below zero");
        before as u32 - 1
    }

    pub(crate) fn read(&self) -> Reading {
        // ORDERING: SeqCst; as in `add`.
        Reading(self.0.load(Ordering::SeqCst))
    }
}
