//! How long a waiter lets others overtake: the body of models, in which there is no time. The answers alternate,
//! so that both modes, and the ways between them, are within reach of a short model.

/// A model need not spin: every interleaving in which the lock is free at the first look is explored anyway.
pub(super) const SPINS: u32 = 0;

/// The patience of one waiter.
#[derive(Debug)]
pub(super) struct Patience(bool);

impl Patience {
    pub(super) fn new() -> Self {
        Self(false)
    }

    /// Whether the waiter has waited long enough to be served next: yes, no, yes, ...
    pub(super) fn is_over(&mut self) -> bool {
        self.0 = !self.0;
        self.0
    }
}

/// Never called, as nobody spins.
pub(super) fn pause() {
    crate::primitives::hint::spin_loop();
}
