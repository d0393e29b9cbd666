//! The choices that loom does not make: which arm a select tries first.
//!
//! loom branches on schedules and on loads, not on dice. So the exploration is repeated, once for each way in which
//! the dice can fall: a round. Within a round the answer at a *point*, the n-th choice of one goroutine among so many
//! ways, is the same in every execution. It depends on nothing that other goroutines do, as loom's reduction of
//! equivalent schedules demands.
//!
//! # Invariants
//! 1. `points` are in the order in which they were met. A round asks for them in an order that depends on their
//!    answers only, so counting the last one up, and forgetting it when it is through, visits every combination once.

/// The most points at which more than the first way is tried, unless the model says otherwise.
pub(crate) const DEFAULT_LIMIT: usize = 8;

#[derive(Debug, PartialEq, Eq)]
struct Point {
    goroutine: u32,
    nth: u32,
    ways: u32,
    answer: u32,
}

/// See the module's page.
#[derive(Debug)]
pub(crate) struct Choices {
    points: Vec<Point>,
    limit: usize,
    cut: bool,
}

impl Choices {
    pub(crate) fn new(limit: usize) -> Self {
        Self { points: Vec::new(), limit, cut: false }
    }

    /// The answer of this round at the `nth` choice of `goroutine`, which is below `ways`.
    pub(super) fn answer(&mut self, goroutine: u32, nth: u32, ways: u32) -> u32 {
        if ways < 2 {
            return 0;
        }
        if let Some(point) = self.points.iter().find(|p| (p.goroutine, p.nth, p.ways) == (goroutine, nth, ways)) {
            return point.answer;
        }
        if self.points.len() < self.limit {
            self.points.push(Point { goroutine, nth, ways, answer: 0 });
        } else {
            self.cut = true;
        }
        0
    }

    /// Goes on to the next round; false if this one was the last.
    pub(super) fn advance(&mut self) -> bool {
        while let Some(point) = self.points.last_mut() {
            point.answer += 1;
            if point.answer < point.ways {
                return true;
            }
            self.points.pop();
        }
        false
    }

    /// Whether there were more points than the limit, so that some were answered in one way only.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }
}

#[cfg(test)]
mod tests {
    use super::Choices;

    /// One round of a program that chooses as `program` does; what it chose.
    fn rounds(limit: usize, program: impl Fn(&mut dyn FnMut(u32, u32) -> u32)) -> (Vec<Vec<u32>>, bool) {
        let mut choices = Choices::new(limit);
        let mut all = Vec::new();
        loop {
            let mut chosen = Vec::new();
            program(&mut |nth, ways| {
                let answer = choices.answer(0, nth, ways);
                chosen.push(answer);
                answer
            });
            all.push(chosen);
            if !choices.advance() {
                return (all, choices.is_cut());
            }
        }
    }

    #[test]
    fn every_combination_comes_up_once() {
        // A combination that is never tried hides the bug that needs it.
        let (all, cut) = rounds(9, |choose| {
            // What is asked second depends on the first answer.
            if choose(0, 2) == 0 {
                choose(1, 3)
            } else {
                choose(1, 2)
            };
        });
        assert_eq!(all, [vec![0, 0], vec![0, 1], vec![0, 2], vec![1, 0], vec![1, 1]]);
        assert!(!cut);
    }

    #[test]
    fn beyond_the_limit_it_is_always_the_first_way_and_said_so() {
        // An exploration that is not complete and claims to be.
        let (all, cut) = rounds(1, |choose| {
            choose(0, 2);
            choose(1, 2);
        });
        assert_eq!(all, [[0, 0], [1, 0]]);
        assert!(cut);
    }
}
