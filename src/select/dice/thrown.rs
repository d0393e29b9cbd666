//! The dice: thrown at random.

use crate::park::rand_below;

pub(super) struct Dice;

impl Dice {
    #[inline]
    pub(super) fn new(_arms: usize) -> Self {
        Self
    }

    /// A number below `faces`, evenly distributed.
    #[inline]
    pub(super) fn throw(&mut self, _arm: usize, faces: u32) -> u32 {
        rand_below(faces)
    }
}
