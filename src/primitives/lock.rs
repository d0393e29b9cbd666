//! A small mutual-exclusion lock: spins briefly, then sleeps; no poisoning; ranked in debug builds.
//!
//! # Invariants
//! 1. `state` is not `FREE` exactly while a guard exists; the guard's owner alone touches `value`.
//! 2. A guard never crosses a park: it is `!Send`, and debug builds check that no rank is held at a park.
//!
//! A critical section of this crate is a few dozen instructions and never blocks, so a spin pays; the kernel may
//! still preempt the holder, so after it the thread sleeps.
//!
//! Between two looks the spin leaves the lock alone, for longer each time. That is not politeness. Where two threads
//! keep at one lock, most of an operation's time goes into moving the lock's cache line, and what the lock guards,
//! from one to the other; who waits for the time of some hundred critical sections lets the other one have them at
//! the price of a single thread, and then has as many itself.

use super::atomic::{AtomicU32, Ordering};
use super::{LockRank, futex, hint};
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;
/// How often a thread looks before it sleeps: about fifty microseconds in all.
const LOOKS: u32 = 12;
/// Turns of waiting (some 20 ns each) before the first look; each further one comes after twice as many.
const FIRST_WAIT: u32 = 16;
const LONGEST_WAIT: u32 = 256;

/// See the module's page.
pub(crate) struct Lock<T> {
    state: AtomicU32,
    rank: LockRank,
    value: UnsafeCell<T>,
}

// SAFETY: the lock hands out access to one thread at a time (I1), which is what `T: Send` asks for.
unsafe impl<T: Send> Send for Lock<T> {}
// SAFETY: as above: sharing the lock shares no `&T` without the guard (I1).
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    pub(crate) const fn new(rank: LockRank, value: T) -> Self {
        Self { state: AtomicU32::new(FREE), rank, value: UnsafeCell::new(value) }
    }

    /// Waits for the lock; the wait is short by construction and never a park.
    #[inline]
    pub(crate) fn lock(&self) -> LockGuard<'_, T> {
        // ORDERING: Acquire pairs with the Release of the guard's drop.
        if self.state.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.lock_contended();
        }
        ranks::push(self.rank);
        LockGuard { lock: self, _not_send: PhantomData }
    }

    #[cold]
    fn lock_contended(&self) {
        let mut turns = FIRST_WAIT;
        for _ in 0..LOOKS {
            for _ in 0..turns {
                hint::spin_loop();
            }
            turns = (2 * turns).min(LONGEST_WAIT);
            // ORDERING: Relaxed look, then Acquire on success; pairs with the guard's drop.
            if self.state.load(Ordering::Relaxed) == FREE
                && self.state.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                return;
            }
        }
        // ORDERING: Acquire pairs with the Release of the guard's drop. CONTENDED is kept although we may be the
        // last: it costs the next unlock one needless wake, never a lost one.
        while self.state.swap(CONTENDED, Ordering::Acquire) != FREE {
            futex::wait(&self.state, CONTENDED, None);
        }
    }
}

impl<T> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("rank", &self.rank).finish_non_exhaustive()
    }
}

/// Access to the value of a [`Lock`]; dropping it unlocks.
pub(crate) struct LockGuard<'a, T> {
    lock: &'a Lock<T>,
    _not_send: PhantomData<*mut ()>,
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this guard exists, so no other does (I1).
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard exists, so no other does (I1), and it is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for LockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        ranks::pop(self.lock.rank);
        let key: *const AtomicU32 = &self.lock.state;
        // ORDERING: Release pairs with the Acquire of the next `lock`. After it the lock may be freed by its next
        // holder: only the address is used from here on.
        if self.lock.state.swap(FREE, Ordering::Release) == CONTENDED {
            futex::wake_one(key);
        }
    }
}

/// Checks, in debug builds, that the calling thread holds no lock (I2).
#[inline]
pub(crate) fn assert_none_held() {
    ranks::assert_none();
}

#[cfg(not(debug_assertions))]
mod ranks {
    use super::LockRank;
    #[inline(always)]
    pub(super) fn assert_none() {}
    #[inline(always)]
    pub(super) fn push(_: LockRank) {}
    #[inline(always)]
    pub(super) fn pop(_: LockRank) {}
}

#[cfg(debug_assertions)]
mod ranks {
    //! How many locks of each rank this thread holds.
    use super::LockRank;
    use core::cell::Cell;

    thread_local! {
        static HELD: Cell<[u8; 6]> = const { Cell::new([0; 6]) };
    }

    #[inline(never)]
    pub(super) fn assert_none() {
        let held = HELD.get();
        assert!(held.iter().all(|n| *n == 0), "runtime bug: a park under a lock, by rank: {held:?}");
    }

    #[inline(never)]
    pub(super) fn push(rank: LockRank) {
        let mut held = HELD.get();
        let from = rank as usize + usize::from(rank == LockRank::Chan);
        assert!(held[from..].iter().all(|n| *n == 0), "runtime bug: lock of rank {rank:?} taken under a higher one");
        held[rank as usize] += 1;
        HELD.set(held);
    }

    #[inline(never)]
    pub(super) fn pop(rank: LockRank) {
        let mut held = HELD.get();
        held[rank as usize] -= 1;
        HELD.set(held);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sync::Arc;
    use super::*;

    #[test]
    fn nobody_is_let_in_twice() {
        // A contender that believes the lock free while it is held, or that sleeps and is not woken.
        const THREADS: usize = 4;
        const ROUNDS: usize = 20_000;
        let lock = Arc::new(Lock::new(LockRank::Leaf, (0usize, 0usize)));
        let all: Vec<_> = (0..THREADS)
            .map(|_| {
                let lock = lock.clone();
                std::thread::spawn(move || {
                    for round in 0..ROUNDS {
                        let mut pair = lock.lock();
                        assert_eq!(pair.0, pair.1);
                        pair.0 += 1;
                        // Now and then the lock is held for longer than anybody spins.
                        for _ in 0..if round % 4096 == 0 { 100_000 } else { 0 } {
                            hint::spin_loop();
                        }
                        pair.1 += 1;
                    }
                })
            })
            .collect();
        all.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*lock.lock(), (THREADS * ROUNDS, THREADS * ROUNDS));
    }
}
