//! Locks and meeting points, from goroutines in both modes, from plain threads, and from both at once.
//!
//! Several of these follow the ideas of the tests of Go's `sync` and `x/sync/semaphore`.

use gaggle::runtime::yield_now;
use gaggle::sync::{
    Barrier, Condvar, Mutex, Once, OnceLock, PoisonError, RwLock, RwLockWriteGuard, Semaphore, TryLockError, WaitGroup,
};
use gaggle::time::sleep;
use gaggle::{chan, go, spawn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[path = "../support/mod.rs"]
mod support;
use support::in_both_modes;

mod barrier;
mod condvar;
mod group;
mod mutex;
mod once;
mod pool;
mod rw_lock;
mod semaphore;
mod single_flight;
mod wait_group;

const HANG: Duration = Duration::from_secs(300);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Runs `f(n)` for each `n` below `parties`, every fourth on a thread and the others in goroutines, and waits.
fn mixed(parties: usize, f: impl Fn(usize) + Send + Sync + Clone + 'static) {
    let mut threads = Vec::new();
    let wg = WaitGroup::new();
    for n in 0..parties {
        let f = f.clone();
        if n % 4 == 3 {
            threads.push(thread::spawn(move || f(n)));
        } else {
            wg.go(move || f(n));
        }
    }
    wg.wait();
    threads.into_iter().for_each(|t| t.join().unwrap());
}

/// Whether `f` panics with a message that contains `text`.
fn panics_with<T>(text: &str, f: impl FnOnce() -> T) -> bool {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else { return false };
    let message = payload.downcast_ref::<String>().map(String::as_str);
    message.or(payload.downcast_ref::<&str>().copied()).is_some_and(|message| message.contains(text))
}
