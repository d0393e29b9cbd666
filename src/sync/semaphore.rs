//! [`Semaphore`]: a number of permits, handed out first come, first served.
//!
//! ```text
//!   63                        1   0
//!  +----------------------------+--------+
//!  | free permits               | QUEUED |     QUEUED: somebody waits, newcomers queue behind
//!  +----------------------------+--------+
//! ```
//!
//! # Invariants
//! 1. While QUEUED is set, permits are taken only by `grant`, under the queue's lock; so the number of free ones can
//!    only grow under its eyes, and the one at the front cannot be overtaken.
//! 2. QUEUED is set and cleared under the queue's lock; it is set by a waiter that queues, and cleared when the
//!    queue is empty. Whoever frees permits while it is set calls `grant` afterwards; so does a waiter that gives
//!    up, as it may have stood in the way of smaller ones.
//! 3. A node is linked until `grant` takes it out, or its owner does after a timeout; its `slot` is the number of
//!    permits asked for, as an address.
//!
//! # Locking
//! `waiters`: guarded by its lock (rank Sync). Waiters are woken after it is released.

use super::wake_list::WakeList;
use crate::park::{Outcome, Ticket, WaitNode, WaitQueue, WaitReason, begin_wait};
use crate::primitives::atomic::{AtomicU64, Ordering};
use crate::primitives::{Lock, LockRank};
use core::{fmt, ptr};
use std::panic::{RefUnwindSafe, UnwindSafe};

const QUEUED: u64 = 1;
const ONE: u64 = 2;

/// A weighted semaphore: `size` permits, of which each party takes as many as it needs.
///
/// ```
/// use gaggle::sync::Semaphore;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// let (limit, inside) = (Semaphore::new(2), AtomicUsize::new(0));
/// gaggle::scope(|s| {
///     for _ in 0..8 {
///         s.go(|| {
///             let _permit = limit.permit(1);
///             assert!(inside.fetch_add(1, Ordering::SeqCst) < 2);
///             gaggle::runtime::yield_now();
///             inside.fetch_sub(1, Ordering::SeqCst);
///         });
///     }
/// });
/// ```
///
/// # Fairness
///
/// First come, first served: nobody overtakes a party that waits for many permits, so a stream of small requests
/// cannot starve it.
///
/// # Compared with Go
///
/// `semaphore.Weighted` of `golang.org/x/sync`, and the buffered channel used as a semaphore. Instead of taking a
/// context there is [`acquire_timeout`](Self::acquire_timeout).
pub struct Semaphore {
    size: usize,
    word: AtomicU64,
    waiters: Lock<WaitQueue>,
}

/// Permits of a [`Semaphore`], released when it is dropped.
///
/// ```
/// let semaphore = gaggle::sync::Semaphore::new(1);
/// let permit = semaphore.permit(1);
/// assert!(!semaphore.try_acquire(1));
/// drop(permit);
/// assert!(semaphore.try_acquire(1));
/// ```
#[must_use = "if unused the permits are released immediately"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    count: usize,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.semaphore.release(self.count);
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("count", &self.count).finish_non_exhaustive()
    }
}

impl UnwindSafe for Semaphore {}
impl RefUnwindSafe for Semaphore {}

impl Semaphore {
    const_unless_loom! {
        /// A semaphore with `size` permits, all of them free.
        ///
        /// # Panics
        /// If `size` is more than `usize::MAX / 4`.
        ///
        /// ```
        /// static LIMIT: gaggle::sync::Semaphore = gaggle::sync::Semaphore::new(10);
        /// assert!(LIMIT.try_acquire(10));
        /// ```
        pub const fn new(size: usize) -> Semaphore {
            assert!(size <= usize::MAX / 4, "semaphore: size out of range");
            let waiters = Lock::new(LockRank::Sync, WaitQueue::new());
            Semaphore { size, word: AtomicU64::new(size as u64 * ONE), waiters }
        }
    }

    /// Takes `n` permits.
    ///
    /// # Blocking
    /// Parks until they are free and all who came before have been served.
    ///
    /// # Panics
    /// If `n` is more than the semaphore's size: that many will never be free.
    ///
    /// ```
    /// let semaphore = gaggle::sync::Semaphore::new(3);
    /// semaphore.acquire(2);
    /// assert!(!semaphore.try_acquire(2));
    /// semaphore.release(2);
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire(&self, n: usize) {
        self.acquire_with(n, |ticket| ticket.wait(WaitReason::SemaphoreAcquire));
    }

    /// Takes `n` permits if they are free and nobody waits.
    ///
    /// ```
    /// let semaphore = gaggle::sync::Semaphore::new(1);
    /// assert!(semaphore.try_acquire(1));
    /// assert!(!semaphore.try_acquire(1));
    /// ```
    #[inline]
    pub fn try_acquire(&self, n: usize) -> bool {
        // ORDERING: Relaxed; only the compare-and-swap decides.
        let mut seen = self.word.load(Ordering::Relaxed);
        while self.allows(seen, n) {
            // ORDERING: Acquire pairs with the Release in `release`: what was done under the permits is visible.
            let next = seen - n as u64 * ONE;
            match self.word.compare_exchange_weak(seen, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    /// Whether a newcomer may take `n` permits.
    #[inline]
    fn allows(&self, word: u64, n: usize) -> bool {
        word & QUEUED == 0 && n <= self.size && word / ONE >= n as u64
    }

    /// Gives `n` permits back, and serves those who wait for them.
    ///
    /// # Panics
    /// If more are released than are held: `semaphore: released more than held`.
    ///
    /// ```
    /// let semaphore = gaggle::sync::Semaphore::new(1);
    /// semaphore.acquire(1);
    /// semaphore.release(1);
    /// assert!(semaphore.try_acquire(1));
    /// ```
    #[inline]
    #[track_caller]
    pub fn release(&self, n: usize) {
        // ORDERING: Relaxed; only the compare-and-swap decides.
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            let held = self.size - (seen / ONE) as usize;
            assert!(n <= held, "semaphore: released more than held");
            let next = seen + n as u64 * ONE;
            // ORDERING: Release pairs with the Acquire of whoever takes the permits, here or in `grant`.
            match self.word.compare_exchange_weak(seen, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        if seen & QUEUED != 0 {
            self.grant_next();
        }
    }

    /// As [`acquire`](Self::acquire); the permits are released when the guard is dropped.
    ///
    /// # Blocking
    /// Parks until they are free and all who came before have been served.
    ///
    /// # Panics
    /// If `n` is more than the semaphore's size.
    ///
    /// ```
    /// let semaphore = gaggle::sync::Semaphore::new(1);
    /// {
    ///     let _permit = semaphore.permit(1);
    ///     assert!(!semaphore.try_acquire(1));
    /// }
    /// assert!(semaphore.try_acquire(1));
    /// ```
    #[track_caller]
    pub fn permit(&self, n: usize) -> Permit<'_> {
        self.acquire(n);
        Permit { semaphore: self, count: n }
    }

    /// As [`try_acquire`](Self::try_acquire); the permits are released when the guard is dropped.
    ///
    /// ```
    /// let semaphore = gaggle::sync::Semaphore::new(1);
    /// let permit = semaphore.try_permit(1);
    /// assert!(permit.is_some() && semaphore.try_permit(1).is_none());
    /// ```
    pub fn try_permit(&self, n: usize) -> Option<Permit<'_>> {
        // Made only if they are ours: the guard releases when it is dropped.
        self.try_acquire(n).then(|| Permit { semaphore: self, count: n })
    }

    /// Takes `n` permits, or queues and sleeps with `sleep`; false if the wait was ended by its deadline.
    #[inline]
    #[track_caller]
    pub(super) fn acquire_with(&self, n: usize, sleep: impl FnOnce(Ticket) -> Outcome) -> bool {
        self.try_acquire(n) || self.acquire_queued(n, sleep)
    }

    #[cold]
    #[track_caller]
    fn acquire_queued(&self, n: usize, sleep: impl FnOnce(Ticket) -> Outcome) -> bool {
        let size = self.size;
        assert!(n <= size, "semaphore: {n} permits asked for, of {size}: they will never be free");
        let mut queue = self.waiters.lock();
        // ORDERING: Relaxed; only the compare-and-swaps decide.
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            let allowed = self.allows(seen, n);
            let next = if allowed { seen - n as u64 * ONE } else { seen | QUEUED };
            // ORDERING: Acquire pairs with the Release in `release`, for the case that this takes permits.
            match self.word.compare_exchange_weak(seen, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) if allowed => return true,
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        let ticket = begin_wait();
        let mut node = WaitNode::new(ticket, 0, ptr::without_provenance_mut(n));
        let node = &raw mut node;
        // SAFETY: the lock is held, and the node lives on this frame until it is unlinked (I3).
        unsafe { queue.push_back(node) };
        drop(queue);
        let granted = sleep(ticket) != Outcome::TIMED_OUT;
        if !granted {
            // SAFETY: the lock is held, and the node is in this queue or in none (I3).
            unsafe { self.waiters.lock().remove(node) };
            self.grant_next();
        }
        granted
    }

    /// Serves those at the front of the queue for whom there are permits.
    #[cold]
    fn grant_next(&self) {
        let mut woken = WakeList::new();
        let mut queue = self.waiters.lock();
        self.grant(&mut queue, &mut woken);
        // Wake after unlocking: `woken` is dropped last.
        drop(queue);
    }

    /// The queue's lock is held.
    fn grant(&self, queue: &mut WaitQueue, woken: &mut WakeList) {
        // SAFETY: the lock is held, so the node at the front is in place (I3).
        while let Some(n) = queue.front().map(|node| unsafe { node.as_ref().slot.addr() }) {
            // ORDERING: Acquire pairs with the Release in `release`: who is served sees what was done under the
            // permits. Nobody but us takes any now (I1).
            if self.word.load(Ordering::Acquire) / ONE < n as u64 {
                return;
            }
            // SAFETY: the lock is held.
            if unsafe { woken.take_front(queue, Outcome::selected(0)) } == Some(true) {
                // ORDERING: Relaxed; as above, and the waiter gets it by the wake.
                self.word.fetch_sub(n as u64 * ONE, Ordering::Relaxed);
            }
        }
        // ORDERING: Relaxed; the bit only says where newcomers stand (I2).
        self.word.fetch_and(!QUEUED, Ordering::Relaxed);
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // ORDERING: Relaxed; a snapshot for display.
        let free = self.word.load(Ordering::Relaxed) / ONE;
        f.debug_struct("Semaphore").field("size", &self.size).field("free", &free).finish_non_exhaustive()
    }
}
