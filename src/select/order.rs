//! In which order the arms of a select are tried: as written, or a permutation, each as likely as any other.

#[cfg_attr(not(loom), path = "digits/drawn.rs")]
#[cfg_attr(loom, path = "digits/explored.rs")]
mod digits;

use crate::park::Outcome;
use digits::Digits;

pub(super) enum Order {
    AsWritten,
    /// Up to sixteen arms: four bits each, the first to be tried lowest.
    Packed(u64),
    Many(Vec<u32>),
}

const PACKED: usize = 16;

impl Order {
    #[inline]
    pub(super) fn new(arms: usize, biased: bool) -> Self {
        match arms {
            _ if biased => Self::AsWritten,
            0..=1 => Self::AsWritten,
            2..=PACKED => Self::Packed(shuffle_packed(arms as u32)),
            _ => Self::Many(shuffle_many(arms)),
        }
    }

    /// The arm to be tried after `at` others.
    #[inline]
    pub(super) fn arm(&self, at: usize) -> usize {
        match self {
            Self::AsWritten => at,
            Self::Packed(order) => (order >> (4 * at)) as usize & 15,
            Self::Many(order) => order[at] as usize,
        }
    }
}

/// The inside-out shuffle: each arm takes a random place among those before it and its own, and who was there moves to
/// the end.
fn shuffle_packed(arms: u32) -> u64 {
    let mut order = 0u64;
    let mut digits = Digits::new(arms);
    for arm in 1..arms {
        let place = 4 * digits.below(arm + 1);
        // An arm that stays at the end displaces nobody: nothing stands there yet, which reads as zero.
        let displaced = (order >> place) & 15;
        order &= !(15 << place);
        order |= displaced << (4 * arm);
        order |= u64::from(arm) << place;
    }
    order
}

#[cold]
fn shuffle_many(arms: usize) -> Vec<u32> {
    assert!(arms < Outcome::MAX_ARMS as usize, "select: too many arms");
    let mut order = Vec::with_capacity(arms);
    let mut digits = Digits::new(arms as u32);
    for arm in 0..arms as u32 {
        let place = digits.below(arm + 1) as usize;
        order.push(arm);
        order.swap(place, arm as usize);
    }
    order
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Order;
    use std::collections::HashMap;

    fn shuffle(arms: usize) -> Vec<usize> {
        let order = Order::new(arms, false);
        (0..arms).map(|at| order.arm(at)).collect()
    }

    #[test]
    fn permutations_are_even() {
        // An arm that tends to be tried before another.
        for arms in [2usize, 3, 4] {
            let ways: usize = (1..=arms).product();
            let rounds = 4000 * ways;
            let mut counts = HashMap::new();
            for _ in 0..rounds {
                *counts.entry(shuffle(arms)).or_insert(0u32) += 1;
            }
            assert_eq!(counts.len(), ways, "{arms} arms: some order never comes up");
            let chi: f64 = counts.values().map(|c| (f64::from(*c) - 4000.0).powi(2) / 4000.0).sum();
            assert!(chi < 3.0 * ways as f64 + 25.0, "{arms} arms: chi-square {chi}, {counts:?}");
        }
    }

    #[test]
    fn long_shuffles_are_even_at_both_ends() {
        // Digits used up after some arms: the later ones would not be mixed. An arm lost or doubled.
        for arms in [8, 16, 17, 40] {
            let mut first = vec![0f64; arms];
            let mut last = vec![0f64; arms];
            for _ in 0..1000 * arms {
                let mut order = shuffle(arms);
                first[order[0]] += 1.0;
                last[order[arms - 1]] += 1.0;
                order.sort_unstable();
                assert!(order.into_iter().eq(0..arms));
            }
            for counts in [first, last] {
                let chi: f64 = counts.iter().map(|c| (c - 1000.0).powi(2) / 1000.0).sum();
                assert!(chi < 2.0 * arms as f64 + 40.0, "{arms} arms: chi-square {chi}: {counts:?}");
            }
        }
    }
}
