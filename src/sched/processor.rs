//! The P: the right to run goroutines, and what goes with it.
//!
//! # Invariants
//! 1. A processor is *held* by at most one worker. Fields marked *holder* are accessed by it alone; handing a
//!    processor over goes through the scheduler's lock or a worker's event, which publish them.
//! 2. `run_next` holds a goroutine that may be stolen (one that has no home).

use super::counters::Counters;
use super::goroutine::Goroutine;
use super::list::List;
use super::local_queue::LocalQueue;
use super::run_next::RunNext;
use super::worker::Worker;
use crate::coroutine::stack::Promises;
use crate::primitives::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use crate::primitives::cell::UnsafeCell;
use core::cell::Cell;
use core::ptr::{self, NonNull};

/// See the module's page.
pub(crate) struct Processor {
    pub(super) queue: LocalQueue<Goroutine>,
    /// The goroutine to run before the queue: woken or started last by the one that runs now.
    run_next: RunNext<Goroutine>,
    /// Counts switches; a thief that sees it stand still may take `run_next`.
    tick: AtomicU32,
    /// The worker that holds it, or held it last. A hint for the monitor.
    holder: AtomicPtr<Worker>,
    /// Holder writes: goroutines started, and ended, here.
    pub(super) started: AtomicU64,
    pub(super) ended: AtomicU64,
    /// Holder writes.
    pub(super) counters: Counters,
    /// Holder: free goroutine objects.
    free: UnsafeCell<List<Goroutine>>,
    /// Holder: promises of stacks.
    promises: UnsafeCell<Promises>,
    /// Holder: goroutine numbers not yet given out.
    ids: Cell<(u64, u64)>,
}

// SAFETY: holder fields are accessed by one worker at a time (I1), the rest is atomic.
unsafe impl Send for Processor {}
// SAFETY: as above (I1).
unsafe impl Sync for Processor {}

impl Processor {
    pub(super) fn new() -> Self {
        Self {
            queue: LocalQueue::new(),
            run_next: RunNext::new(),
            tick: AtomicU32::new(0),
            holder: AtomicPtr::new(ptr::null_mut()),
            started: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            counters: Counters::new(),
            free: UnsafeCell::new(List::new()),
            promises: UnsafeCell::new(Promises::new()),
            ids: Cell::new((0, 0)),
        }
    }

    /// Puts `g` first; what stood there is returned. Holder only.
    #[inline]
    pub(super) fn set_next(&self, g: NonNull<Goroutine>) -> Option<NonNull<Goroutine>> {
        self.run_next.set(g)
    }

    /// Takes what stands first. Holder, or a patient thief.
    #[inline]
    pub(super) fn take_next(&self) -> Option<NonNull<Goroutine>> {
        self.run_next.take()
    }

    pub(super) fn peek_next(&self) -> *mut Goroutine {
        self.run_next.peek()
    }

    /// Whether there seems to be work for a thief, or for a worker that takes this processor.
    pub(super) fn has_work(&self) -> bool {
        !self.queue.is_empty() || !self.peek_next().is_null()
    }

    pub(super) fn set_holder(&self, w: &'static Worker) {
        // ORDERING: Release publishes the worker itself, which may be new; pairs with the Acquire in `holder`. That it
        // holds this processor is a hint, checked under the worker's lease.
        self.holder.store(ptr::from_ref(w).cast_mut(), Ordering::Release);
    }

    pub(super) fn holder(&self) -> Option<&'static Worker> {
        // ORDERING: Acquire pairs with the Release in `set_holder`: a worker is seen as it was made.
        let w = self.holder.load(Ordering::Acquire);
        // SAFETY: workers are leaked, and this one was complete when it was stored.
        unsafe { w.as_ref() }
    }

    pub(super) fn tick(&self) -> u32 {
        // ORDERING: Relaxed; compared with an earlier look, nothing rides on it.
        self.tick.load(Ordering::Relaxed)
    }

    /// Counts a switch. Holder only.
    #[inline]
    pub(super) fn count_switch(&self) {
        // ORDERING: Relaxed; thieves and the monitor compare it with what they saw before.
        self.tick.store(self.tick.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// Adds one to a counter that only the holder writes.
    #[inline]
    pub(super) fn count(counter: &AtomicU64) {
        // ORDERING: Relaxed; a statistic, written by the holder alone.
        counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// The next goroutine number. Holder only.
    #[inline]
    pub(super) fn next_id(&self, refill: impl FnOnce(u64) -> u64) -> u64 {
        const BLOCK: u64 = 64;
        let (mut next, mut end) = self.ids.get();
        if next == end {
            next = refill(BLOCK);
            end = next + BLOCK;
        }
        self.ids.set((next + 1, end));
        next
    }

    /// Free goroutine objects.
    ///
    /// # Safety
    /// Holder only (I1), and no other borrow is alive.
    #[inline]
    #[allow(clippy::mut_from_ref)]
    pub(super) unsafe fn free(&self) -> &mut List<Goroutine> {
        // SAFETY: by the contract the access is exclusive.
        self.free.with_mut(|free| unsafe { &mut *free })
    }

    /// Promises of stacks. Holder only; `f` calls nothing back.
    #[inline]
    pub(super) fn with_promises<R>(&self, f: impl FnOnce(&mut Promises) -> R) -> R {
        // SAFETY: one worker at a time (I1), and `f` does not come back.
        self.promises.with_mut(|promises| f(unsafe { &mut *promises }))
    }
}
