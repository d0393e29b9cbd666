//! The dice in a model: every arm comes first in some round of the exploration.
//!
//! Not every permutation: the arms that are looked at before the winner only matter if one of them is ready, and then
//! it would have won. Whatever order lets an arm win at some moment, the arm wins at that moment if it is tried first.

use crate::park::choose;

/// One choice for a whole select, so that how many choices a round makes does not depend on what is ready.
pub(super) struct Dice {
    first: usize,
}

impl Dice {
    pub(super) fn new(arms: usize) -> Self {
        Self { first: choose(arms as u32) as usize }
    }

    /// The chosen arm goes to the front, any other one stays behind those before it.
    pub(super) fn throw(&mut self, arm: usize, faces: u32) -> u32 {
        if arm == self.first { 0 } else { faces - 1 }
    }
}
