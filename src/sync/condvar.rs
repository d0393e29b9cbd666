//! [`Condvar`]: waiting for a change of what a mutex guards.
//!
//! # Invariants
//! 1. A waiter queues before it unlocks the mutex. So a notification that comes after a change made under that mutex
//!    either finds it, or the waiter has seen the change.
//! 2. `waiting` says whether the queue is not empty; it changes under the queue's lock. A notifier that must find a
//!    waiter has locked the mutex after it, and so sees `waiting` set.
//! 3. A node is linked until a notifier takes it out, or its owner does after a timeout.
//!
//! # Locking
//! `waiters`: guarded by its lock (rank Sync). Waiters are woken after it is released.

use super::wake_list::WakeList;
use super::{LockResult, MutexGuard};
use crate::park::{Outcome, Ticket, WaitNode, WaitQueue, WaitReason, begin_wait};
use crate::primitives::atomic::{AtomicBool, Ordering};
use crate::primitives::{Lock, LockRank};
use core::{fmt, ptr};
use std::panic::{RefUnwindSafe, UnwindSafe};

const NOTIFIED: Outcome = Outcome::selected(0);

/// A condition variable, with `std::sync::Condvar`'s signatures; it parks the goroutine.
///
/// ```
/// use gaggle::sync::{Condvar, Mutex};
/// use std::sync::Arc;
///
/// let pair = Arc::new((Mutex::new(false), Condvar::new()));
/// let other = pair.clone();
/// gaggle::spawn(move || {
///     *other.0.lock().unwrap() = true;
///     other.1.notify_one();
/// });
/// let mut ready = pair.0.lock().unwrap();
/// while !*ready {
///     ready = pair.1.wait(ready).unwrap();
/// }
/// ```
///
/// # Fairness
///
/// [`notify_one`](Self::notify_one) wakes the one that has waited longest.
///
/// # Compared with Go
///
/// `sync.Cond`: `Wait`, `Signal`, `Broadcast`. There are no spurious wake-ups, but the condition may have changed
/// again when the mutex is locked: wait in a loop, or with [`wait_while`](Self::wait_while).
pub struct Condvar {
    waiting: AtomicBool,
    waiters: Lock<WaitQueue>,
}

impl UnwindSafe for Condvar {}
impl RefUnwindSafe for Condvar {}

impl Condvar {
    const_unless_loom! {
        /// A condition variable that nobody waits for.
        ///
        /// ```
        /// static CHANGED: gaggle::sync::Condvar = gaggle::sync::Condvar::new();
        /// CHANGED.notify_all();
        /// ```
        pub const fn new() -> Condvar {
            Condvar { waiting: AtomicBool::new(false), waiters: Lock::new(LockRank::Sync, WaitQueue::new()) }
        }
    }

    /// Unlocks the mutex of `guard`, waits for a notification, and locks it again.
    ///
    /// # Blocking
    /// Parks until notified, and then for the mutex.
    ///
    /// # Errors
    /// If the mutex is poisoned, the guard comes inside the error.
    ///
    /// ```
    /// use gaggle::sync::{Condvar, Mutex};
    ///
    /// let (count, changed) = (Mutex::new(0), Condvar::new());
    /// gaggle::scope(|s| {
    ///     s.go(|| {
    ///         *count.lock().unwrap() += 1;
    ///         changed.notify_one();
    ///     });
    ///     let mut guard = count.lock().unwrap();
    ///     while *guard == 0 {
    ///         guard = changed.wait(guard).unwrap();
    ///     }
    /// });
    /// ```
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.wait_with(guard, |ticket| ticket.wait(WaitReason::CondvarWait)).0
    }

    /// Waits while `condition` holds.
    ///
    /// # Blocking
    /// As [`wait`](Self::wait), until the condition is false after a notification, or is false at once.
    ///
    /// # Errors
    /// If the mutex is poisoned, the guard comes inside the error.
    ///
    /// ```
    /// use gaggle::sync::{Condvar, Mutex};
    ///
    /// let (jobs, changed) = (Mutex::new(vec![]), Condvar::new());
    /// gaggle::scope(|s| {
    ///     s.go(|| {
    ///         jobs.lock().unwrap().push("job");
    ///         changed.notify_one();
    ///     });
    ///     let mut guard = changed.wait_while(jobs.lock().unwrap(), |jobs| jobs.is_empty()).unwrap();
    ///     assert_eq!(guard.pop(), Some("job"));
    /// });
    /// ```
    pub fn wait_while<'a, T, F: FnMut(&mut T) -> bool>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Wakes the one that has waited longest, if anybody waits.
    ///
    /// ```
    /// gaggle::sync::Condvar::new().notify_one(); // Nobody waits: nothing happens, now or later.
    /// ```
    #[inline]
    pub fn notify_one(&self) {
        // ORDERING: Relaxed; whoever must be found queued before a mutex was unlocked that we have locked (I2).
        if self.waiting.load(Ordering::Relaxed) {
            // SAFETY: `notify` holds the lock.
            self.notify(|woken, queue| unsafe {
                woken.claim_front(queue, NOTIFIED);
            });
        }
    }

    /// Wakes all who wait.
    ///
    /// ```
    /// gaggle::sync::Condvar::new().notify_all();
    /// ```
    #[inline]
    pub fn notify_all(&self) {
        // ORDERING: Relaxed, as in `notify_one`.
        if self.waiting.load(Ordering::Relaxed) {
            // SAFETY: `notify` holds the lock.
            self.notify(|woken, queue| unsafe { woken.claim_all(queue, NOTIFIED) });
        }
    }

    /// Calls `take` with the lock held, and wakes whom it took after unlocking.
    #[cold]
    fn notify(&self, take: impl FnOnce(&mut WakeList, &mut WaitQueue)) {
        let mut woken = WakeList::new();
        let mut queue = self.waiters.lock();
        take(&mut woken, &mut queue);
        self.publish(&queue);
        // Wake after unlocking: `woken` is dropped last.
        drop(queue);
    }

    /// Brings `waiting` up to date; the lock is held.
    fn publish(&self, queue: &WaitQueue) {
        // ORDERING: Relaxed; a waiter's unlock of its mutex publishes it to those who must see it (I2).
        self.waiting.store(!queue.is_empty(), Ordering::Relaxed);
    }

    /// Queues, unlocks, sleeps with `sleep`, locks; the flag says whether the wait was ended by its deadline.
    pub(super) fn wait_with<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        sleep: impl FnOnce(Ticket) -> Outcome,
    ) -> (LockResult<MutexGuard<'a, T>>, bool) {
        let ticket = begin_wait();
        let mut node = WaitNode::new(ticket, 0, ptr::null_mut());
        let node = &raw mut node;
        let mut queue = self.waiters.lock();
        // SAFETY: the lock is held, and the node lives on this frame until it is unlinked (I3).
        unsafe { queue.push_back(node) };
        self.publish(&queue);
        drop(queue);
        let mut timed_out = false;
        let guard = MutexGuard::unlocked(guard, || {
            timed_out = sleep(ticket) == Outcome::TIMED_OUT;
            if timed_out {
                let mut queue = self.waiters.lock();
                // SAFETY: the lock is held, and the node is in this queue or in none (I3).
                unsafe { queue.remove(node) };
                self.publish(&queue);
            }
        });
        (guard, timed_out)
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}
