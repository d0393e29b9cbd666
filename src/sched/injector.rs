//! The global run queue: everybody pushes, every processor looks, in batches.
//!
//! It is two queues that are served in turn: a goroutine that has run before, and was woken, does not wait behind a hundred
//! thousand that were just started.
//!
//! # Invariants
//! 1. `len` is written under the lock and equals the lists' length there; read without it, it is a hint that
//!    the idle protocol makes exact by its fences (`README.md`, F1 and F2).
//!
//! # Locking
//! `lists`: its lock (rank Leaf).

use super::list::{Linked, List};
use crate::primitives::atomic::{AtomicUsize, Ordering};
use crate::primitives::{Lock, LockRank};
use core::ptr::NonNull;

#[derive(Debug)]
struct Lists<T> {
    /// What has run before.
    resumed: List<T>,
    /// What was never started.
    fresh: List<T>,
    /// Whose turn it is.
    fresh_next: bool,
}

impl<T: Linked> Lists<T> {
    const fn new() -> Self {
        Self { resumed: List::new(), fresh: List::new(), fresh_next: false }
    }

    fn len(&self) -> usize {
        self.resumed.len() + self.fresh.len()
    }

    fn pop(&mut self) -> Option<NonNull<T>> {
        self.fresh_next = !self.fresh_next;
        if self.fresh_next {
            self.resumed.pop_front().or_else(|| self.fresh.pop_front())
        } else {
            self.fresh.pop_front().or_else(|| self.resumed.pop_front())
        }
    }
}

/// See the module's page.
#[derive(Debug)]
pub(crate) struct Injector<T> {
    len: AtomicUsize,
    lists: Lock<Lists<T>>,
}

impl<T: Linked> Injector<T> {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self { len: AtomicUsize::new(0), lists: Lock::new(LockRank::Leaf, Lists::new()) }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self { len: AtomicUsize::new(0), lists: Lock::new(LockRank::Leaf, Lists::new()) }
    }

    /// Whether there is nothing; a hint unless the idle protocol's fences are around it (I1).
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `pop_batch`: who finds the queue emptied by a batch also finds the
        // ring that the batch went to filled. The lock publishes the items, the fences F1 and F2 order this look.
        self.len.load(Ordering::Acquire) == 0
    }

    /// How many items there are; a hint (I1).
    #[cfg_attr(loom, allow(dead_code, reason = "nothing is counted in a model"))]
    pub(crate) fn len(&self) -> usize {
        // ORDERING: Relaxed; a statistic.
        self.len.load(Ordering::Relaxed)
    }

    /// Queues what has run before.
    ///
    /// # Safety
    /// `item` is alive and in no list.
    pub(crate) unsafe fn push(&self, item: NonNull<T>) {
        // SAFETY: by the contract.
        self.change(|lists| unsafe { lists.resumed.push_back(item) });
    }

    /// Queues what was never started.
    ///
    /// # Safety
    /// `item` is alive and in no list.
    #[cfg_attr(loom, allow(dead_code, reason = "as `push`, as far as a model goes"))]
    pub(crate) unsafe fn push_fresh(&self, item: NonNull<T>) {
        // SAFETY: by the contract.
        self.change(|lists| unsafe { lists.fresh.push_back(item) });
    }

    /// As pushing all of both, which are empty afterwards.
    #[cfg_attr(loom, allow(dead_code, reason = "as `push`, as far as a model goes"))]
    pub(crate) fn append(&self, resumed: &mut List<T>, fresh: &mut List<T>) {
        self.change(|lists| {
            lists.resumed.append(resumed);
            lists.fresh.append(fresh);
        });
    }

    fn change(&self, f: impl FnOnce(&mut Lists<T>)) {
        let mut lists = self.lists.lock();
        f(&mut lists);
        // ORDERING: Relaxed; written under the lock (I1).
        self.len.store(lists.len(), Ordering::Relaxed);
    }

    /// Takes a fair share for one of `sharers`, at most `most`: the first to run, the others by `rest`.
    pub(crate) fn pop_batch(
        &self,
        sharers: usize,
        most: usize,
        mut rest: impl FnMut(NonNull<T>),
    ) -> Option<NonNull<T>> {
        if self.is_empty() {
            return None;
        }
        let mut lists = self.lists.lock();
        let share = (lists.len() / sharers.max(1) + 1).min(most.max(1));
        let first = lists.pop()?;
        for _ in 1..share {
            let Some(item) = lists.pop() else { break };
            rest(item);
        }
        // ORDERING: Release keeps what `rest` did before; pairs with the Acquire in `is_empty`.
        self.len.store(lists.len(), Ordering::Release);
        Some(first)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::primitives::cell::UnsafeCell;
    use core::ptr;

    struct Item {
        link: UnsafeCell<*mut Item>,
        resumed: bool,
    }

    // SAFETY: always the same field.
    unsafe impl Linked for Item {
        fn link(&self) -> &UnsafeCell<*mut Self> {
            &self.link
        }
    }

    #[test]
    fn neither_queue_waits_for_the_other_one() {
        // What was woken waits behind all that was just started, or what was started behind all that is woken.
        let injector = Injector::new();
        let items: Vec<_> =
            (0..40).map(|n| Item { link: UnsafeCell::new(ptr::null_mut()), resumed: n >= 20 }).collect();
        for item in &items {
            // SAFETY: the items stay where they are, and are in no list.
            unsafe {
                if item.resumed {
                    injector.push(NonNull::from(item));
                } else {
                    injector.push_fresh(NonNull::from(item));
                }
            }
        }
        for _ in 0..4 {
            let mut batch = Vec::new();
            let first = injector.pop_batch(1, 10, |item| batch.push(item));
            batch.extend(first);
            // SAFETY: they are alive.
            let resumed = batch.iter().filter(|item| unsafe { item.as_ref() }.resumed).count();
            assert_eq!((batch.len(), resumed), (10, 5));
        }
        assert!(injector.is_empty());
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::primitives::cell::UnsafeCell;
    use core::ptr;
    use loom::sync::Arc;
    use loom::thread;

    struct Item {
        link: UnsafeCell<*mut Item>,
        /// Written before the push, read by whoever takes it.
        value: UnsafeCell<usize>,
    }

    // SAFETY: the lock of the list guards the link; loom reports a race on either cell.
    unsafe impl Sync for Item {}

    // SAFETY: always the same field.
    unsafe impl Linked for Item {
        fn link(&self) -> &UnsafeCell<*mut Self> {
            &self.link
        }
    }

    fn item() -> NonNull<Item> {
        let item = Item { link: UnsafeCell::new(ptr::null_mut()), value: UnsafeCell::new(0) };
        NonNull::from(Box::leak(Box::new(item)))
    }

    fn push(injector: &Injector<Item>, item: NonNull<Item>, value: usize) {
        // SAFETY: nobody else knows the item yet.
        unsafe { item.as_ref().value.with_mut(|v| *v = value) };
        // SAFETY: it is leaked, and in no list.
        unsafe { injector.push(item) };
    }

    fn value(item: NonNull<Item>) -> usize {
        // SAFETY: leaked; whoever took it has it alone.
        unsafe { item.as_ref().value.with(|v| *v) }
    }

    /// Mutations seen to fail here: `push` not counting what it adds.
    #[test]
    fn what_is_pushed_is_taken_once() {
        // An item taken by both, or by nobody, or not seen as its submitter left it.
        loom::model(|| {
            let injector = Arc::new(Injector::new());
            push(&injector, item(), 1);
            let submitter = {
                let injector = injector.clone();
                thread::spawn(move || push(&injector, item(), 2))
            };
            let take = |injector: &Injector<Item>| {
                let mut sum = 0;
                let first = injector.pop_batch(1, usize::MAX, |i| sum += value(i));
                sum + first.map_or(0, value)
            };
            let taker = {
                let injector = injector.clone();
                thread::spawn(move || take(&injector))
            };
            let ours = take(&injector);
            submitter.join().unwrap();
            let theirs = taker.join().unwrap();
            let rest = take(&injector);
            assert_eq!(ours + theirs + rest, 3);
            assert!(injector.is_empty());
        });
    }

    /// Mutations seen to fail here: the count lowered Relaxed, or before the batch has arrived.
    #[test]
    fn b14_a_batch_on_its_way_is_seen_by_a_sleeper() {
        // The last look before the sleep finds the injector emptied, and the ring that its batch went to empty still.
        loom::model(|| {
            let injector = Arc::new(Injector::new());
            let ring = Arc::new(AtomicUsize::new(0));
            push(&injector, item(), 1);
            push(&injector, item(), 2);
            let sleeper = {
                let (injector, ring) = (injector.clone(), ring.clone());
                // As `anything_to_steal`: first the injector, then the rings. The sleeper is the spawned thread, and
                // does not yield, after which loom would show it no old value of the ring.
                // ORDERING: Relaxed; ordered by the look at the injector.
                thread::spawn(move || !injector.is_empty() || ring.load(Ordering::Relaxed) == 1)
            };
            // ORDERING: Relaxed; as the ring's tail is for who looks whether it is empty.
            let first = injector.pop_batch(1, usize::MAX, |_| ring.store(1, Ordering::Relaxed));
            assert!(first.is_some());
            assert!(sleeper.join().unwrap(), "two items, one to run: the other one is seen nowhere");
        });
    }
}
