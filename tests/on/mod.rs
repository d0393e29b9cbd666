//! Runs one test on plain threads, on goroutines, and on a mixture of both.
#![allow(dead_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What the parties of a test run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Threads,
    Goroutines,
    /// Every other party is a goroutine.
    Mixed,
}

/// A party that was started. Its end is told on a channel: to join a thread as std does would block the worker of a
/// goroutine that does it, and with it the goroutines that live there.
pub struct Handle<T>(gaggle::Receiver<std::thread::Result<T>>);

impl<T> Handle<T> {
    pub fn join(self) -> T {
        let end = self.0.recv().expect("the party ended without saying so");
        end.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
    }
}

impl On {
    pub fn go<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> Handle<T> {
        static TURN: AtomicUsize = AtomicUsize::new(0);
        let thread = match self {
            On::Threads => true,
            On::Goroutines => false,
            On::Mixed => TURN.fetch_add(1, Ordering::Relaxed).is_multiple_of(2),
        };
        let (tx, rx) = gaggle::chan(1);
        let party = move || drop(tx.send(catch_unwind(AssertUnwindSafe(f))));
        if thread {
            std::thread::spawn(party);
        } else {
            gaggle::spawn(party);
        }
        Handle(rx)
    }
}

/// Runs `test` with its parties, and itself, on each of the three.
pub fn everywhere(test: fn(On)) {
    for on in [On::Threads, On::Goroutines, On::Mixed] {
        let (done, finished) = std::sync::mpsc::channel::<()>();
        let party = on.go(move || {
            test(on);
            drop(done);
        });
        // A test that hangs says on what it hung; one that panics is reported by the join.
        let end = finished.recv_timeout(Duration::from_secs(300));
        assert_ne!(end, Err(std::sync::mpsc::RecvTimeoutError::Timeout), "hung on {on:?}");
        party.join();
    }
}

/// Yields until `condition` holds; fails the test if it does not within a time that only a bug needs.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(300), "it never came about that {what}");
        std::thread::yield_now();
        gaggle::runtime::yield_now();
    }
}
