//! The words of a lock: who is in, who may have to be woken. There are two ways out, and one goes without a locked
//! instruction.
//!
//! # Invariants
//! 1. `state` is not `FREE` exactly while somebody is in.
//! 2. Who is asleep on `state` is counted in `sleepers`, and has passed [`barrier::heavy`] between the count and its
//!    first `swap`.
//! 3. While anybody is asleep, `state` is `CONTENDED`, or a wake is on its way, or somebody who was woken is about to
//!    make it `CONTENDED` again. So the next one out by [`RawLock::unlock`] needs to know nothing but `state`.
//!
//! Why [`RawLock::unlock_lightly`], whose store may wipe out a `CONTENDED` that it has not seen, keeps I3: for every
//! sleeper, either its fence came first (I2), and then the look at `sleepers` sees it; or the store did, and then the
//! sleeper's `swap` comes after the store, and what it wrote is not wiped out. One wake is enough for all: who is woken
//! makes the word `CONTENDED` whether it gets in or not, and whether or not somebody else got in before it.

use super::atomic::{AtomicU32, Ordering};
use super::{barrier, futex, hint};

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;
/// How often a thread looks before it sleeps: about fifty microseconds in all.
const LOOKS: u32 = if cfg!(loom) { 0 } else { 12 };
/// Turns of waiting (some 20 ns each) before the first look; each further one comes after twice as many.
const FIRST_WAIT: u32 = 16;
const LONGEST_WAIT: u32 = 256;

/// See the module's page.
pub(super) struct RawLock {
    state: AtomicU32,
    /// How many threads are asleep, or will be unless they get in (I2).
    sleepers: AtomicU32,
}

impl RawLock {
    #[cfg(not(loom))]
    pub(super) const fn new() -> Self {
        Self { state: AtomicU32::new(FREE), sleepers: AtomicU32::new(0) }
    }

    #[cfg(loom)]
    pub(super) fn new() -> Self {
        Self { state: AtomicU32::new(FREE), sleepers: AtomicU32::new(0) }
    }

    #[inline]
    pub(super) fn lock(&self) {
        if !self.try_lock() {
            self.lock_contended();
        }
    }

    #[inline(always)]
    fn try_lock(&self) -> bool {
        // ORDERING: Acquire pairs with the Release of either way out.
        self.state.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[cold]
    fn lock_contended(&self) {
        let mut turns = FIRST_WAIT;
        for _ in 0..LOOKS {
            for _ in 0..turns {
                hint::spin_loop();
            }
            turns = (2 * turns).min(LONGEST_WAIT);
            // ORDERING: Relaxed look; `try_lock` orders.
            if self.state.load(Ordering::Relaxed) == FREE && self.try_lock() {
                return;
            }
        }
        self.sleep();
    }

    fn sleep(&self) {
        // ORDERING: Relaxed; ordered by the fence.
        self.sleepers.fetch_add(1, Ordering::Relaxed);
        // The count before the swap (I2); pairs with the light fence in `unlock_lightly`. Nobody may sleep without it: if
        // the kernel fails, for want of memory, or because the program has forbidden itself the call, we wait awake.
        while !barrier::heavy() {
            if self.try_lock() {
                return self.is_up();
            }
            std::thread::yield_now();
        }
        // ORDERING: Acquire pairs with the Release of either way out. CONTENDED is kept although we may be the last
        // (I3): it costs the next one out a needless wake, never a lost one.
        while self.state.swap(CONTENDED, Ordering::Acquire) != FREE {
            futex::wait(&self.state, CONTENDED, None);
        }
        self.is_up();
    }

    fn is_up(&self) {
        // ORDERING: Relaxed; who reads the count too high calls the kernel in vain, or wakes somebody who looks again.
        self.sleepers.fetch_sub(1, Ordering::Relaxed);
    }

    /// Lets the next one in. It may free the lock: nothing but the address is used after that.
    #[inline]
    pub(super) fn unlock(&self) {
        let key: *const AtomicU32 = &self.state;
        // ORDERING: Release pairs with the Acquire of whoever gets in next.
        if self.state.swap(FREE, Ordering::Release) == CONTENDED {
            futex::wake_one(key);
        }
    }

    /// Lets the next one in by a plain store. The lock must outlive the call. What comes after it in program order may
    /// come before it in that of memory: this is no fence.
    #[inline]
    pub(super) fn unlock_lightly(&self) {
        // ORDERING: Release pairs with the Acquire of whoever gets in next.
        overwrite(&self.state, FREE, Ordering::Release);
        // The store before the look (I3); pairs with the heavy fence in `sleep`.
        barrier::light();
        // ORDERING: Relaxed; ordered by the fence.
        if self.sleepers.load(Ordering::Relaxed) != 0 {
            futex::wake_one(&self.state);
        }
    }
}

/// A store. A model does it by an exchange that looks at nothing: behind a store, loom lets a later exchange read what
/// an exchange before the store wrote, which has no order that its storer knows. The two are the same otherwise: either
/// comes last in the order of the word's changes, and acquires nothing.
#[inline(always)]
fn overwrite(word: &AtomicU32, value: u32, order: Ordering) {
    if cfg!(loom) {
        word.swap(value, order);
    } else {
        word.store(value, order);
    }
}

#[cfg(all(test, loom))]
#[path = "raw_lock_models.rs"]
mod models;
