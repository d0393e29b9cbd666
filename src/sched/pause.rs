//! The handshake by which the monitor stops a thread that computes without a processor, and lets it go on (`strict`).
//!
//! # Invariants
//! 1. The owner stops in [`stop`](Pause::stop) only, which the handler of a signal calls on its thread, and only outside
//!    its lease: it holds nothing then that the monitor or another worker's switch waits for.
//! 2. The monitor asks, and lifts what it asked for. `STOPPED` is written by the owner alone, in place of `ASKED`: so a
//!    signal that comes late, or twice, stops nobody.
//! 3. Who takes `STOPPED` away as the monitor rings; the owner looks at the state after each ring. A ring that was not
//!    needed makes it look once more.

use crate::primitives::atomic::{AtomicU32, Ordering};

const RUNS: u32 = 0;
const ASKED: u32 = 1;
const STOPPED: u32 = 2;

/// See the module's page.
#[derive(Debug)]
pub(super) struct Pause(AtomicU32);

impl Pause {
    pub(super) fn new() -> Self {
        Self(AtomicU32::new(RUNS))
    }

    /// Monitor: asks the owner to stop; the caller sends the signal. False if it was asked before.
    pub(super) fn ask(&self) -> bool {
        // ORDERING: Relaxed; nothing travels with it, and the signal comes after it.
        self.0.compare_exchange(RUNS, ASKED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Monitor: whether the owner stands still, or is about to.
    pub(super) fn is_asked(&self) -> bool {
        // ORDERING: Relaxed; a hint: the owner may refuse, or have had its time.
        self.0.load(Ordering::Relaxed) != RUNS
    }

    /// Monitor: the owner need not stop any more, or goes on. True: the caller rings for it (I3).
    #[must_use = "who does not ring leaves it where it is"]
    pub(super) fn lift(&self) -> bool {
        // ORDERING: Relaxed; nothing travels with it but the state, and the ring comes after it.
        self.0.swap(RUNS, Ordering::Relaxed) == STOPPED
    }

    /// Owner, in the handler: stops if it is asked to and outside, until it is let go on. `nap` waits for a ring; it says
    /// no when the time is up.
    pub(super) fn stop(&self, inside: bool, mut nap: impl FnMut() -> bool) {
        let answer = if inside { RUNS } else { STOPPED };
        // ORDERING: Relaxed, both here; as above. In one step, since a lift may come between (I2).
        if self.0.compare_exchange(ASKED, answer, Ordering::Relaxed, Ordering::Relaxed).is_err() || inside {
            return;
        }
        // ORDERING: Relaxed; the bell orders it: a ring comes after the change of the state (I3).
        while self.0.load(Ordering::Relaxed) == STOPPED {
            if !nap() {
                // ORDERING: Relaxed; as above. In one step: it may have been asked anew.
                let _ = self.0.compare_exchange(STOPPED, RUNS, Ordering::Relaxed, Ordering::Relaxed);
                return;
            }
        }
    }
}

#[cfg(all(test, loom))]
#[path = "pause_tests.rs"]
mod models;
