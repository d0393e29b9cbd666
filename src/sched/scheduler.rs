//! The one scheduler of the process: what all workers share.
//!
//! # Invariants
//! 1. `processors` points to a leaked slice of leaked processors; a longer one replaces it, none is freed.

use super::config::Config;
use super::counters::Counters;
use super::current;
use super::goroutine::{Goroutine, flags};
use super::idle::Attendance;
use super::injector::Injector;
use super::list::List;
use super::processor::Processor;
use super::roster::Roster;
use super::sleep::Desk;
use crate::coroutine::stack::Promises;
use crate::primitives::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use crate::primitives::{Lock, LockRank, barrier};
use core::ptr::{self, NonNull};

type Processors = [&'static Processor];

/// See the module's page.
pub(crate) struct Scheduler {
    pub(super) injector: Injector<Goroutine>,
    pub(crate) roster: Roster,
    pub(super) idle: Desk,
    processors: AtomicPtr<&'static Processors>,
    procs: AtomicUsize,
    started: AtomicBool,
    /// Serialises starting and resizing.
    setup: Lock<()>,
    /// For goroutines started by threads that hold no processor.
    pub(super) promises: Lock<Promises>,
    pub(super) next_id: AtomicU64,
    /// Goroutines started by threads that hold no processor.
    pub(super) started_outside: AtomicU64,
    /// Goroutines that ended on workers that held no processor.
    pub(super) ended_outside: AtomicU64,
}

static SCHEDULER: Scheduler = Scheduler {
    injector: Injector::new(),
    roster: Roster::new(),
    idle: Desk::new(),
    processors: AtomicPtr::new(ptr::null_mut()),
    procs: AtomicUsize::new(0),
    started: AtomicBool::new(false),
    setup: Lock::new(LockRank::Time, ()),
    promises: Lock::new(LockRank::Time, Promises::new()),
    next_id: AtomicU64::new(1),
    started_outside: AtomicU64::new(0),
    ended_outside: AtomicU64::new(0),
};

#[inline(always)]
pub(crate) fn scheduler() -> &'static Scheduler {
    &SCHEDULER
}

impl Scheduler {
    /// Every processor that was ever in use.
    #[inline]
    pub(super) fn processors(&self) -> &'static Processors {
        // ORDERING: Acquire pairs with the Release in `resize`.
        let slice = self.processors.load(Ordering::Acquire);
        // SAFETY: null, or leaked by `resize` (I1).
        unsafe { slice.as_ref() }.copied().unwrap_or(&[])
    }

    /// How many processors are in use.
    #[inline]
    pub(crate) fn procs(&self) -> usize {
        // ORDERING: Relaxed; a number.
        self.procs.load(Ordering::Relaxed)
    }

    /// Starts the scheduler; false if it was running already.
    pub(crate) fn start(&self, config: impl FnOnce() -> Config) -> bool {
        let setup = self.setup.lock();
        // ORDERING: Relaxed; under the lock.
        if self.started.load(Ordering::Relaxed) {
            return false;
        }
        let config = config();
        config.apply();
        barrier::decide();
        super::report::install();
        self.resize_locked(config.procs);
        (crate::HOOKS.starting)();
        // ORDERING: Release pairs with the Acquire in `ensure_started`.
        self.started.store(true, Ordering::Release);
        drop(setup);
        true
    }

    /// Starts the scheduler with its defaults unless it runs.
    #[inline]
    pub(crate) fn ensure_started(&self) {
        // ORDERING: Acquire pairs with the Release in `start`.
        if !self.started.load(Ordering::Acquire) {
            self.start(Config::from_environment);
        }
    }

    /// Changes the number of processors in use; returns the number before.
    pub(crate) fn resize(&self, procs: usize) -> usize {
        let _setup = self.setup.lock();
        let before = self.procs();
        // Inside: a goroutine is not paused while it holds a lock that the monitor takes (pause, I1).
        current::inside(|| self.resize_locked(procs));
        before
    }

    fn resize_locked(&self, procs: usize) {
        let mut all = self.processors().to_vec();
        let known = all.len();
        while all.len() < procs {
            all.push(Box::leak(Box::new(Processor::new())));
        }
        let fresh: Vec<_> = all[known..].to_vec();
        if !fresh.is_empty() {
            let slice: &'static Processors = Vec::leak(all);
            // ORDERING: Release publishes the slice and the processors; pairs with the Acquire in `processors`.
            self.processors.store(Box::into_raw(Box::new(slice)), Ordering::Release);
        }
        // ORDERING: Relaxed; a number.
        self.procs.store(procs, Ordering::Relaxed);
        let mut fresh = fresh.into_iter();
        self.idle.set_target(procs, || fresh.next().expect("runtime bug: too few processors were made"));
    }

    /// Queues a runnable goroutine where any worker may take it; the caller notifies.
    pub(super) fn inject(&self, g: NonNull<Goroutine>) {
        // SAFETY: whoever makes a goroutine runnable owns it, so it is in no list, and runs nowhere.
        unsafe {
            if g.as_ref().has(flags::STARTED) {
                self.injector.push(g);
            } else {
                self.injector.push_fresh(g);
            }
        }
    }

    /// As queueing each of `many`.
    pub(super) fn inject_all(&self, many: &mut dyn Iterator<Item = NonNull<Goroutine>>) {
        let (mut resumed, mut fresh) = (List::new(), List::new());
        many.for_each(|g| {
            // SAFETY: as in `inject`.
            unsafe { if g.as_ref().has(flags::STARTED) { resumed.push_back(g) } else { fresh.push_back(g) } }
        });
        self.injector.append(&mut resumed, &mut fresh);
    }

    /// Moves the work of a processor that goes out of use to the injector.
    pub(super) fn empty_processor(&self, p: &Processor) {
        while let Some(g) = p.take_next().or_else(|| p.queue.pop()) {
            self.inject(g);
        }
    }

    /// How many goroutines there are that have not ended.
    pub(crate) fn num_goroutines(&self) -> usize {
        let (started, ended) = self.started_and_ended();
        started.saturating_sub(ended) as usize
    }

    /// How many goroutines were started, and how many have ended.
    pub(crate) fn started_and_ended(&self) -> (u64, u64) {
        // ORDERING: Relaxed, all; a statistic. Ends are read first, so that the difference is never negative.
        let sum = |f: fn(&Processor) -> &AtomicU64| -> u64 {
            self.processors().iter().map(|p| f(p).load(Ordering::Relaxed)).sum()
        };
        let ended = sum(|p| &p.ended) + self.ended_outside.load(Ordering::Relaxed);
        (sum(|p| &p.started) + self.started_outside.load(Ordering::Relaxed), ended)
    }

    /// For each processor: its counters, and how many goroutines stand in its queue.
    pub(crate) fn counters(&self) -> impl Iterator<Item = (&'static Counters, usize)> {
        self.processors().iter().map(|p| (&p.counters, p.queue.len() + usize::from(!p.peek_next().is_null())))
    }

    /// How many goroutines any worker may take from the common queue.
    pub(crate) fn injected(&self) -> usize {
        self.injector.len()
    }

    /// Whether a goroutine stands in a queue where a thief takes it at once.
    pub(super) fn anything_queued(&self) -> bool {
        !self.injector.is_empty() || self.processors().iter().any(|p| !p.queue.is_empty())
    }

    /// Whether a goroutine stands in a queue that is not a worker's own.
    pub(super) fn anything_runnable(&self) -> bool {
        !self.injector.is_empty() || self.processors().iter().any(|p| p.has_work())
    }

    /// Who is idle.
    pub(crate) fn attendance(&self) -> Attendance {
        // As in `resize`.
        current::inside(|| self.idle.attendance())
    }
}
