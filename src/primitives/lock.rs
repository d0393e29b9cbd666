//! A small mutual-exclusion lock: spins briefly, then sleeps; no poisoning; ranked in debug builds.
//!
//! # Invariants
//! 1. `raw` is held exactly while a guard exists; the guard's owner alone touches `value`.
//! 2. A guard never crosses a park: it is `!Send`, and debug builds check that no rank is held at a park.
//!
//! A critical section of this crate is a few dozen instructions and never blocks, so a spin pays; the kernel may
//! still preempt the holder, so after it the thread sleeps.
//!
//! Between two looks the spin leaves the lock alone, for longer each time. That is not politeness. Where two threads
//! keep at one lock, most of an operation's time goes into moving the lock's cache line, and what the lock guards,
//! from one to the other; who waits for the time of some hundred critical sections lets the other one have them at
//! the price of a single thread, and then has as many itself.

use super::LockRank;
use super::raw_lock::RawLock;
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::ops::{Deref, DerefMut};

/// See the module's page.
pub(crate) struct Lock<T> {
    raw: RawLock,
    rank: ranks::Rank,
    value: UnsafeCell<T>,
}

// SAFETY: the lock hands out access to one thread at a time (I1), which is what `T: Send` asks for.
unsafe impl<T: Send> Send for Lock<T> {}
// SAFETY: as above: sharing the lock shares no `&T` without the guard (I1).
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    pub(crate) const fn new(rank: LockRank, value: T) -> Self {
        Self { raw: RawLock::new(), rank: ranks::Rank::of(rank), value: UnsafeCell::new(value) }
    }

    /// Waits for the lock; the wait is short by construction and never a park.
    #[inline]
    pub(crate) fn lock(&self) -> LockGuard<'_, T> {
        self.raw.lock();
        self.rank.push();
        LockGuard { lock: self, _not_send: PhantomData }
    }

    /// Unlocks by a plain store. To the drop of a guard it owes two things. The lock is looked at once more when the next
    /// one is in: it must not be freed by that one, which the guard's borrow says. And it is no fence: a later load may be
    /// carried out before it.
    #[inline]
    pub(crate) fn unlock_lightly(guard: LockGuard<'_, T>) {
        let lock = guard.lock;
        mem::forget(guard);
        lock.rank.pop();
        lock.raw.unlock_lightly();
    }
}

impl<T> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
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
        self.lock.rank.pop();
        // After it the lock may be freed by its next holder.
        self.lock.raw.unlock();
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

    /// Nothing: so a lock is two words and its value.
    pub(super) struct Rank;

    impl Rank {
        pub(super) const fn of(_: LockRank) -> Self {
            Self
        }

        #[inline(always)]
        pub(super) fn push(&self) {}

        #[inline(always)]
        pub(super) fn pop(&self) {}
    }

    #[inline(always)]
    pub(super) fn assert_none() {}
}

#[cfg(debug_assertions)]
mod ranks {
    //! How many locks of each rank this thread holds.
    use super::LockRank;
    use core::cell::Cell;

    thread_local! {
        static HELD: Cell<[u8; 6]> = const { Cell::new([0; 6]) };
    }

    pub(super) struct Rank(LockRank);

    impl Rank {
        pub(super) const fn of(rank: LockRank) -> Self {
            Self(rank)
        }

        #[inline(never)]
        pub(super) fn push(&self) {
            let rank = self.0;
            let mut held = HELD.get();
            let from = rank as usize + usize::from(rank == LockRank::Chan);
            assert!(
                held[from..].iter().all(|n| *n == 0),
                "runtime bug: lock of rank {rank:?} taken under a higher one"
            );
            held[rank as usize] += 1;
            HELD.set(held);
        }

        #[inline(never)]
        pub(super) fn pop(&self) {
            let mut held = HELD.get();
            held[self.0 as usize] -= 1;
            HELD.set(held);
        }
    }

    #[inline(never)]
    pub(super) fn assert_none() {
        let held = HELD.get();
        assert!(held.iter().all(|n| *n == 0), "runtime bug: a park under a lock, by rank: {held:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::super::sync::Arc;
    use super::super::{barrier, hint};
    use super::*;

    #[test]
    fn nobody_is_let_in_twice() {
        // A contender that believes the lock free while it is held, or that sleeps and is not woken: by one who unlocks
        // lightly, or by one who has seen nothing of the word that such a one wiped out.
        const THREADS: usize = 4;
        const ROUNDS: usize = 20_000;
        barrier::decide();
        let lock = Arc::new(Lock::new(LockRank::Leaf, (0usize, 0usize)));
        let all: Vec<_> = (0..THREADS)
            .map(|thread| {
                let lock = lock.clone();
                std::thread::spawn(move || {
                    for round in 0..ROUNDS {
                        let mut pair = lock.lock();
                        assert_eq!(pair.0, pair.1);
                        pair.0 += 1;
                        // Now and then the lock is held for longer than anybody spins.
                        for _ in 0..if round % 256 == 0 { 10_000 } else { 0 } {
                            hint::spin_loop();
                        }
                        pair.1 += 1;
                        // One does so always, one never, the others now and then.
                        if thread != 0 && (thread == 1 || round % thread == 0) {
                            Lock::unlock_lightly(pair);
                        }
                    }
                })
            })
            .collect();
        all.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*lock.lock(), (THREADS * ROUNDS, THREADS * ROUNDS));
    }
}
