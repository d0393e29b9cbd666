//! The digits of a shuffle in a model: every arm comes first in some round of the exploration.
//!
//! Not every permutation: the arms that are looked at before the winner only matter if one of them is ready, and then
//! it would have won. Whatever order lets an arm win at some moment, the arm wins at that moment if it is tried first.

use crate::park::choose;

/// The digits that move one arm to the front.
pub(super) struct Digits {
    first: u32,
}

impl Digits {
    pub(super) fn new(arms: u32) -> Self {
        Self { first: choose(arms) }
    }

    /// Arm `n - 1` goes to the front if it is the chosen one, and otherwise stays behind those before it.
    pub(super) fn below(&mut self, n: u32) -> u32 {
        if n - 1 == self.first { 0 } else { n - 1 }
    }
}
