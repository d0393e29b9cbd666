//! The poison flag of a lock: set by a guard whose owner panicked, as std's.
//!
//! # Invariants
//! 1. The flag is read and written by holders of the lock, which orders them; `is_poisoned` alone looks from
//!    outside, and its answer may be old the moment it is given.

use super::{LockResult, PoisonError};
use crate::primitives::atomic::{AtomicBool, Ordering};
use std::thread::panicking;

/// See the module's page.
#[derive(Debug)]
pub(super) struct Flag(AtomicBool);

/// What a guard remembers: whether its thread was unwinding when it was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Witness {
    panicking: bool,
}

impl Flag {
    const_unless_loom! {
        pub(super) const fn new() -> Self {
            Self(AtomicBool::new(false))
        }
    }

    /// Called by a new holder.
    #[inline]
    pub(super) fn witness(&self) -> Witness {
        Witness { panicking: panicking() }
    }

    /// Called by a holder who may have changed the value, before it unlocks.
    #[inline]
    pub(super) fn settle(&self, witness: Witness) {
        if !witness.panicking && panicking() {
            // ORDERING: Relaxed; the unlock that follows publishes it to the next holder (I1).
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(super) fn get(&self) -> bool {
        // ORDERING: Relaxed; the lock orders holders (I1).
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn clear(&self) {
        // ORDERING: Relaxed; the lock orders holders (I1).
        self.0.store(false, Ordering::Relaxed);
    }

    /// `value`, as an error if the flag is set.
    #[inline]
    pub(super) fn wrap<V>(&self, value: V) -> LockResult<V> {
        if self.get() { Err(PoisonError::new(value)) } else { Ok(value) }
    }
}
