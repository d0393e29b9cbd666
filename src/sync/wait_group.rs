//! [`WaitGroup`]: waits until a count has gone back to zero.
//!
//! ```text
//!   63            32 31            1  0
//!  +----------------+---------------+---+
//!  | counter        | generation    | W |     W: somebody waits for the end of this generation
//!  +----------------+---------------+---+
//! ```
//!
//! # Invariants
//! 1. A generation ends with the compare-and-swap that takes the counter to zero while W is set; the same step
//!    counts the generation up and clears W. So waiters and the end of what they wait for cannot be confused with
//!    those of a later use, even if that begins before the waiters have run (Go panics there).
//! 2. W is set by a waiter, under the queue's lock, while the counter is not zero; then it queues, its node's `arm`
//!    naming the generation. Whoever ends that generation takes the lock afterwards, so it finds the node.
//! 3. Nodes in the queue are in the order of their generations: the word is re-read under the lock.
//!
//! # Locking
//! `waiters`: guarded by its lock (rank Sync). Waiters are woken after it is released.

use super::wake_list::WakeList;
use crate::park::{Outcome, WaitNode, WaitQueue, WaitReason, begin_wait};
use crate::primitives::atomic::{AtomicU64, Ordering};
use crate::primitives::sync::Arc;
use crate::primitives::{Lock, LockRank};
use core::{fmt, ptr};
use std::panic::{RefUnwindSafe, UnwindSafe};

const WAITED: u64 = 1;
const GENERATION: u64 = 0xFFFF_FFFE;
const COUNTER_SHIFT: u32 = 32;

/// Waits for a number of goroutines, or threads, to be done. A clone is another handle to the same group.
///
/// ```
/// use gaggle::go;
/// use gaggle::sync::WaitGroup;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// let sum = Arc::new(AtomicU32::new(0));
/// let wg = WaitGroup::new();
/// for n in 1..=3 {
///     wg.add(1);
///     go!(clone wg, sum; {
///         sum.fetch_add(n, Ordering::Relaxed);
///         wg.done();
///     });
/// }
/// wg.wait();
/// assert_eq!(sum.load(Ordering::Relaxed), 6);
/// ```
///
/// # Compared with Go
///
/// `sync.WaitGroup`: `Add`, `Done`, `Wait`, `Go`. Here a group is a handle: clone it where Go passes a pointer. It
/// may be used again at once when the count is zero, even before all waiters of the former use have returned.
#[derive(Clone)]
pub struct WaitGroup {
    inner: Arc<Inner>,
}

struct Inner {
    word: AtomicU64,
    waiters: Lock<WaitQueue>,
}

impl WaitGroup {
    /// A group with the count zero.
    ///
    /// ```
    /// gaggle::sync::WaitGroup::new().wait();
    /// ```
    #[cfg_attr(loom, track_caller)]
    pub fn new() -> Self {
        let waiters = Lock::new(LockRank::Sync, WaitQueue::new());
        Self { inner: Arc::new(Inner { word: AtomicU64::new(0), waiters }) }
    }

    /// Adds `delta`, any integer, to the count; a negative one counts down as [`done`](Self::done) does.
    ///
    /// Add before starting what calls `done`, or `wait` may see the zero in between.
    ///
    /// # Panics
    /// If the count would become negative: `sync: negative WaitGroup counter` (the count stays as it was); or if it
    /// would not fit in 32 bits.
    ///
    /// ```
    /// let wg = gaggle::sync::WaitGroup::new();
    /// let jobs = vec!["a", "b"];
    /// wg.add(jobs.len());
    /// wg.add(-2);
    /// wg.wait();
    /// ```
    #[inline]
    #[track_caller]
    pub fn add(&self, delta: impl TryInto<i64>) {
        match delta.try_into() {
            Ok(delta) => self.inner.add(delta),
            Err(_) => overflow(),
        }
    }

    /// Counts one down; the last one wakes those who wait.
    ///
    /// # Panics
    /// If the count is zero: `sync: negative WaitGroup counter`.
    ///
    /// ```
    /// let wg = gaggle::sync::WaitGroup::new();
    /// wg.add(1);
    /// wg.done();
    /// wg.wait();
    /// ```
    #[inline]
    #[track_caller]
    pub fn done(&self) {
        self.inner.add(-1);
    }

    /// Waits until the count is zero. What was done before the last `done` is visible afterwards.
    ///
    /// # Blocking
    /// Parks while the count is not zero.
    ///
    /// ```
    /// let wg = gaggle::sync::WaitGroup::new();
    /// wg.add(1);
    /// gaggle::go!(clone wg; wg.done());
    /// wg.wait();
    /// ```
    #[inline]
    pub fn wait(&self) {
        // ORDERING: Acquire pairs with the Release half of `add`: what was done before `done` is visible.
        if self.inner.word.load(Ordering::Acquire) >> COUNTER_SHIFT != 0 {
            self.inner.wait();
        }
    }
}

#[cold]
#[track_caller]
fn overflow() -> ! {
    panic!("sync: WaitGroup counter overflow")
}

#[cold]
#[track_caller]
fn negative() -> ! {
    panic!("sync: negative WaitGroup counter")
}

impl Inner {
    #[inline]
    #[track_caller]
    fn add(&self, delta: i64) {
        // ORDERING: Relaxed; only the compare-and-swap decides.
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            let Some(counter) = ((seen >> COUNTER_SHIFT) as i64).checked_add(delta) else { overflow() };
            if counter < 0 {
                negative();
            }
            let Ok(counter) = u32::try_from(counter) else { overflow() };
            let ends = counter == 0 && seen & WAITED != 0;
            let generation =
                if ends { (seen & GENERATION).wrapping_add(2) & GENERATION } else { seen & (GENERATION | WAITED) };
            let next = u64::from(counter) << COUNTER_SHIFT | generation;
            // ORDERING: AcqRel. Release publishes what the caller has done, Acquire collects what the others have
            // (each step continues their release sequences): whoever sees or is told of the zero has all of it.
            match self.word.compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if ends => return self.end_generation(seen & GENERATION),
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }

    /// Wakes those who wait for the end of `generation`, or of an earlier one.
    #[cold]
    fn end_generation(&self, generation: u64) {
        let mut woken = WakeList::new();
        let mut queue = self.waiters.lock();
        // SAFETY: the lock is held, so the node at the front is in place.
        while let Some(arm) = queue.front().map(|node| unsafe { node.as_ref().arm }) {
            // A later generation's waiters stand behind (I3); the numbers wrap, so compare their distance.
            if (generation as u32).wrapping_sub(arm) > u32::MAX / 2 {
                break;
            }
            // SAFETY: the lock is held.
            unsafe { woken.claim_front(&mut queue, Outcome::selected(0)) };
        }
        // Wake after unlocking: `woken` is dropped last.
        drop(queue);
    }

    #[cold]
    fn wait(&self) {
        let mut queue = self.waiters.lock();
        // ORDERING: Acquire pairs with the Release half of `add`, for the case that the zero has come.
        let mut seen = self.word.load(Ordering::Acquire);
        while seen & WAITED == 0 {
            if seen >> COUNTER_SHIFT == 0 {
                return;
            }
            // ORDERING: Acquire on failure, as above; success publishes nothing, the queue is under the lock.
            match self.word.compare_exchange(seen, seen | WAITED, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        let ticket = begin_wait();
        let mut node = WaitNode::new(ticket, (seen & GENERATION) as u32, ptr::null_mut());
        // SAFETY: the lock is held, and the node lives on this frame until the end of its generation unlinks it.
        unsafe { queue.push_back(&raw mut node) };
        drop(queue);
        ticket.wait(WaitReason::WaitGroupWait);
    }
}

impl Default for WaitGroup {
    fn default() -> Self {
        Self::new()
    }
}

// A panic cannot leave it half changed: no user code runs under its lock.
impl UnwindSafe for WaitGroup {}
impl RefUnwindSafe for WaitGroup {}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // ORDERING: Relaxed; a snapshot for display.
        let count = self.inner.word.load(Ordering::Relaxed) >> COUNTER_SHIFT;
        f.debug_struct("WaitGroup").field("count", &count).finish_non_exhaustive()
    }
}
