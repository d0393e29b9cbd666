//! How long a waiter lets others overtake: the body of models, in which there is no time. A waiter that has lost is at
//! the end of its patience; whether it still is when it is served, and so keeps the starving mode up, is the model's
//! choice: both are explored.

use core::cell::Cell;
use core::ops::Range;

std::thread_local! {
    /// The models of one test, all their threads included, run on one OS thread.
    static STAYS_OVER: Cell<bool> = const { Cell::new(false) };
}

/// Chooses for the models of the calling test.
#[cfg(test)]
pub(super) fn set_stays_over(choice: bool) {
    STAYS_OVER.set(choice);
}

/// A model need not spin: every interleaving in which the lock is free at the first look is explored anyway.
pub(super) const SPINS: Range<u32> = 0..0;

/// The patience of one waiter.
#[derive(Debug)]
pub(super) struct Patience {
    asked: bool,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self { asked: false }
    }

    /// Whether the waiter has waited long enough to be served next.
    pub(super) fn is_over(&mut self) -> bool {
        let first = !self.asked;
        self.asked = true;
        first || STAYS_OVER.get()
    }
}

/// Never called, as nobody spins.
pub(super) fn pause() {
    crate::primitives::hint::spin_loop();
}
