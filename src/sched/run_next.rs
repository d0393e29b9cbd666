//! What a processor is to run before its queue: one place, which the holder fills, and the holder or a thief empties.
//!
//! # Invariants
//! 1. Filling and emptying are swaps, so exactly one takes what stood there.

use crate::primitives::atomic::{AtomicPtr, Ordering};
use core::ptr::{self, NonNull};
use crossbeam_utils::CachePadded;

/// See the module's page.
#[derive(Debug)]
pub(crate) struct RunNext<T>(CachePadded<AtomicPtr<T>>);

impl<T> RunNext<T> {
    pub(crate) fn new() -> Self {
        Self(CachePadded::new(AtomicPtr::new(ptr::null_mut())))
    }

    /// Puts `item` here; what stood here is returned. Holder only.
    #[inline]
    pub(crate) fn set(&self, item: NonNull<T>) -> Option<NonNull<T>> {
        // ORDERING: AcqRel; Release publishes the item to a thief's Acquire swap in `take`, Acquire is for what a
        // thief may have put back.
        NonNull::new(self.0.swap(item.as_ptr(), Ordering::AcqRel))
    }

    /// Takes what stands here. Holder, or a thief.
    #[inline]
    pub(crate) fn take(&self) -> Option<NonNull<T>> {
        // ORDERING: Relaxed look; most often there is nothing, and a swap costs.
        if self.0.load(Ordering::Relaxed).is_null() {
            return None;
        }
        // ORDERING: Acquire pairs with the Release in `set`.
        NonNull::new(self.0.swap(ptr::null_mut(), Ordering::Acquire))
    }

    #[inline]
    pub(crate) fn peek(&self) -> *mut T {
        // ORDERING: Relaxed; compared, never followed.
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::super::local_queue::LocalQueue;
    use super::*;
    use crate::primitives::cell::UnsafeCell;
    use loom::sync::Arc;
    use loom::thread;

    struct Item(UnsafeCell<usize>);

    fn item(value: usize) -> NonNull<Item> {
        NonNull::from(Box::leak(Box::new(Item(UnsafeCell::new(value)))))
    }

    fn value(item: NonNull<Item>) -> usize {
        // SAFETY: leaked, and taken by one party, which is what loom checks.
        unsafe { item.as_ref().0.with(|v| *v) }
    }

    /// Mutations seen to fail here: `take` by a load and a store; `set` without Release.
    #[test]
    fn b13_what_is_to_run_next_is_taken_once() {
        // A goroutine that is stolen just as its processor runs it, or moves it to the queue: run twice, or never.
        loom::model(|| {
            let shared = Arc::new((RunNext::new(), LocalQueue::new()));
            let thief = {
                let shared = shared.clone();
                thread::spawn(move || {
                    let mine = LocalQueue::new();
                    let mut got = shared.0.take().map_or(0, value);
                    got += shared.1.steal_into(&mine).map_or(0, value);
                    got
                })
            };
            let (next, queue) = &*shared;
            let mut got = 0;
            for value in [1, 10] {
                // As a worker does that wakes two, one after the other.
                if let Some(before) = next.set(item(value)) {
                    queue.push(before, |_| unreachable!("two fit"));
                }
            }
            got += next.take().map_or(0, value);
            got += queue.pop().map_or(0, value);
            assert_eq!(got + thief.join().unwrap(), 11);
        });
    }
}
