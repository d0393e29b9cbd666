//! A small pseudo-random generator for choices that must be even, not secret.

/// xorshift64*, one word of state.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) const fn new(seed: u64) -> Self {
        // A zero state would stay zero; the odd constant spreads small seeds.
        Self((seed ^ 0x9E37_79B9_7F4A_7C15) | 1)
    }

    #[inline]
    pub(crate) fn next(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32
    }

    /// A number below `n`, which is not zero; the bias of the multiplication is below `n / 2^32`.
    #[inline]
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.next()) * u64::from(n)) >> 32) as u32
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Rng;

    #[test]
    fn choices_are_even() {
        // A select that prefers one of its ready arms.
        let mut rng = Rng::new(7);
        for n in 2..6u32 {
            let mut counts = vec![0u32; n as usize];
            for _ in 0..60_000 {
                counts[rng.below(n) as usize] += 1;
            }
            let expected = 60_000.0 / f64::from(n);
            let chi: f64 = counts.iter().map(|c| (f64::from(*c) - expected).powi(2) / expected).sum();
            assert!(chi < 30.0, "n = {n}: chi-square {chi}, counts {counts:?}");
        }
    }
}
