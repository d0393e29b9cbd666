//! Time slices: `checkpoint` yields when the calling goroutine has kept its processor for a whole slice.
//!
//! A clock runs on the timer thread while checkpoints are being passed. At each tick it marks the processors that
//! have not switched since the tick before; a goroutine that passes a checkpoint on a marked one yields.
//!
//! # Invariants
//! 1. `RUNNING` is true while a tick is pending. It goes false only in a tick that finds no watched processor, and a
//!    checkpoint that makes one watched afterwards starts the clock again.

use super::deadline::{self, OnTime};
use crate::primitives::atomic::{AtomicBool, AtomicU8, Ordering};
use crate::primitives::sync::Arc;
use crate::primitives::{Lock, LockRank};
use crate::sched::{self, current};
use std::time::{Duration, Instant};

/// How long a goroutine may keep its processor (Go's number).
const SLICE: Duration = Duration::from_millis(10);
/// Ticks after which a processor on which no checkpoint was passed is no longer watched.
const FORGET: u32 = 50;

/// No checkpoint was passed on this processor lately.
pub(crate) const UNWATCHED: u8 = 0;
const WATCHED: u8 = 1;
const DUE: u8 = 2;

static RUNNING: AtomicBool = AtomicBool::new(false);

/// Yields if the calling goroutine's time slice is over: a relaxed load otherwise. On a plain thread it does nothing.
///
/// `#[gaggle::preemptible]` puts it at the head of every loop of a function.
///
/// # Compared with Go
/// Go preempts any loop by a signal. No signal handler can switch Rust stacks soundly, so hot loops ask.
///
/// ```
/// let sum = gaggle::spawn(|| {
///     let mut sum = 0u64;
///     for n in 0..1_000_000 {
///         gaggle::checkpoint();
///         sum += n;
///     }
///     sum
/// });
/// assert_eq!(sum.join().unwrap(), 499_999_500_000);
/// ```
#[inline]
pub fn checkpoint() {
    let Some(mark) = current::slice_mark() else {
        return;
    };
    // ORDERING: Relaxed; a mark that is seen a little later is as good.
    let state = mark.load(Ordering::Relaxed);
    if state != WATCHED {
        act(mark, state);
    }
}

#[cold]
fn act(mark: &AtomicU8, state: u8) {
    // ORDERING: Relaxed; a mark of the clock that this overwrites comes again with the next tick.
    mark.store(WATCHED, Ordering::Relaxed);
    if state == DUE {
        super::yield_now();
    }
    // ORDERING: AcqRel; pairs with the clock's stop in `due`: if that came first, its swap is seen here (I1).
    if state == UNWATCHED && !RUNNING.swap(true, Ordering::AcqRel) {
        let clock = Arc::new(Clock(Lock::new(LockRank::Time, Seen::default())));
        deadline::start(Instant::now() + SLICE, clock);
    }
}

#[derive(Default)]
struct Seen {
    switches: Vec<u32>,
    ticks: u32,
}

struct Clock(Lock<Seen>);

impl OnTime for Clock {
    fn due(&self, now: Instant) {
        let mut seen = core::mem::take(&mut *self.0.lock());
        if !seen.tick() {
            // ORDERING: AcqRel; pairs with the swap in `act` (I1): if that came first, its mark is seen below; if it
            // comes later, it starts the clock itself.
            RUNNING.swap(false, Ordering::AcqRel);
            // ORDERING: AcqRel; as above, and as in `act`.
            if !seen.tick() || RUNNING.swap(true, Ordering::AcqRel) {
                return;
            }
        }
        let next = Clock(Lock::new(LockRank::Time, seen));
        deadline::start(now + SLICE, Arc::new(next));
    }
}

impl Seen {
    /// Marks the processors that did not switch since the last tick; false if none is watched any more.
    fn tick(&mut self) -> bool {
        self.ticks += 1;
        let mut watched = false;
        for (i, (switches, mark)) in sched::scheduler().slices().enumerate() {
            if i == self.switches.len() {
                self.switches.push(switches.wrapping_sub(1));
            }
            // ORDERING: Relaxed, all; hints that the next tick corrects.
            let state = mark.load(Ordering::Relaxed);
            watched |= state != UNWATCHED;
            if state == WATCHED && self.switches[i] == switches {
                mark.store(DUE, Ordering::Relaxed);
            } else if state == WATCHED && self.ticks.is_multiple_of(FORGET) {
                mark.store(UNWATCHED, Ordering::Relaxed);
            }
            self.switches[i] = switches;
        }
        watched
    }
}
