//! How long a waiter lets others overtake: the body of real programs, one millisecond.

use crate::primitives::hint;
use core::ops::Range;
use std::time::{Duration, Instant};

/// How often a contender looks before it queues: a critical section is often shorter than a park and a wake.
pub(super) const SPINS: Range<u32> = 0..4;

/// Go's `starvationThresholdNs`.
const LIMIT: Duration = Duration::from_millis(1);

/// The patience of one waiter, counted from its first attempt.
#[derive(Debug)]
pub(super) struct Patience(Instant);

impl Patience {
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }

    /// Whether the waiter has waited long enough to be served next.
    pub(super) fn is_over(&mut self) -> bool {
        self.0.elapsed() >= LIMIT
    }
}

/// A moment without touching the lock's line: who holds it goes on undisturbed.
pub(super) fn pause() {
    for _ in 0..30 {
        hint::spin_loop();
    }
}
