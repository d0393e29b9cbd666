//! Which arm of a select comes first: as written, or any, each as likely as any other.

#[cfg_attr(not(loom), path = "dice/thrown.rs")]
#[cfg_attr(loom, path = "dice/explored.rs")]
mod dice;

use dice::Dice;
use smallvec::SmallVec;

pub(super) struct Order {
    /// `None`: as written.
    dice: Option<Dice>,
}

impl Order {
    #[inline]
    pub(super) fn new(arms: usize, biased: bool) -> Self {
        Self { dice: (!biased && arms > 1).then(|| Dice::new(arms)) }
    }

    /// One of `arms`, which come as they are written.
    #[inline]
    pub(super) fn pick(&mut self, arms: impl Iterator<Item = usize>) -> Option<usize> {
        let mut picked = None;
        let mut faces = 0;
        for arm in arms {
            faces += 1;
            // Each takes the place of the one before with a chance of one in so many as came.
            let first = match &mut self.dice {
                Some(dice) => faces == 1 || dice.throw(arm, faces) == 0,
                None => faces == 1,
            };
            if first {
                picked = Some(arm);
            }
        }
        picked
    }

    /// All arms of a select that has `arms` of them, the first to be tried first.
    pub(super) fn of_all<const INLINE: usize>(&mut self, arms: usize) -> SmallVec<[u32; INLINE]> {
        let mut order = SmallVec::with_capacity(arms);
        for arm in 0..arms {
            order.push(arm as u32);
            // The inside-out shuffle: each takes a random place among those before it and its own.
            if let Some(dice) = &mut self.dice {
                order.swap(dice.throw(arm, arm as u32 + 1) as usize, arm);
            }
        }
        order
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Order;
    use std::collections::HashMap;

    fn shuffle(arms: usize) -> Vec<u32> {
        Order::new(arms, false).of_all::<8>(arms).into_vec()
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
        // An arm lost or doubled, or one that stands at an end more often than another.
        for arms in [8, 16, 17, 40] {
            let mut first = vec![0f64; arms];
            let mut last = vec![0f64; arms];
            for _ in 0..1000 * arms {
                let mut order = shuffle(arms);
                first[order[0] as usize] += 1.0;
                last[order[arms - 1] as usize] += 1.0;
                order.sort_unstable();
                assert!(order.into_iter().eq(0..arms as u32));
            }
            for counts in [first, last] {
                assert_even(arms, &counts);
            }
        }
    }

    #[test]
    fn picks_are_even_among_those_that_are_ready() {
        // An arm that is picked more often because of where it stands, or of who is not ready.
        for ready in [vec![0usize, 1], vec![1, 5], vec![0, 3, 4], (0..17).collect()] {
            let mut counts = vec![0f64; ready.len()];
            for _ in 0..1000 * ready.len() {
                let arm = Order::new(20, false).pick(ready.iter().copied()).unwrap();
                counts[ready.iter().position(|r| *r == arm).unwrap()] += 1.0;
            }
            assert_even(ready.len(), &counts);
        }
        assert_eq!(Order::new(20, false).pick([].into_iter()), None);
        assert_eq!(Order::new(20, true).pick([3, 4, 9].into_iter()), Some(3));
    }

    /// `counts` of something that was to come about a thousand times each.
    fn assert_even(arms: usize, counts: &[f64]) {
        let chi: f64 = counts.iter().map(|c| (c - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi < 2.0 * arms as f64 + 40.0, "{arms} arms: chi-square {chi}: {counts:?}");
    }
}
