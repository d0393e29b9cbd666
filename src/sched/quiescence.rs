//! *Nothing can run any more*: the predicate. `watch.rs` asks it of the real world; `../diag/README.md` has the proof.
//!
//! Three kinds of parties can make a goroutine run: workers that are at work, what is under way outside the scheduler
//! (a timer, a pool thread's job, a socket: each holds an *external*), and the program's own threads. A party can only
//! come to life through one that is alive. So if at *one* instant there was none, there will never be one.
//!
//! The three cannot be read at one instant. Each is read twice, one inside the other, and each tells whether it
//! changed in between:
//!
//! ```text
//!   external ─────────────────────────────── the same, and none: there was none all the time
//!       workers ────────────────────── the same, and at rest: none was at work all the time
//!           threads: one instant at which all threads were accounted for
//! ```
//!
//! # Invariants
//! 1. A party comes to life, and says so where this file looks, while the party that does it is still alive; and it
//!    ceases to be counted only when all that it did is said.

use crate::primitives::Reading;

/// What the predicate looks at.
pub(super) trait World {
    /// What is under way outside the scheduler.
    fn external(&self) -> Reading;
    /// If no worker is at work and no goroutine is runnable: how many times a goroutine had been resumed some time
    /// before the last look at the workers, and after the first.
    fn at_rest(&self) -> Option<u64>;
    /// How many threads will do nothing by themselves.
    fn accounted(&self) -> Reading;
    /// How many threads there are; `None` if that is not known.
    fn threads(&self) -> Option<u32>;
}

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Somebody is at work: whoever lies down last, or ends what is under way, looks again.
    Alive,
    /// Only threads of the program's own are there, and nobody tells when they end or block: look again later.
    Threads,
    /// Nothing will ever run.
    Dead,
}

/// Looks at the world.
pub(super) fn look(world: &impl World) -> Verdict {
    let external = world.external();
    if external.count() != 0 {
        return Verdict::Alive;
    }
    let Some(resumed) = world.at_rest() else { return Verdict::Alive };
    let accounted = world.accounted();
    let threads = world.threads();
    let all = threads == Some(accounted.count()) && world.accounted() == accounted;
    if world.at_rest() != Some(resumed) || world.external() != external {
        return Verdict::Alive;
    }
    if all { Verdict::Dead } else { Verdict::Threads }
}

#[cfg(all(test, loom))]
#[path = "quiescence_models.rs"]
mod models;
