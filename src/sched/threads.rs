//! Starts the threads of workers.
//!
//! # Invariants
//! 1. A worker that is given a processor sees to it that another one sleeps, or waits: the monitor, which starts no
//!    thread itself, needs an heir for what it takes away.

use super::processor::Processor;
use super::scheduler::scheduler;
use super::sysmon;
use super::watch::own_thread;
use super::worker::Worker;
use crate::platform::fatal::{FatalWriter, bug, fatal};
use crate::primitives::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::primitives::{Lock, LockRank};
use core::fmt::Write;
use std::io;

/// Go's limit.
pub(super) const MOST: usize = 10_000;

static STARTED: AtomicUsize = AtomicUsize::new(0);
static NAMES: AtomicUsize = AtomicUsize::new(0);
/// Workers without a thread. They are never freed, since others may look at them at any time.
static DISMISSED: Lock<Vec<&'static Worker>> = Lock::new(LockRank::Leaf, Vec::new());
/// A spare is on its way.
static SPARE_COMES: AtomicBool = AtomicBool::new(false);

/// Starts a worker that holds `p`, searching if its starter was counted as such for it.
#[cold]
pub(super) fn start_worker(p: &'static Processor, searching: bool) -> io::Result<()> {
    let p = core::ptr::from_ref(p).expose_provenance();
    start(move |worker| {
        // SAFETY: the address of a processor, and those are leaked.
        let p: &'static Processor = unsafe { &*core::ptr::with_exposed_provenance(p) };
        worker.run(Some(p), searching)
    })
    .inspect_err(cannot_start)
}

/// Starts a worker without a processor, unless one sleeps, or waits, or is on its way (I1).
#[inline]
pub(super) fn ensure_spare() {
    if !scheduler().idle.has_heir() {
        start_spare();
    }
}

/// Starts a worker without a processor if there is none at all: one keeps the lookout for plain threads too.
#[inline]
pub(super) fn ensure_any() {
    if count() == 0 {
        start_spare();
    }
}

#[cold]
fn start_spare() {
    // ORDERING: Relaxed; it keeps two from starting one each, no more.
    if SPARE_COMES.swap(true, Ordering::Relaxed) {
        return;
    }
    // Those that are there go on; whoever is given a processor next tries again.
    if let Err(error) = start(|worker| worker.run(None, false)) {
        spare_has_come();
        if count() == 0 {
            // Not a panic: the caller may have an open wait, and nodes in queues that live on its stack.
            cannot_start(&error);
        }
    }
}

pub(super) fn spare_has_come() {
    // ORDERING: Relaxed; see `start_spare`.
    SPARE_COMES.store(false, Ordering::Relaxed);
}

fn start(life: impl FnOnce(&'static Worker) + Send + 'static) -> io::Result<()> {
    // ORDERING: Relaxed, all three; numbers.
    let (alive, index) = (STARTED.fetch_add(1, Ordering::Relaxed), NAMES.fetch_add(1, Ordering::Relaxed));
    let started = if alive >= MOST {
        Err(io::Error::other(format!("the limit of {MOST} threads is reached")))
    } else {
        std::thread::Builder::new().name(format!("gaggle-{index}")).spawn(move || {
            let died = Died;
            let _own = own_thread();
            let dismissed = DISMISSED.lock().pop();
            let worker = dismissed.unwrap_or_else(|| Box::leak(Box::new(Worker::new())));
            life(worker);
            // Its thread is as good as gone, and the next one may be the same worker.
            DISMISSED.lock().push(worker);
            STARTED.fetch_sub(1, Ordering::Relaxed);
            core::mem::forget(died);
        })
    };
    started.map(|_| sysmon::ensure_started()).inspect_err(|_| {
        STARTED.fetch_sub(1, Ordering::Relaxed);
    })
}

/// Says once that there are too few threads; without any, the program cannot go on.
#[cold]
fn cannot_start(error: &io::Error) {
    static SAID: AtomicBool = AtomicBool::new(false);
    // ORDERING: Relaxed, both; a number, and one of many says it.
    if STARTED.load(Ordering::Relaxed) == 0 {
        fatal(format_args!("cannot start a thread: {error}"));
    }
    if !SAID.swap(true, Ordering::Relaxed) {
        // The writer never fails.
        let _ = writeln!(FatalWriter::new(), "gaggle: cannot start a thread: {error}; going on with those there are");
    }
}

/// How many workers' threads there are.
pub(crate) fn count() -> usize {
    // ORDERING: Relaxed; a number.
    STARTED.load(Ordering::Relaxed)
}

/// A worker that unwinds would take its processor and its goroutines with it, and hang the program.
struct Died;

impl Drop for Died {
    fn drop(&mut self) {
        bug(format_args!("a worker's thread unwound"));
    }
}
