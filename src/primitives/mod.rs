//! Names every std or loom type once; the rest of the crate imports from here.
//!
//! Both bodies export exactly the same names, so that the same source compiles against the real
//! primitives and, under `--cfg loom`, against loom's. What must be deterministic in a model (random
//! numbers, the number of CPUs, creation numbers) is named here too.

#[cfg(not(loom))]
pub(crate) mod barrier;
#[cfg(any(not(loom), test))]
#[cfg_attr(loom, path = "futex_model.rs")]
mod futex;
#[cfg_attr(not(loom), path = "std.rs")]
#[cfg_attr(loom, path = "loom.rs")]
mod imp;
#[cfg(not(loom))]
mod lock;
mod prefetch;
#[cfg_attr(loom, allow(dead_code, reason = "a model has no dice"))]
pub(crate) mod rand;
#[cfg(any(not(loom), test))]
mod raw_lock;
#[cfg_attr(loom, allow(dead_code, reason = "threads are not counted in a model"))]
mod tally;

#[cfg(not(loom))]
pub(crate) use futex::Event;
pub(crate) use imp::*;
#[cfg(not(loom))]
pub(crate) use lock::assert_none_held;
pub(crate) use prefetch::prefetch;
#[cfg_attr(loom, allow(unused_imports, reason = "threads are not counted in a model"))]
pub(crate) use tally::{Reading, Tally};

/// The order in which locks nest: a lock may be taken only while every lock already held by the thread has a
/// lower rank. Several [`LockRank::Chan`] locks may be held together; they are taken in the order of their
/// channels' [`sequence`] numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[cfg_attr(loom, allow(dead_code, reason = "no clock in a model"))]
pub(crate) enum LockRank {
    /// State of a timer or ticker, held while it sends on its channel.
    Time = 0,
    /// A channel's core.
    Chan = 1,
    /// A `sync` primitive's core.
    Sync = 2,
    /// The set of pending deadlines.
    Deadline = 3,
    /// The scheduler's lists.
    Sched = 4,
    /// Innermost: free lists and registries that call nothing.
    Leaf = 5,
}

/// A number that grows with every call: an identity and an order that do not depend on addresses.
///
/// It comes from an unmodelled counter under loom too: only the relative order matters, and it must not cost
/// a model a branch.
pub(crate) fn sequence() -> u64 {
    static NEXT: core::sync::atomic::AtomicU64 = core::sync::atomic::AtomicU64::new(1);
    // ORDERING: Relaxed; uniqueness is all that is asked, nothing is published through it.
    NEXT.fetch_add(1, core::sync::atomic::Ordering::Relaxed)
}
