//! What is idle and holds memory beyond what is to be kept: used again, or given back when it has lain here for a while.
//!
//! # Invariants
//! 1. `low` is at most the number of items at any time since `since`: so many were not needed in all that time.
//! 2. `due` is at most the number of items.

/// How many are given back at a time: 0.1 ms, in which whoever does it serves nobody.
const SLICE: usize = 256;
/// What was not needed for so long is given back, also while nobody idles.
const PERIOD_MILLIS: u64 = 1000;

/// See the module's page.
pub(super) struct Surplus<T> {
    items: Vec<T>,
    low: usize,
    since: u64,
    due: usize,
}

impl<T> Surplus<T> {
    pub(super) const fn new() -> Self {
        Self { items: Vec::new(), low: 0, since: 0, due: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn put(&mut self, mut more: Vec<T>) {
        self.items.append(&mut more);
    }

    /// Up to `count` of those that came last, to be used again.
    pub(super) fn take(&mut self, count: usize) -> Vec<T> {
        let taken = self.items.split_off(self.items.len().saturating_sub(count));
        self.low = self.low.min(self.items.len());
        self.due = self.due.min(self.items.len());
        taken
    }

    /// A slice to be given back, whether or not anybody may need it soon.
    pub(super) fn slice(&mut self) -> Vec<T> {
        self.take(SLICE)
    }

    /// A slice of those that nobody needed for a whole period before `now`, if there are any.
    pub(super) fn stale(&mut self, now: u64) -> Vec<T> {
        if now.saturating_sub(self.since) >= PERIOD_MILLIS {
            self.due = self.low;
            self.low = self.items.len();
            self.since = now;
        }
        let count = self.due.min(SLICE);
        self.due -= count;
        self.take(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: u64 = PERIOD_MILLIS;

    #[test]
    fn what_is_used_again_stays() {
        // A burst each half second that pays for its memory anew each time.
        let mut surplus = Surplus::new();
        for round in 0..10 {
            surplus.put((0..1000).collect());
            assert_eq!(surplus.stale(round * LATER / 2), []);
            assert_eq!(surplus.take(1000).len(), 1000);
        }
    }

    #[test]
    fn what_nobody_needs_goes_slice_by_slice() {
        // A program that never idles keeps the memory of its one burst for ever; or one goroutine's end pays for all.
        let mut surplus = Surplus::new();
        surplus.put((0..1000).collect());
        assert_eq!(surplus.stale(LATER), [], "given a moment ago");
        assert_eq!(surplus.take(100).len(), 100);
        surplus.put((0..200).collect());
        let mut gone = 0;
        for _ in 0..10 {
            let slice = surplus.stale(2 * LATER);
            assert!(slice.len() <= SLICE);
            gone += slice.len();
        }
        assert_eq!(gone, 900, "those that lay there all the time");
        assert_eq!(surplus.stale(3 * LATER).len(), 200);
        assert!(surplus.is_empty());
    }

    #[test]
    fn who_idles_gives_all_back() {
        // A process that sleeps after a burst, and holds its memory.
        let mut surplus = Surplus::new();
        surplus.put((0..1000).collect());
        assert_eq!(std::iter::from_fn(|| Some(surplus.slice()).filter(|s| !s.is_empty())).flatten().count(), 1000);
        assert!(surplus.is_empty());
    }
}
