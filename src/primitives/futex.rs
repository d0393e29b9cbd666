//! Sleeping on a 32-bit word: the kernel's futex on Linux, a small table of condition variables elsewhere.
//!
//! # Invariants
//! 1. `wait(word, expected)` returns at once if the word differs; a `wake` after the word was changed reaches
//!    every sleeper that saw the old value. Spurious returns are allowed: callers loop.

use super::atomic::{AtomicU32, Ordering};
use std::time::Duration;

#[cfg(target_os = "linux")]
mod os {
    use super::*;

    pub(crate) fn wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) {
        let spec = timeout.map(|d| libc::timespec {
            tv_sec: libc::time_t::try_from(d.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: d.subsec_nanos() as _,
        });
        let spec_ptr = spec.as_ref().map_or(core::ptr::null(), |s| s as *const libc::timespec);
        // SAFETY: the word outlives the call (it is borrowed) and the timespec lives on this frame; FUTEX_WAIT
        // reads both and writes neither (I1).
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                word.as_ptr(),
                libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
                expected,
                spec_ptr,
            );
        }
    }

    pub(crate) fn wake_one(word: *const AtomicU32) {
        // SAFETY: FUTEX_WAKE uses the address as a key and does not read through it (I1); it may even be stale.
        unsafe {
            libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod os {
    use super::*;
    use std::sync::{Condvar, Mutex, PoisonError};

    struct Bucket(Mutex<()>, Condvar);
    static BUCKETS: [Bucket; 64] = [const { Bucket(Mutex::new(()), Condvar::new()) }; 64];

    fn bucket(word: *const AtomicU32) -> &'static Bucket {
        &BUCKETS[(word.addr() >> 4) % BUCKETS.len()]
    }

    pub(crate) fn wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) {
        let Bucket(mutex, condvar) = bucket(word);
        let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        // ORDERING: Relaxed; the bucket's mutex orders this look before the waker's notification (I1).
        if word.load(Ordering::Relaxed) != expected {
            return;
        }
        match timeout {
            Some(d) => drop(condvar.wait_timeout(guard, d)),
            None => drop(condvar.wait(guard)),
        }
    }

    pub(crate) fn wake_one(word: *const AtomicU32) {
        let Bucket(mutex, condvar) = bucket(word);
        drop(mutex.lock().unwrap_or_else(PoisonError::into_inner));
        // Several words share a bucket: wake all of it, those not meant go back to sleep (I1).
        condvar.notify_all();
    }
}

pub(super) use os::{wait, wake_one};

const EMPTY: u32 = 0;
const SET: u32 = 1;
const WAITING: u32 = 2;

/// A binary semaphore for one waiting thread: `set` lets one `wait`, past or future, through.
#[derive(Debug)]
pub(crate) struct Event(AtomicU32);

impl Event {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(EMPTY))
    }

    /// Blocks the calling OS thread until [`set`](Self::set) was called since the last wait.
    pub(crate) fn wait(&self) {
        while !self.wait_for(None) {}
    }

    /// As [`wait`](Self::wait), but gives up after `timeout`, or earlier; says whether the event was taken.
    pub(crate) fn wait_for(&self, timeout: Option<Duration>) -> bool {
        // ORDERING: Acquire pairs with the Release in `set`: what the setter wrote is seen by the waiter.
        if self.0.compare_exchange(SET, EMPTY, Ordering::Acquire, Ordering::Relaxed).is_ok() {
            return true;
        }
        // ORDERING: Relaxed; a failure means that `set` came between, which the swap below picks up.
        let _ = self.0.compare_exchange(EMPTY, WAITING, Ordering::Relaxed, Ordering::Relaxed);
        wait(&self.0, WAITING, timeout);
        // ORDERING: Acquire pairs with the Release in `set`.
        self.0.swap(EMPTY, Ordering::Acquire) == SET
    }

    /// Whether [`set`](Self::set) was called since the last wait, without waiting; then that one is over.
    pub(crate) fn take(&self) -> bool {
        // ORDERING: Relaxed look; then Acquire pairs with the Release in `set`.
        self.0.load(Ordering::Relaxed) == SET && self.0.swap(EMPTY, Ordering::Acquire) == SET
    }

    /// Lets the waiting thread, or the next one to wait, through.
    pub(crate) fn set(&self) {
        let key: *const AtomicU32 = &self.0;
        // ORDERING: Release pairs with the Acquire in `wait_for`.
        if self.0.swap(SET, Ordering::Release) == WAITING {
            wake_one(key);
        }
    }
}
