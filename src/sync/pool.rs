//! [`Pool`]: values to be used again rather than made anew.
//!
//! # Invariants
//! 1. `low` is the least number of idle values since the last review. Those many were not needed by anybody since.
//!
//! # Locking
//! `idle`: guarded by its lock (rank Leaf). Values are made and dropped outside: that is a user's code.

use crate::primitives::{Lock, LockRank};
use core::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// So many operations are between two reviews of what is needed.
const REVIEW: u32 = 1024;

/// Values that are costly to make, kept for whoever needs one next: buffers, as a rule.
///
/// [`get`](Self::get) takes the one that was put back last, or makes one; [`put`](Self::put) gives one back. A value
/// comes back as it was left: clear it before `put`, or after `get`.
///
/// ```
/// use gaggle::sync::Pool;
///
/// static BUFFERS: Pool<Vec<u8>> = Pool::new(|| Vec::with_capacity(4096));
///
/// let mut buffer = BUFFERS.get();
/// buffer.extend_from_slice(b"hello");
/// buffer.clear();
/// BUFFERS.put(buffer);
/// assert!(BUFFERS.get().capacity() >= 4096);
/// ```
///
/// # What is dropped, and when
/// Values that were not needed for a while: every 1024 operations, half of those that lay idle all the time, the oldest
/// first, dropped by whoever made the last of these operations. So a burst does not occupy memory for ever; a pool that
/// nobody uses keeps what it has, until [`clear`](Self::clear). The rest goes with the pool. A value that is not put
/// back is its holder's, and dropped by that one.
///
/// # Compared with Go
/// `sync.Pool`, where the garbage collector drops what was not needed between two of its runs.
pub struct Pool<T, F = fn() -> T> {
    init: F,
    idle: Lock<Idle<T>>,
}

struct Idle<T> {
    values: Vec<T>,
    low: usize,
    operations: u32,
}

impl<T, F> Pool<T, F> {
    const_unless_loom! {
        /// A pool without values, and how to make one.
        ///
        /// ```
        /// let pool = gaggle::sync::Pool::new(String::new);
        /// assert_eq!(pool.get(), "");
        /// ```
        pub const fn new(init: F) -> Self {
            let idle = Idle { values: Vec::new(), low: 0, operations: 0 };
            Self { init, idle: Lock::new(LockRank::Leaf, idle) }
        }
    }

    /// Gives a value back, for whoever needs one next.
    ///
    /// ```
    /// let pool = gaggle::sync::Pool::new(|| 0);
    /// pool.put(7);
    /// assert_eq!((pool.get(), pool.get()), (7, 0));
    /// ```
    pub fn put(&self, value: T) {
        let mut idle = self.idle.lock();
        idle.values.push(value);
        let surplus = idle.review();
        drop(idle);
        drop(surplus);
    }

    /// Drops all values that lie idle.
    ///
    /// ```
    /// let pool = gaggle::sync::Pool::new(|| 0);
    /// pool.put(7);
    /// pool.clear();
    /// assert_eq!(pool.get(), 0);
    /// ```
    pub fn clear(&self) {
        let values = {
            let mut idle = self.idle.lock();
            idle.low = 0;
            std::mem::take(&mut idle.values)
        };
        drop(values);
    }
}

impl<T, F: Fn() -> T> Pool<T, F> {
    /// Takes the value that was put back last, or makes one.
    ///
    /// ```
    /// let pool = gaggle::sync::Pool::new(|| vec![1, 2, 3]);
    /// assert_eq!(pool.get(), [1, 2, 3]);
    /// ```
    pub fn get(&self) -> T {
        let mut idle = self.idle.lock();
        let value = idle.values.pop();
        let surplus = idle.review();
        drop(idle);
        drop(surplus);
        value.unwrap_or_else(&self.init)
    }
}

impl<T> Idle<T> {
    /// Counts an operation; at the end of a round, takes out half of what nobody needed.
    fn review(&mut self) -> Vec<T> {
        self.low = self.low.min(self.values.len());
        self.operations += 1;
        if self.operations < REVIEW {
            return Vec::new();
        }
        let surplus = self.values.drain(..self.low.div_ceil(2)).collect();
        self.operations = 0;
        self.low = self.values.len();
        surplus
    }
}

// A panic cannot leave it half changed: no user code runs under its lock.
impl<T, F: UnwindSafe> UnwindSafe for Pool<T, F> {}
impl<T, F: RefUnwindSafe> RefUnwindSafe for Pool<T, F> {}

impl<T, F> fmt::Debug for Pool<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
