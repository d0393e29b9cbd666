//! A processor's run queue: a fixed ring with one producer, who also consumes, and many thieves.
//!
//! # Invariants
//! 1. Items stand in slots `head..tail` (wrapping). Only the owner moves `tail`; `head` moves by compare-and-swap,
//!    by the owner or a thief, and whoever moved it owns the items it passed.
//! 2. The owner writes slot `tail` only while `tail - head < CAPACITY`; a thief copies slots before it moves
//!    `head`, and uses the copies only if that succeeds: so it never uses a slot that was written over.

use crate::primitives::atomic::{AtomicPtr, AtomicU32, Ordering};
use crate::primitives::hint;
use core::ptr::{self, NonNull};
use crossbeam_utils::CachePadded;

/// How many items a ring holds.
#[cfg(not(loom))]
pub(crate) const CAPACITY: usize = 256;
/// Small enough for a model to fill.
#[cfg(loom)]
pub(crate) const CAPACITY: usize = 4;

/// From so many items on it is likely that what comes next has left the caches.
#[allow(dead_code, reason = "nothing is far away in models and fuzzers")]
const LONG: u32 = 8;

/// See the module's page.
#[derive(Debug)]
pub(crate) struct LocalQueue<T> {
    head: CachePadded<AtomicU32>,
    tail: CachePadded<AtomicU32>,
    slots: Box<[AtomicPtr<T>]>,
}

impl<T> LocalQueue<T> {
    pub(crate) fn new() -> Self {
        Self {
            head: CachePadded::new(AtomicU32::new(0)),
            tail: CachePadded::new(AtomicU32::new(0)),
            slots: (0..CAPACITY).map(|_| AtomicPtr::new(ptr::null_mut())).collect(),
        }
    }

    #[inline]
    fn slot(&self, index: u32) -> &AtomicPtr<T> {
        &self.slots[index as usize % CAPACITY]
    }

    /// Whether the ring looked empty; exact for the owner, a hint for others.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // ORDERING: Relaxed; the idle protocol's fences F1 and F2 order this look for thieves.
        self.head.load(Ordering::Relaxed) == self.tail.load(Ordering::Relaxed)
    }

    /// Whether all that the ring holds now is taken within so many looks. Any thread; what is appended meanwhile does not
    /// count. `pause` is called before each look but the first.
    #[allow(dead_code, reason = "a thief's: neither models nor fuzzers have one")]
    pub(crate) fn drains(&self, looks: u32, pause: impl Fn()) -> bool {
        // ORDERING: Relaxed; as in `is_empty`. The tail first: the head may pass it, and never falls behind.
        let tail = self.tail.load(Ordering::Relaxed);
        // ORDERING: Relaxed; a head that is seen late is one look more.
        let is_past = || self.head.load(Ordering::Relaxed).wrapping_sub(tail) <= u32::MAX / 2;
        let look_again = |_| {
            pause();
            is_past()
        };
        is_past() || (1..looks).any(look_again)
    }

    /// How many items the ring seemed to hold; a hint.
    #[allow(dead_code, reason = "for metrics: neither models nor fuzzers count")]
    pub(crate) fn len(&self) -> usize {
        // ORDERING: Relaxed, both; a statistic. Head first: so it is never past the tail.
        let head = self.head.load(Ordering::Relaxed);
        (self.tail.load(Ordering::Relaxed).wrapping_sub(head) as usize).min(CAPACITY)
    }

    /// Appends `item`; if the ring is full, first moves its older half out through `spill`. Owner only.
    #[inline]
    pub(crate) fn push(&self, item: NonNull<T>, spill: impl FnMut(NonNull<T>)) {
        self.push_or(item, |half| half.for_each(spill));
    }

    /// As [`push`](Self::push); `spill` gets all that is moved out at once.
    #[inline]
    pub(crate) fn push_or(&self, item: NonNull<T>, spill: impl FnOnce(&mut dyn Iterator<Item = NonNull<T>>)) {
        // ORDERING: Relaxed; only the owner, us, moves the tail (I1).
        let tail = self.tail.load(Ordering::Relaxed);
        // ORDERING: Acquire pairs with the Release of a thief's swap of `head`: its copies are done (I2).
        let head = self.head.load(Ordering::Acquire);
        if tail.wrapping_sub(head) as usize >= CAPACITY {
            self.spill_half(head, spill);
        }
        self.put(tail, item);
    }

    #[inline]
    fn put(&self, tail: u32, item: NonNull<T>) {
        // ORDERING: Relaxed; the tail publishes the slot.
        self.slot(tail).store(item.as_ptr(), Ordering::Relaxed);
        // ORDERING: Release publishes the slot and the item; pairs with Acquire in `steal_into`.
        self.tail.store(tail.wrapping_add(1), Ordering::Release);
    }

    #[cold]
    fn spill_half(&self, head: u32, spill: impl FnOnce(&mut dyn Iterator<Item = NonNull<T>>)) {
        let mut taken = [ptr::null_mut(); CAPACITY / 2];
        for (i, t) in taken.iter_mut().enumerate() {
            // ORDERING: Relaxed; we wrote the slots ourselves.
            *t = self.slot(head.wrapping_add(i as u32)).load(Ordering::Relaxed);
        }
        let next = head.wrapping_add(taken.len() as u32);
        // ORDERING: Release keeps our copies before the move; pairs with the Acquire loads of `head` (I2).
        // If a thief was quicker, there is room now.
        if self.head.compare_exchange(head, next, Ordering::Release, Ordering::Relaxed).is_ok() {
            spill(&mut taken.into_iter().filter_map(NonNull::new));
        }
    }

    /// Takes the oldest item. Owner only.
    #[inline]
    pub(crate) fn pop(&self) -> Option<NonNull<T>> {
        // ORDERING: Relaxed; only the owner, us, moves the tail and writes slots (I1).
        let tail = self.tail.load(Ordering::Relaxed);
        let mut head = self.head.load(Ordering::Relaxed);
        while head != tail {
            // ORDERING: Relaxed; we wrote the slot ourselves.
            let item = self.slot(head).load(Ordering::Relaxed);
            // ORDERING: Relaxed; we give no slot to anybody else: `push` acquires what thieves released.
            match self.head.compare_exchange_weak(head, head.wrapping_add(1), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return NonNull::new(item),
                Err(now) => head = now,
            }
        }
        None
    }

    /// The item that comes `after` the oldest, if the ring is long. Owner only; a thief may take it at any time.
    #[inline]
    #[allow(dead_code, reason = "nothing is far away in models and fuzzers")]
    pub(crate) fn look_ahead(&self, after: u32) -> Option<NonNull<T>> {
        // ORDERING: Relaxed, all; we wrote the tail and the slots ourselves, and an old head shows what has left.
        let head = self.head.load(Ordering::Relaxed);
        if self.tail.load(Ordering::Relaxed).wrapping_sub(head) < LONG {
            return None;
        }
        NonNull::new(self.slot(head.wrapping_add(after)).load(Ordering::Relaxed))
    }

    /// Moves half of this ring, rounded up, to `into`, which is the caller's own, and empty; returns one item to
    /// run. Any thread.
    pub(crate) fn steal_into(&self, into: &LocalQueue<T>) -> Option<NonNull<T>> {
        loop {
            // ORDERING: Acquire pairs with the Release of other thieves and the owner's spill.
            let head = self.head.load(Ordering::Acquire);
            // ORDERING: Acquire pairs with the Release in `put`: slots and items below `tail` are visible.
            let tail = self.tail.load(Ordering::Acquire);
            let available = tail.wrapping_sub(head);
            let count = available - available / 2;
            if count == 0 {
                return None;
            }
            if available as usize > CAPACITY {
                hint::spin_loop();
                continue; // head and tail were read at different times
            }
            // ORDERING: Relaxed; `into` is ours, so only we move its tail (I1).
            let base = into.tail.load(Ordering::Relaxed);
            for i in 0..count {
                // ORDERING: Relaxed; published by `tail`, and used only if `head` has not moved (I2).
                let item = self.slot(head.wrapping_add(i)).load(Ordering::Relaxed);
                into.slot(base.wrapping_add(i)).store(item, Ordering::Relaxed);
            }
            // ORDERING: Release keeps the copies before the move; pairs with the Acquire of `head` in `push`.
            let moved =
                self.head.compare_exchange(head, head.wrapping_add(count), Ordering::Release, Ordering::Relaxed);
            if moved.is_err() {
                hint::spin_loop();
                continue;
            }
            let last = into.slot(base.wrapping_add(count - 1)).load(Ordering::Relaxed);
            if count > 1 {
                // ORDERING: Release publishes the copied slots to thieves of `into`; pairs with Acquire above.
                into.tail.store(base.wrapping_add(count - 1), Ordering::Release);
            }
            return NonNull::new(last);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn item(n: usize) -> NonNull<u8> {
        NonNull::new(core::ptr::without_provenance_mut(n + 1)).unwrap()
    }

    #[test]
    fn spilling_keeps_order_and_items() {
        // A full ring that drops or reorders goroutines.
        let ring = LocalQueue::new();
        let mut spilled = Vec::new();
        for n in 0..CAPACITY + 1 {
            ring.push(item(n), |i| spilled.push(i));
        }
        assert_eq!(spilled, (0..CAPACITY / 2).map(item).collect::<Vec<_>>());
        let rest: Vec<_> = std::iter::from_fn(|| ring.pop()).collect();
        assert_eq!(rest, (CAPACITY / 2..CAPACITY + 1).map(item).collect::<Vec<_>>());
        assert!(ring.is_empty());
    }

    #[test]
    fn a_thief_takes_half() {
        // A thief that takes everything, or loses what it took.
        let (ring, mine) = (LocalQueue::new(), LocalQueue::new());
        for n in 0..7 {
            ring.push(item(n), |_| unreachable!());
        }
        let mut got = vec![ring.steal_into(&mine).unwrap()];
        got.extend(std::iter::from_fn(|| mine.pop()));
        got.sort();
        assert_eq!(got, (0..4).map(item).collect::<Vec<_>>());
        assert_eq!(std::iter::from_fn(|| ring.pop()).count(), 3);
        assert!(ring.steal_into(&mine).is_none());
    }

    #[test]
    fn a_ring_drains_when_what_it_held_is_taken() {
        // A thief that leaves work which nobody runs, or robs an owner that is about to run it.
        let ring = LocalQueue::new();
        assert!(ring.drains(1, || unreachable!("nothing to wait for")));
        // All the way round, so that the indices wrap.
        ring.head.store(u32::MAX - 1, Ordering::Relaxed);
        ring.tail.store(u32::MAX - 1, Ordering::Relaxed);
        for n in 0..3 {
            ring.push(item(n), |_| unreachable!());
        }
        assert!(!ring.drains(8, || ()), "nobody takes anything");
        let turn = || {
            ring.pop();
            // Those that come later are none of its business.
            ring.push(item(9), |_| unreachable!());
        };
        assert!(!ring.drains(3, turn), "one of three is left");
        assert!(ring.drains(4, turn));
    }

    #[test]
    fn thieves_and_owner_share_without_loss() {
        // An item taken by both, or by nobody.
        use std::sync::atomic::{AtomicBool, AtomicU8};
        const N: usize = 200_000;
        let ring = LocalQueue::new();
        let seen: Vec<AtomicU8> = (0..N).map(|_| AtomicU8::new(0)).collect();
        let done = AtomicBool::new(false);
        let mark = |i: NonNull<u8>| assert_eq!(seen[i.addr().get() - 1].fetch_add(1, Ordering::Relaxed), 0);
        std::thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    let mine = LocalQueue::new();
                    while !done.load(Ordering::Relaxed) || !ring.is_empty() {
                        ring.steal_into(&mine).into_iter().for_each(mark);
                        std::iter::from_fn(|| mine.pop()).for_each(mark);
                    }
                });
            }
            for n in 0..N {
                ring.push(item(n), mark);
                if n % 3 == 0 {
                    ring.pop().into_iter().for_each(mark);
                }
            }
            std::iter::from_fn(|| ring.pop()).for_each(mark);
            done.store(true, Ordering::Relaxed);
        });
        assert!(seen.iter().all(|s| s.load(Ordering::Relaxed) == 1));
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use loom::sync::Arc;

    fn item(n: usize) -> NonNull<u8> {
        NonNull::new(core::ptr::without_provenance_mut(n + 1)).unwrap()
    }

    /// Everything that a thief got, as numbers.
    fn thief(ring: Arc<LocalQueue<u8>>) -> loom::thread::JoinHandle<Vec<usize>> {
        loom::thread::spawn(move || {
            let mine = LocalQueue::new();
            let mut got: Vec<_> = ring.steal_into(&mine).into_iter().collect();
            got.extend(std::iter::from_fn(|| mine.pop()));
            got.into_iter().map(|i| i.addr().get() - 1).collect()
        })
    }

    fn check(pushes: usize, thieves: usize) {
        loom::model(move || {
            let ring = Arc::new(LocalQueue::new());
            let thieves: Vec<_> = (0..thieves).map(|_| thief(ring.clone())).collect();
            let mut mine = Vec::new();
            for n in 0..pushes {
                ring.push(item(n), |i| mine.push(i));
            }
            mine.extend(ring.pop());
            let mut got: Vec<_> = thieves.into_iter().flat_map(|t| t.join().unwrap()).collect();
            mine.extend(std::iter::from_fn(|| ring.pop()));
            got.extend(mine.into_iter().map(|i| i.addr().get() - 1));
            got.sort();
            assert_eq!(got, (0..pushes).collect::<Vec<_>>());
        });
    }

    /// Mutations seen to fail here: a thief that uses its copies although `head` moved.
    #[test]
    fn a_thief_against_an_owner_that_wraps_around() {
        check(CAPACITY + 1, 1);
    }

    /// Mutations seen to fail here: `head` moved by a plain store.
    #[test]
    fn two_thieves_against_an_owner() {
        check(2, 2);
    }

    /// Mutations seen to fail here: the tail of the stolen batch published Relaxed.
    #[test]
    fn a_thief_of_a_thief() {
        // What was stolen is stolen again before it ran, and the second thief sees an old slot.
        loom::model(|| {
            let (ring, middle) = (LocalQueue::new(), Arc::new(LocalQueue::new()));
            (0..3).for_each(|n| ring.push(item(n), |_| unreachable!()));
            let last = thief(middle.clone());
            let mut got: Vec<_> = ring.steal_into(&middle).into_iter().collect();
            got.extend(std::iter::from_fn(|| middle.pop()));
            got.extend(ring.pop());
            let mut all: Vec<_> = got.into_iter().map(|i| i.addr().get() - 1).collect();
            all.extend(last.join().unwrap());
            all.sort();
            assert_eq!(all, [0, 1, 2]);
        });
    }
}
