//! Starts the threads of workers.
//!
//! # Locking
//! `all`: its lock (rank Leaf).

use super::processor::Processor;
use super::sleep::Searching;
use super::worker::Worker;
use crate::platform::census;
use crate::primitives::atomic::Ordering;
use crate::primitives::{Lock, LockRank};

/// Go's limit.
const MOST: usize = 10_000;

static ALL: Lock<Vec<&'static Worker>> = Lock::new(LockRank::Leaf, Vec::new());

/// Starts a worker that holds `p`, searching if its starter was counted as such for it.
#[cold]
pub(super) fn start_worker(p: &'static Processor, searching: bool) {
    let worker = {
        let mut all = ALL.lock();
        let index = all.len();
        if index == MOST {
            drop(all);
            crate::platform::fatal::fatal(format_args!("the limit of {MOST} threads is reached"));
        }
        let worker: &'static Worker = Box::leak(Box::new(Worker::new(index)));
        all.push(worker);
        worker
    };
    let p = core::ptr::from_ref(p).expose_provenance();
    let started = std::thread::Builder::new().name(format!("gaggle-{}", worker.index)).spawn(move || {
        worker.set_processor(core::ptr::with_exposed_provenance(p));
        let _died = Died;
        let _own = census::own_thread();
        worker.run(searching.then(Searching::granted));
    });
    if let Err(error) = started {
        crate::platform::fatal::fatal(format_args!("cannot start a thread: {error}"));
    }
}

/// Whether all workers sleep, or are about to, and have let their processors go.
pub(super) fn all_asleep() -> bool {
    // ORDERING: Acquire; the look at who is idle, under the lock that it is written under, came before.
    ALL.lock().iter().all(|w| w.asleep.load(Ordering::Acquire) && !w.inbox_filled())
}

/// How many workers' threads there are.
pub(crate) fn count() -> usize {
    ALL.lock().len()
}

/// A worker that unwinds would take its processor and its goroutines with it, and hang the program.
struct Died;

impl Drop for Died {
    fn drop(&mut self) {
        crate::platform::fatal::bug(format_args!("a worker's thread unwound"));
    }
}
