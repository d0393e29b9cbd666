//! The digits of a shuffle: drawn at random.

use crate::park::rand_below;

/// Small random numbers, several from one draw: a draw is read as a fraction, in digits of changing base.
pub(super) struct Digits {
    fraction: u32,
    /// How many ways the digits taken so far could have come out; what is left is even to `ways` in 2^32.
    ways: u32,
}

impl Digits {
    const MAX_WAYS: u32 = 1 << 16;

    pub(super) fn new(_arms: u32) -> Self {
        Self { fraction: 0, ways: Self::MAX_WAYS }
    }

    /// A number below `n`, evenly distributed.
    #[inline]
    pub(super) fn below(&mut self, n: u32) -> u32 {
        self.ways = self.ways.saturating_mul(n);
        if self.ways > Self::MAX_WAYS {
            self.fraction = rand_below(u32::MAX);
            self.ways = n;
        }
        let wide = u64::from(self.fraction) * u64::from(n);
        self.fraction = wide as u32;
        (wide >> 32) as u32
    }
}
