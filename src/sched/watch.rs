//! Who looks whether all goroutines are asleep for ever, and when.
//!
//! A worker that has slept for a while looks, so a program that is at work never pays for it. Whoever lies down last
//! looks last. What else can end the last hope, does one of two things: an [`External`] that ends wakes the worker that
//! looked last, to look again; the program's own threads end without a word, so as long as there is nothing but them
//! the worker looks every now and then.
//!
//! # Invariants
//! 1. A worker enters itself as `WATCHMAN` before it looks. An external that ends first ceases to be counted and then
//!    looks for the watchman: so either the look sees it gone, or it sees the watchman.

use super::current;
use super::quiescence::{self, Verdict, World};
use super::scheduler::{Scheduler, scheduler};
use super::vigil;
use super::worker::Worker;
use crate::platform::census;
pub(crate) use crate::platform::census::own_thread;
use crate::primitives::atomic::{AtomicBool, AtomicPtr, Ordering};
use crate::primitives::{Lock, LockRank, Reading, Tally};
use core::ptr;
use core::time::Duration;

/// How long a worker sleeps before it looks.
pub(super) const SOON: Duration = Duration::from_millis(10);
/// The longest pause between two looks at the program's threads.
const SELDOM: Duration = Duration::from_secs(1);

static EXTERNAL: Tally = Tally::new();
/// The worker to wake for another look (I1).
static WATCHMAN: AtomicPtr<Worker> = AtomicPtr::new(ptr::null_mut());

/// All workers, for a look at their inboxes: one that has let its processor go may not have looked yet itself.
static WORKERS: Lock<Vec<&'static Worker>> = Lock::new(LockRank::Leaf, Vec::new());

/// A new worker begins.
pub(super) fn enter(w: &'static Worker) {
    WORKERS.lock().push(w);
}

/// A worker ends. Whoever is woken in its place will be the watchman.
pub(super) fn leave(w: &'static Worker) {
    WORKERS.lock().retain(|other| !ptr::eq(*other, w));
}

fn inboxes_are_empty() -> bool {
    !WORKERS.lock().iter().any(|w| w.inbox_filled())
}

/// Something is under way that may wake a goroutine, though no goroutine is at work on it: nothing is called a deadlock
/// while it exists. Begun before the goroutine parks that relies on it, and ended after the wake.
#[derive(Debug)]
pub(crate) struct External(());

impl External {
    pub(crate) fn begin() -> Self {
        EXTERNAL.add();
        Self(())
    }
}

impl Drop for External {
    fn drop(&mut self) {
        // A worker that is at work lies down some time, and looks then.
        let at_work = || current::worker().is_some_and(|w| !w.current().is_null() || w.has_processor());
        if EXTERNAL.take() == 0 && !at_work() {
            wake_watchman();
        }
    }
}

#[cold]
fn wake_watchman() {
    // ORDERING: SeqCst, both; after the `take`, which is too (I1). Taken off, so that a quick succession of externals
    // wakes it once.
    if WATCHMAN.load(Ordering::SeqCst).is_null() {
        return;
    }
    let watchman = WATCHMAN.swap(ptr::null_mut(), Ordering::SeqCst);
    // SAFETY: null, or a worker, which is leaked.
    if let Some(worker) = unsafe { watchman.as_ref() } {
        vigil::ring(worker);
    }
}

impl World for Scheduler {
    fn external(&self) -> Reading {
        EXTERNAL.read()
    }

    fn at_rest(&self) -> Option<u64> {
        let quiet = || self.idle.all_idle() && !self.anything_runnable() && inboxes_are_empty();
        if !quiet() {
            return None;
        }
        // Of whoever was at work before, and lay down, the lock has published what it counted.
        let resumed = self.processors().iter().map(|p| u64::from(p.tick())).sum();
        quiet().then_some(resumed)
    }

    fn accounted(&self) -> Reading {
        census::accounted()
    }

    fn threads(&self) -> Option<u32> {
        census::threads()
    }
}

/// The calling plain thread blocks in an operation of this crate.
pub(crate) fn thread_blocks() {
    census::blocks();
}

/// The calling plain thread goes on after it blocked.
pub(crate) fn thread_goes_on() {
    census::goes_on();
}

/// A plain thread that blocked will run: said by its waker, before it rings.
pub(crate) fn thread_is_woken() {
    census::unblocks();
}

/// For a worker that has slept for `slept` since its last look: looks, and says when to look again.
pub(super) fn after_a_nap(w: &'static Worker, slept: Duration) -> Option<Duration> {
    // ORDERING: SeqCst; before the look (I1).
    WATCHMAN.store(ptr::from_ref(w).cast_mut(), Ordering::SeqCst);
    match quiescence::look(scheduler()) {
        Verdict::Alive => None,
        Verdict::Threads => Some((2 * slept).min(SELDOM)),
        Verdict::Dead => {
            report();
            None
        }
    }
}

/// Says so, once, and ends the process. The other workers that find out sleep on.
fn report() {
    static SAID: AtomicBool = AtomicBool::new(false);
    // ORDERING: Relaxed; it elects one.
    if !SAID.swap(true, Ordering::Relaxed) {
        (crate::HOOKS.deadlock)();
    }
}
