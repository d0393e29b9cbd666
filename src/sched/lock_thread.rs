//! Goroutines that want a thread for themselves: `lock_os_thread`, and migrating goroutines that park while they
//! panic, since the count of panics, `std::thread::panicking`, is the thread's.
//!
//! # Invariants
//! 1. `Worker::locked` counts the goroutines at home there that want the thread. While it is not zero the worker
//!    runs only goroutines whose home it is; its processor's other work goes to others.
//! 2. It is written inside the lease: the monitor reads it while the owner is kept outside (lease, I3).

use super::current;
use super::goroutine::{Goroutine, flags};
use super::worker::Worker;
use core::ptr::{self, NonNull};

fn add(w: &Worker, g: &Goroutine) {
    if g.home().is_null() {
        g.set_home(ptr::from_ref(w).cast_mut());
        w.residents.set(w.residents.get() + 1);
    }
    w.locked.set(w.locked.get() + 1);
}

fn remove(w: &Worker, g: &Goroutine) {
    w.locked.set(w.locked.get() - 1);
    let stays = !g.has(flags::MIGRATING) || g.has(flags::PINNED) || g.has(flags::PANIC_HOME) || g.os_locks.get() != 0;
    if !stays {
        g.set_home(ptr::null_mut());
        w.residents.set(w.residents.get() - 1);
    }
}

/// Ties the running goroutine to this thread once more; false on a plain thread.
pub(crate) fn lock() -> bool {
    let Some((w, g)) = here() else { return false };
    // SAFETY: it runs here.
    let g = unsafe { g.as_ref() };
    g.os_locks.set(g.os_locks.get() + 1);
    if g.os_locks.get() == 1 {
        w.inside(|| add(w, g));
    }
    true
}

/// Undoes one [`lock`] of the running goroutine.
pub(crate) fn unlock() {
    let Some((w, g)) = here() else { return };
    // SAFETY: it runs here.
    let g = unsafe { g.as_ref() };
    // None: a guard that another goroutine left in a thread local. That one keeps its lock until it ends.
    let Some(left) = g.os_locks.get().checked_sub(1) else { return };
    g.os_locks.set(left);
    if left == 0 {
        w.inside(|| remove(w, g));
    }
}

fn here() -> Option<(&'static Worker, NonNull<Goroutine>)> {
    let w = current::worker()?;
    Some((w, NonNull::new(w.current())?))
}

/// Before a park or a yield: the count of panics is the thread's, so a migrating goroutine stays while it has one.
#[inline]
pub(super) fn before_park(w: &Worker, g: &Goroutine) {
    if g.has(flags::MIGRATING) && std::thread::panicking() != g.has(flags::PANIC_HOME) {
        panic_home(w, g);
    }
}

#[cold]
fn panic_home(w: &Worker, g: &Goroutine) {
    let panicking = !g.has(flags::PANIC_HOME);
    g.set_flag(flags::PANIC_HOME, panicking);
    if panicking { add(w, g) } else { remove(w, g) }
}

/// At a goroutine's end: whatever it still holds of the thread is released.
#[inline]
pub(super) fn forget(w: &Worker, g: &Goroutine) {
    if g.os_locks.get() != 0 || g.has(flags::PANIC_HOME) {
        forget_cold(w, g);
    }
}

#[cold]
fn forget_cold(w: &Worker, g: &Goroutine) {
    if g.has(flags::PANIC_HOME) {
        g.set_flag(flags::PANIC_HOME, false);
        remove(w, g);
    }
    if g.os_locks.replace(0) != 0 {
        remove(w, g);
    }
}
