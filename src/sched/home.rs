//! What a worker has at home: the runnable goroutines that nobody else may run, and the inbox for those that other threads
//! woke.
//!
//! # Locking
//! `inbox`: its lock (rank Leaf); `inbox_len` is written under it, and read without it as a hint.

use super::goroutine::Goroutine;
use super::list::List;
use super::worker::Worker;
use crate::primitives::atomic::Ordering;
use core::ptr::{self, NonNull};

impl Worker {
    /// The runnable goroutines at home here. Owner only; the borrow ends before anything else is called.
    #[inline]
    fn with_home<R>(&self, f: impl FnOnce(&mut List<Goroutine>) -> R) -> R {
        // SAFETY: owner only (worker, I1), and no caller's `f` comes back here.
        self.home.with_mut(|home| f(unsafe { &mut *home }))
    }

    /// Queues a goroutine that is at home here, to run first. Owner only.
    #[inline]
    pub(super) fn push_home_next(&self, g: NonNull<Goroutine>) {
        if let Some(before) = NonNull::new(self.home_next.replace(g.as_ptr())) {
            self.push_home(before);
        }
    }

    /// Queues a goroutine that is at home here, to run last. Owner only.
    #[inline]
    pub(super) fn push_home(&self, g: NonNull<Goroutine>) {
        // SAFETY: whoever makes a goroutine runnable owns it, so it is in no other list.
        self.with_home(|home| unsafe { home.push_back(g) });
    }

    /// Queues many that are at home here, to run last. Owner only.
    pub(super) fn push_all_home(&self, mates: &mut List<Goroutine>) {
        self.with_home(|home| home.append(mates));
    }

    #[inline]
    pub(super) fn take_home_next(&self) -> Option<NonNull<Goroutine>> {
        if self.home_next.get().is_null() {
            return None;
        }
        NonNull::new(self.home_next.replace(ptr::null_mut()))
    }

    #[inline]
    pub(super) fn pop_home(&self) -> Option<NonNull<Goroutine>> {
        self.with_home(List::pop_front)
    }

    pub(super) fn has_home_work(&self) -> bool {
        !self.home_next.get().is_null() || self.with_home(|home| !home.is_empty()) || self.inbox_filled()
    }

    /// How many goroutines wait here to be run again, and the first of them, or null. Owner, inside; or the monitor, while
    /// the owner is kept outside (lease, I3).
    pub(super) fn waiting_at_home(&self) -> (usize, *mut Goroutine) {
        let (len, first) = self.with_home(|home| (home.len(), home.front()));
        let next = self.home_next.get();
        (len + usize::from(!next.is_null()), if next.is_null() { first } else { next })
    }

    /// The same of those that other threads woke. Anybody; who stands there may be run at any time.
    pub(super) fn waiting_in_inbox(&self) -> (usize, *mut Goroutine) {
        let inbox = self.inbox.lock();
        (inbox.len(), inbox.front())
    }

    /// Queues a goroutine that is at home here, from any thread; the caller rings.
    pub(super) fn post(&self, g: NonNull<Goroutine>) {
        let mut inbox = self.inbox.lock();
        // SAFETY: whoever makes a goroutine runnable owns it, so it is in no other list.
        unsafe { inbox.push_back(g) };
        // ORDERING: Relaxed; under the lock. The sleeper's look at it is ordered by the fences F3 and F2.
        self.inbox_len.store(inbox.len(), Ordering::Relaxed);
    }

    /// As posting all of `mates`.
    pub(super) fn post_all(&self, mates: &mut List<Goroutine>) {
        let mut inbox = self.inbox.lock();
        inbox.append(mates);
        // ORDERING: Relaxed; as in `post`.
        self.inbox_len.store(inbox.len(), Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn inbox_filled(&self) -> bool {
        // ORDERING: Relaxed; a hint while running, ordered by F2 before sleeping.
        self.inbox_len.load(Ordering::Relaxed) != 0
    }

    #[cold]
    pub(super) fn empty_inbox(&self) {
        self.visited.set(true);
        let mut inbox = self.inbox.lock();
        self.with_home(|home| home.append(&mut inbox));
        // ORDERING: Relaxed; under the lock.
        self.inbox_len.store(0, Ordering::Relaxed);
    }
}
