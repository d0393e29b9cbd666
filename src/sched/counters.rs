//! What the scheduler counts for `runtime::metrics` and `GAGGLE_SCHEDTRACE`, and the coarse clock of waits.
//!
//! # Invariants
//! 1. A processor's counters are written by its holder alone: a load and a store, no locked instruction. Readers sum
//!    over all processors and get a number that was true a moment ago.

use crate::platform::clock;
use crate::primitives::atomic::{AtomicU64, Ordering};

/// The clock of waits is read anew every so many parks on a processor: reading it each time would cost a tenth of a
/// hand-over between two goroutines. And whenever a worker gets up, so that idling does not make it stand still.
const CLOCK_EVERY: u64 = 64;
/// Buckets of the histogram: the last one holds all that is longer, from half a minute on.
pub(crate) const BUCKETS: usize = 36;

/// A processor's own (I1).
pub(crate) struct Counters {
    pub(crate) parks: AtomicU64,
    pub(crate) steals: AtomicU64,
    pub(crate) latency: Histogram,
}

/// How long sampled goroutines waited from runnable to running: bucket n counts those of less than 2^n nanoseconds.
pub(crate) struct Histogram([AtomicU64; BUCKETS]);

impl Counters {
    pub(crate) const fn new() -> Self {
        Self {
            parks: AtomicU64::new(0),
            steals: AtomicU64::new(0),
            latency: Histogram([const { AtomicU64::new(0) }; BUCKETS]),
        }
    }

    /// Counts a park; returns the time of its beginning. Holder only.
    #[inline]
    pub(crate) fn count_park(&self) -> u64 {
        // ORDERING: Relaxed, both; written by the holder alone (I1).
        let parks = self.parks.load(Ordering::Relaxed) + 1;
        self.parks.store(parks, Ordering::Relaxed);
        if parks.is_multiple_of(CLOCK_EVERY) {
            refresh_clock();
        }
        now()
    }
}

impl Histogram {
    /// Holder only.
    pub(crate) fn record(&self, nanos: u64) {
        let bucket = (u64::BITS - nanos.leading_zeros()) as usize;
        add(&self.0[bucket.min(BUCKETS - 1)]);
    }

    pub(crate) fn add_to(&self, sums: &mut [u64; BUCKETS]) {
        for (sum, bucket) in sums.iter_mut().zip(&self.0) {
            // ORDERING: Relaxed; a statistic (I1).
            *sum += bucket.load(Ordering::Relaxed);
        }
    }
}

/// Adds one to a counter that only the caller writes (I1).
#[inline]
pub(crate) fn add(counter: &AtomicU64) {
    // ORDERING: Relaxed, both; a statistic.
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// Milliseconds of [`clock::coarse_millis`] as of the last look at it.
static NOW: AtomicU64 = AtomicU64::new(0);

/// The coarse time of the last [`refresh_clock`].
#[inline]
pub(crate) fn now() -> u64 {
    // ORDERING: Relaxed; a number.
    NOW.load(Ordering::Relaxed)
}

/// Reads the clock of waits anew. For whoever gets up, or ticks anyway.
#[cold]
#[inline(never)]
pub(crate) fn refresh_clock() {
    // ORDERING: Relaxed; a number, and whoever is a little late sets it back by no more than that.
    NOW.store(clock::coarse_millis(), Ordering::Relaxed);
}

/// As [`now`], of this moment: for a worker without a processor, which does not park often.
#[cold]
#[inline(never)]
pub(crate) fn exact_now() -> u64 {
    refresh_clock();
    now()
}

/// What is counted where no processor is held.
pub(crate) struct Shared {
    /// Wake-ups that went to another thread: a home worker's inbox, or the injector.
    pub(crate) wakes_across: AtomicU64,
    /// Processors taken from a worker that kept one goroutine too long, or sat in a system call.
    pub(crate) handoffs: AtomicU64,
}

pub(crate) static SHARED: Shared = Shared { wakes_across: AtomicU64::new(0), handoffs: AtomicU64::new(0) };

/// Counts a wake-up that went to another thread. It has taken a lock there, so one more shared line is not seen.
pub(crate) fn count_wake_across() {
    count_wakes_across(1);
}

/// Counts as many of them.
pub(crate) fn count_wakes_across(count: usize) {
    // ORDERING: Relaxed; a statistic.
    SHARED.wakes_across.fetch_add(count as u64, Ordering::Relaxed);
}

/// Counts a processor that was taken from a worker.
pub(crate) fn count_handoff() {
    // ORDERING: Relaxed; a statistic.
    SHARED.handoffs.fetch_add(1, Ordering::Relaxed);
}
