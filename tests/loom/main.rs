//! Every interleaving of small programs on channels and selects, up to a number of preemptions.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=3 cargo test --profile loom --test loom --target-dir target/loom
//! ```
//!
//! Each model names the mutations of the source that it was seen to catch.
//!
//! A look without the lock is repeated in a loop that yields: loom 0.7 remembers one last access per atomic, so a
//! look made before another thread's load and store of the same word is never tried in between them or after.
#![cfg(loom)]

mod arms;
mod chan;
mod pairs;
mod select;
mod user;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread::{Builder, JoinHandle};

/// Runs `f` in every interleaving. Values on loom's default stacks of 32 KiB are tight in builds without
/// optimisation, so threads are started with more.
fn model(f: impl Fn() + Sync + Send + 'static) {
    loom::model(f);
}

fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    Builder::new().stack_size(1 << 16).spawn(f).unwrap()
}

/// Counts how many of its tokens are alive.
#[derive(Clone)]
struct Census(Arc<AtomicUsize>);

/// A value that must be dropped once: when the last thread is done, none may be alive, and none twice dead.
struct Token(Census, u32);

impl Census {
    fn new() -> Self {
        Self(Arc::new(AtomicUsize::new(0)))
    }

    fn token(&self, number: u32) -> Token {
        self.0.fetch_add(1, Ordering::Relaxed);
        Token(self.clone(), number)
    }

    fn alive(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Token {
    fn number(&self) -> u32 {
        self.1
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let before = self.0.0.fetch_sub(1, Ordering::Relaxed);
        assert!(before != 0 && before < 1000, "a token was dropped twice");
    }
}
