//! A worker and its processor: what it holds, how it gets it and loses it, and when it may use it (worker, I6).

use super::counters;
use super::processor::Processor;
use super::scheduler::scheduler;
use super::worker::Worker;
use crate::primitives::atomic::Ordering;
use core::ptr;

impl Worker {
    /// The processor that this worker holds, if it holds one. Owner only, inside (I6).
    #[inline]
    pub(super) fn processor(&self) -> Option<&'static Processor> {
        // ORDERING: Relaxed; the owner's own word.
        let p = self.processor.load(Ordering::Relaxed);
        // SAFETY: processors are leaked.
        unsafe { p.as_ref() }
    }

    /// The processor of a worker that is known to hold one. Owner only, inside (I6).
    #[inline]
    pub(super) fn held(&self) -> &'static Processor {
        // ORDERING: Relaxed; the owner's own word.
        let p = self.processor.load(Ordering::Relaxed);
        debug_assert!(!p.is_null(), "runtime bug: no processor");
        // SAFETY: whoever calls this has seen that there is one, on the same stay inside; processors are leaked.
        unsafe { &*p }
    }

    /// Whether it holds a processor. Owner only, inside (I6).
    #[inline]
    pub(super) fn has_processor(&self) -> bool {
        // ORDERING: Relaxed; the owner's own word.
        !self.processor.load(Ordering::Relaxed).is_null()
    }

    /// Whether this worker holds `p`. For the monitor: a hint, unless the owner is kept outside (lease, I3).
    pub(super) fn holds(&self, p: &Processor) -> bool {
        // ORDERING: Relaxed; ordered by the lease where it counts.
        ptr::eq(self.processor.load(Ordering::Relaxed), p)
    }

    /// The owner was given `p`, and is inside. A new tick: the monitor counts from here.
    pub(super) fn grant(&'static self, p: &'static Processor) {
        p.set_holder(self);
        p.count_switch();
        // ORDERING: Relaxed; the owner's own word, ordered for the monitor by the lease.
        self.processor.store(ptr::from_ref(p).cast_mut(), Ordering::Relaxed);
        // ORDERING: Relaxed; a mark that was meant for another goroutine, or is set again.
        self.slice.store(false, Ordering::Relaxed);
        self.lease.renew();
    }

    /// The owner gave its processor away, and is inside.
    pub(super) fn forget_processor(&self) {
        // ORDERING: Relaxed; the owner's own word.
        self.processor.store(ptr::null_mut(), Ordering::Relaxed);
    }

    /// Comes inside from a goroutine's code (I6).
    #[inline]
    pub(super) fn enter(&'static self) {
        if !self.lease.enter() {
            self.look_at_lease();
        }
    }

    #[cold]
    fn look_at_lease(&'static self) {
        if !self.lease.is_taken() {
            return;
        }
        self.forget_processor();
        if let Some(p) = scheduler().idle.regain() {
            self.grant(p);
        }
    }

    /// Goes back to a goroutine's code (I6).
    #[inline]
    pub(super) fn exit(&self) {
        self.lease.exit();
    }

    /// Calls `f` inside; it neither parks nor unwinds, and runs no user code.
    #[inline]
    pub(super) fn inside<R>(&'static self, f: impl FnOnce() -> R) -> R {
        self.enter();
        let value = f();
        self.exit();
        value
    }

    /// Counts a park, if it holds a processor; returns the time of its beginning. Owner only, inside.
    #[inline]
    pub(super) fn count_park(&self) -> u64 {
        if self.has_processor() { self.held().counters.count_park() } else { counters::exact_now() }
    }
}
