//! The global run queue: everybody pushes, every processor looks, in batches.
//!
//! # Invariants
//! 1. `len` is written under the lock and equals the list's length there; read without it, it is a hint that
//!    the idle protocol makes exact by its fences (`README.md`, F1 and F2).
//!
//! # Locking
//! `list`: its lock (rank Sched).

use super::list::{Linked, List};
use crate::primitives::atomic::{AtomicUsize, Ordering};
use crate::primitives::{Lock, LockRank};
use core::ptr::NonNull;

/// See the module's page.
#[derive(Debug)]
pub(crate) struct Injector<T> {
    len: AtomicUsize,
    list: Lock<List<T>>,
}

impl<T: Linked> Injector<T> {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self { len: AtomicUsize::new(0), list: Lock::new(LockRank::Leaf, List::new()) }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self { len: AtomicUsize::new(0), list: Lock::new(LockRank::Leaf, List::new()) }
    }

    /// Whether there is nothing; a hint unless the idle protocol's fences are around it (I1).
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `pop_batch`: who finds the queue emptied by a batch also finds the
        // ring that the batch went to filled. The lock publishes the items, the fences F1 and F2 order this look.
        self.len.load(Ordering::Acquire) == 0
    }

    /// # Safety
    /// `item` is alive and in no list.
    pub(crate) unsafe fn push(&self, item: NonNull<T>) {
        let mut list = self.list.lock();
        // SAFETY: by the contract.
        unsafe { list.push_back(item) };
        // ORDERING: Relaxed; written under the lock (I1).
        self.len.store(list.len(), Ordering::Relaxed);
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
        let mut list = self.list.lock();
        let share = (list.len() / sharers.max(1) + 1).min(most.max(1));
        let first = list.pop_front()?;
        for _ in 1..share {
            let Some(item) = list.pop_front() else { break };
            rest(item);
        }
        // ORDERING: Release keeps what `rest` did before; pairs with the Acquire in `is_empty`.
        self.len.store(list.len(), Ordering::Release);
        Some(first)
    }
}
