//! The lookout: which of the sleeping workers waits for the clock and for the kernel's events, and who calls it back.
//!
//! A plain data structure, so that the same source runs under loom. `README.md` tells the protocol; `vigil.rs` carries
//! it out.
//!
//! # Invariants
//! 1. `holder` is null, or a worker without a processor: entered by itself, and taken out by itself when it gets up.
//! 2. The holder sleeps no longer than until `until`, which it writes alone.
//! 3. `first` is the instant of the first deadline, or [`NEVER`]; written under the lock of those. Nobody gets up for
//!    those before `rest`, an instant in the near future at most.
//! 4. Whoever has news for the holder (a ring for it, an earlier deadline, a poller) writes it, F5, looks at `holder`.
//!    Who becomes the holder writes `holder`, F5, looks at all of these. One of the two fences comes first, so one of the
//!    two sees the other.

use crate::primitives::atomic::{AtomicPtr, AtomicU64, Ordering, fence};
use core::ptr;

/// An instant that the clock does not reach.
pub(super) const NEVER: u64 = u64::MAX;

/// See the module's page.
pub(super) struct Lookout<W> {
    holder: AtomicPtr<W>,
    until: AtomicU64,
    first: AtomicU64,
    rest: AtomicU64,
}

/// Loom's constructors are not `const`.
macro_rules! lookout {
    () => {
        Self {
            holder: AtomicPtr::new(ptr::null_mut()),
            until: AtomicU64::new(NEVER),
            first: AtomicU64::new(NEVER),
            rest: AtomicU64::new(0),
        }
    };
}

impl<W> Lookout<W> {
    #[cfg(not(loom))]
    pub(super) const fn new() -> Self {
        lookout!()
    }

    #[cfg(loom)]
    pub(super) fn new() -> Self {
        lookout!()
    }

    /// Makes the calling worker the holder, unless another one is. It looks for news afterwards (I4), and says until
    /// when it sleeps.
    pub(super) fn take(&self, w: &W) -> bool {
        // ORDERING: Acquire pairs with the Release in `leave`: `until` is ours now.
        let taken =
            self.holder.compare_exchange(ptr::null_mut(), to_ptr(w), Ordering::Acquire, Ordering::Relaxed).is_ok();
        if taken {
            // ORDERING: Relaxed; whoever sees us by F5 sees this as well, or what we write next.
            self.until.store(NEVER, Ordering::Relaxed);
            // ORDERING: F5 (I4): the holder before the look at what is new; pairs with F5 in `is_kept_by` and `sooner`.
            fence(Ordering::SeqCst);
        }
        taken
    }

    /// Until when the holder may sleep, which it is to do now.
    pub(super) fn until(&self) -> u64 {
        // ORDERING: Relaxed, here and in `next`; after F5 in `take`. Who sets an earlier deadline that this misses sees
        // NEVER, or this.
        let next = self.next();
        self.until.store(next, Ordering::Relaxed);
        next
    }

    /// The holder gets up.
    pub(super) fn leave(&self) {
        self.vacate();
        // ORDERING: the way out before the look whether the lookout has to be kept; pairs with F2 (idle) of whoever has let
        // its processor go, and relies on us.
        fence(Ordering::SeqCst);
    }

    /// The way out, on which the next holder relies. Apart from the fence, since loom does not switch between a store and a
    /// fence, and so would take that one for a release.
    #[inline]
    fn vacate(&self) {
        // ORDERING: Release pairs with the Acquire in `take`.
        self.holder.store(ptr::null_mut(), Ordering::Release);
    }

    /// Whether nobody is the holder. A hint.
    pub(super) fn is_vacant(&self) -> bool {
        // ORDERING: Relaxed; a hint.
        self.holder.load(Ordering::Relaxed).is_null()
    }

    /// Of whoever has rung for `w`: whether that one may be the holder, so that the poller has to be interrupted.
    pub(super) fn is_kept_by(&self, w: &W) -> bool {
        self.to_be_told() == to_ptr(w)
    }

    /// Of whoever has news for the holder, written before: the worker to ring for, or null.
    pub(super) fn to_be_told(&self) -> *mut W {
        // ORDERING: F5 (I4): the news before the look at the holder; pairs with F5 in `take`.
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed; ordered by F5.
        self.holder.load(Ordering::Relaxed)
    }

    /// The instant of the first deadline. A hint.
    #[inline]
    pub(super) fn first(&self) -> u64 {
        // ORDERING: Relaxed; a hint: who has to know it looks after F5.
        self.first.load(Ordering::Relaxed)
    }

    /// When to look at the deadlines. A hint.
    #[inline]
    pub(super) fn next(&self) -> u64 {
        // ORDERING: Relaxed; a hint: see `until`.
        self.first().max(self.rest.load(Ordering::Relaxed))
    }

    /// Many deadlines were due at once: nobody is to get up for others before `rest`, when there are many again.
    pub(super) fn rest_until(&self, rest: u64) {
        // ORDERING: Relaxed; who misses it gets up a little too soon.
        self.rest.store(rest, Ordering::Relaxed);
    }

    /// The first deadline is at `first` now. Under the lock of the deadlines (I3).
    pub(super) fn set_first(&self, first: u64) {
        // ORDERING: Relaxed; F5 follows if it is sooner than before.
        self.first.store(first, Ordering::Relaxed);
    }

    /// Of whoever has set a deadline for `when`, the first of all: the worker to ring for, or null.
    pub(super) fn sooner(&self, when: u64) -> *mut W {
        let holder = self.to_be_told();
        // ORDERING: Relaxed, both; `until` is ordered by F5, and any rest is soon over.
        let when = when.max(self.rest.load(Ordering::Relaxed));
        if holder.is_null() || self.until.load(Ordering::Relaxed) <= when { ptr::null_mut() } else { holder }
    }
}

fn to_ptr<W>(w: &W) -> *mut W {
    ptr::from_ref(w).cast_mut()
}

#[cfg(all(test, loom))]
#[path = "lookout_models.rs"]
mod models;
