//! Runs one test on plain threads, on goroutines, and on a mixture of both.
#![allow(dead_code)]

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

pub enum Handle<T> {
    Thread(std::thread::JoinHandle<T>),
    Goroutine(gaggle::JoinHandle<T>),
}

impl<T> Handle<T> {
    pub fn join(self) -> T {
        match self {
            Handle::Thread(thread) => thread.join(),
            Handle::Goroutine(goroutine) => goroutine.join(),
        }
        .unwrap_or_else(|payload| std::panic::resume_unwind(payload))
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
        if thread { Handle::Thread(std::thread::spawn(f)) } else { Handle::Goroutine(gaggle::spawn(f)) }
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
        let end = finished.recv_timeout(Duration::from_secs(60));
        assert_ne!(end, Err(std::sync::mpsc::RecvTimeoutError::Timeout), "hung on {on:?}");
        party.join();
    }
}

/// Yields until `condition` holds; fails the test if it does not within a time that only a bug needs.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "it never came about that {what}");
        std::thread::yield_now();
        gaggle::runtime::yield_now();
    }
}
