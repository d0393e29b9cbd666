//! What is to happen at an instant, a number of nanoseconds: a heap that hands back what is due, and from which any
//! entry can be taken out.
//!
//! A 4-ary heap of small keys over a slab of entries. A removal empties the entry's slot and leaves the key where it
//! stands, so that nothing has to know where a key is and moving keys touches the heap only; dead keys are swept out
//! when they are the greater part. Entries due at the same instant come out in the order of their insertion.
//!
//! # Invariants
//! 1. Each occupied slot has one key in the heap, with its number. A key whose number is not its slot's is dead, and
//!    `dead` counts those.
//! 2. No key is less than its parent's; the first key is alive.
//! 3. A number is given out once, so a handle of an entry that is gone finds nothing.
//! 4. Dead keys are at most as many as living ones, and [`FEW`].

const CHILDREN: usize = 4;
/// Not worth a sweep, nor worth giving back.
const FEW: usize = 1024;

/// Names an entry, for its removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerId {
    number: u64,
    slot: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    when: u64,
    /// The order of insertion.
    number: u64,
    slot: u32,
}

struct Slot<T> {
    number: u64,
    entry: Option<T>,
}

/// See the module's page.
pub(crate) struct Timers<T> {
    heap: Vec<Key>,
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    dead: usize,
    inserted: u64,
}

impl<T> Timers<T> {
    pub(crate) const fn new() -> Self {
        Self { heap: Vec::new(), slots: Vec::new(), free: Vec::new(), dead: 0, inserted: 0 }
    }

    /// The instant of the first entry.
    pub(crate) fn first(&self) -> Option<u64> {
        self.heap.first().map(|key| key.when)
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.heap.len() - self.dead
    }

    /// Enters `entry` for `when`.
    pub(crate) fn insert(&mut self, when: u64, entry: T) -> TimerId {
        let number = self.inserted;
        self.inserted += 1;
        let filled = Slot { number, entry: Some(entry) };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = filled;
                slot
            }
            None => {
                self.slots.push(filled);
                (self.slots.len() - 1) as u32
            }
        };
        self.heap.push(Key { when, number, slot });
        self.rise(self.heap.len() - 1);
        TimerId { number, slot }
    }

    /// Takes an entry out, if it is still there.
    pub(crate) fn remove(&mut self, id: TimerId) -> Option<T> {
        let entry = self.slots.get_mut(id.slot as usize).filter(|slot| slot.number == id.number)?.entry.take()?;
        self.free.push(id.slot);
        self.dead += 1;
        self.bury_first();
        if self.dead > FEW.max(self.len()) {
            self.sweep();
        }
        Some(entry)
    }

    /// Takes the first entry out if it is due at `now`.
    pub(crate) fn pop_due(&mut self, now: u64) -> Option<T> {
        let first = *self.heap.first()?;
        if first.when > now {
            return None;
        }
        let entry = self.slots[first.slot as usize].entry.take();
        self.free.push(first.slot);
        self.take_first();
        self.bury_first();
        entry
    }

    fn is_alive(&self, key: &Key) -> bool {
        let slot = &self.slots[key.slot as usize];
        slot.number == key.number && slot.entry.is_some()
    }

    /// Takes dead keys off the top (I2); gives memory back where none is left.
    fn bury_first(&mut self) {
        while self.heap.first().is_some_and(|key| !self.is_alive(key)) {
            self.dead -= 1;
            self.take_first();
        }
        if self.heap.is_empty() && self.slots.len() > FEW {
            // A crowd has gone, and its memory with it.
            (self.heap, self.slots, self.free) = (Vec::new(), Vec::new(), Vec::new());
        }
    }

    /// Takes all dead keys out (I4).
    #[cold]
    fn sweep(&mut self) {
        let mut keys = std::mem::take(&mut self.heap);
        keys.retain(|key| self.is_alive(key));
        // Sorted is a heap, too.
        keys.sort_unstable();
        keys.shrink_to(2 * keys.len() + FEW);
        (self.heap, self.dead) = (keys, 0);
    }

    fn take_first(&mut self) {
        self.heap.swap_remove(0);
        if !self.heap.is_empty() {
            self.sink(0);
        }
    }

    /// Moves the key at `place` up to where it belongs.
    fn rise(&mut self, mut place: usize) {
        let key = self.heap[place];
        while place > 0 {
            let parent = (place - 1) / CHILDREN;
            if self.heap[parent] <= key {
                break;
            }
            self.heap[place] = self.heap[parent];
            place = parent;
        }
        self.heap[place] = key;
    }

    /// Moves the key at `place` down to where it belongs.
    fn sink(&mut self, mut place: usize) {
        let key = self.heap[place];
        loop {
            let first = place * CHILDREN + 1;
            let children = first..(first + CHILDREN).min(self.heap.len());
            let Some(least) = children.min_by_key(|&child| self.heap[child]) else { break };
            if key <= self.heap[least] {
                break;
            }
            self.heap[place] = self.heap[least];
            place = least;
        }
        self.heap[place] = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::rand::Rng;
    use std::collections::BTreeMap;

    /// An executable specification: entries in the order of (instant, number).
    #[derive(Default)]
    struct Naive(BTreeMap<(u64, u64), u64>);

    #[test]
    fn it_does_what_a_sorted_map_does() {
        // An entry lost, given out early, twice, in the wrong order, or taken out in place of another one.
        let start = 1_000;
        for seed in 1..=20 {
            let mut rng = Rng::new(seed);
            let (mut timers, mut naive) = (Timers::new(), Naive::default());
            let mut ids = Vec::new();
            for number in 0..3_000u64 {
                let at = start + u64::from(rng.below(500));
                match rng.below(4) {
                    0 | 1 => {
                        ids.push((timers.insert(at, number), at, number));
                        naive.0.insert((at, number), number);
                    }
                    2 if !ids.is_empty() => {
                        // Often one that has gone already.
                        let (id, at, number) = ids[rng.below(ids.len() as u32) as usize];
                        assert_eq!(timers.remove(id), naive.0.remove(&(at, number)), "seed {seed}");
                    }
                    _ => {
                        let due = naive.0.first_entry().filter(|first| first.key().0 <= at).map(|first| first.remove());
                        assert_eq!(timers.pop_due(at), due, "seed {seed}");
                    }
                }
                assert_eq!(timers.len(), naive.0.len());
                assert_eq!(timers.first(), naive.0.first_key_value().map(|(key, _)| key.0));
            }
        }
    }

    #[test]
    fn b16_a_handle_of_an_entry_that_is_gone_finds_nothing() {
        // `stop` of a timer that has fired takes out whichever entry has its slot now.
        let now = 1;
        let mut timers = Timers::new();
        let old = timers.insert(now, 1);
        assert_eq!(timers.pop_due(now), Some(1));
        let new = timers.insert(now, 2);
        assert_eq!(timers.remove(old), None);
        assert_eq!(timers.remove(new), Some(2));
        assert_eq!(timers.remove(new), None);
    }

    #[test]
    fn b18_a_crowd_leaves_no_memory_behind() {
        // A burst of a million sleepers costs its memory for ever.
        let now = 1;
        let mut timers = Timers::new();
        let first = timers.insert(now, 0);
        for n in 1..10 * FEW {
            timers.insert(now, n);
        }
        (0..10 * FEW).for_each(|n| assert_eq!(timers.pop_due(now), Some(n)));
        assert_eq!(timers.slots.capacity() + timers.heap.capacity() + timers.free.capacity(), 0);
        timers.insert(now, 7);
        assert_eq!(timers.remove(first), None);
    }

    #[test]
    fn b18_what_is_stopped_does_not_pile_up() {
        // A timeout that is set and stopped in each round of a loop, under one that stays: its key was never taken out.
        let now = 1;
        let mut timers = Timers::new();
        timers.insert(now, 0);
        for n in 0..100 * FEW {
            let id = timers.insert(now + 1, n);
            assert_eq!(timers.remove(id), Some(n));
            assert!(timers.heap.len() <= 2 * FEW && timers.slots.len() <= 2);
        }
        assert_eq!(timers.len(), 1);
    }
}
