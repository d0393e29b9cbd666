//! [`SingleFlight`]: one run for all who ask for the same at the same time.
//!
//! # Invariants
//! 1. A flight is in the table from its first caller until its closure has ended, or it is forgotten; that caller alone
//!    runs the closure, and sets the outcome and takes it out in one step, also when the closure panics.
//! 2. Who finds a flight in the table says so in `shared`, under the lock: a forgotten flight is found by nobody.
//!
//! # Locking
//! `flights`: a [`Mutex`], not held while a closure runs. Keys are compared and dropped under it: a user's code, which
//! may panic there, and leaves the table whole.

use super::{Mutex, MutexGuard, OnceLock, PoisonError};
use crate::go::{Exited, exit};
use crate::primitives::atomic::{AtomicBool, Ordering};
use crate::primitives::sync::Arc;
use core::any::Any;
use core::fmt;
use core::hash::Hash;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind, resume_unwind};

/// Runs a closure once for all who ask for the same key meanwhile; they share its result.
///
/// ```
/// use gaggle::sync::SingleFlight;
///
/// let pages = SingleFlight::new();
/// let (page, shared) = pages.work("index", || "<html>".to_string());
/// assert_eq!(page, "<html>");
/// assert!(!shared); // Nobody else has asked meanwhile.
/// ```
///
/// # Compared with Go
/// `x/sync/singleflight.Group`: `Do` is [`work`](Self::work). It remembers nothing: whoever asks after the end starts
/// anew. Results are cloned: let `V` be an `Arc` if that is costly; let it be a `Result` if the work can fail.
pub struct SingleFlight<K, V> {
    flights: Mutex<HashMap<K, Arc<Flight<V>>>>,
}

struct Flight<V> {
    outcome: OnceLock<Result<V, Failure>>,
    shared: AtomicBool,
}

/// How a closure ended that has made no value.
enum Failure {
    Panicked(String),
    Exited,
}

impl<K: Eq + Hash + Clone, V: Clone> SingleFlight<K, V> {
    /// Nobody has asked yet.
    ///
    /// ```
    /// let squares = gaggle::sync::SingleFlight::new();
    /// assert_eq!(squares.work(3, || 9).0, 9);
    /// ```
    pub fn new() -> Self {
        Self { flights: Mutex::new(HashMap::new()) }
    }

    /// Runs `f`, or waits for the run of another one that has asked for `key`. True if the result went to several.
    ///
    /// # Blocking
    /// Parks while another's closure runs. A closure that asks for its own key waits for ever.
    ///
    /// # Panics
    /// If `f` panics, with its payload; those who wait for it panic too, with its message. If it calls
    /// [`exit`](crate::runtime::exit), they do so too.
    ///
    /// ```
    /// use gaggle::sync::{SingleFlight, WaitGroup};
    /// use std::sync::Arc;
    ///
    /// let flights = Arc::new(SingleFlight::new());
    /// let wg = WaitGroup::new();
    /// for _ in 0..4 {
    ///     let flights = flights.clone();
    ///     wg.go(move || assert_eq!(flights.work("key", || 42).0, 42));
    /// }
    /// wg.wait();
    /// ```
    pub fn work<F: FnOnce() -> V>(&self, key: K, f: F) -> (V, bool) {
        let mut flights = self.lock();
        if let Some(flight) = flights.get(&key).cloned() {
            // ORDERING: Relaxed; under the lock, which `fly` takes before it looks.
            flight.shared.store(true, Ordering::Relaxed);
            drop(flights);
            return match flight.outcome.wait() {
                Ok(value) => (value.clone(), true),
                Err(Failure::Panicked(message)) => {
                    panic!("singleflight: the call that was waited for panicked: {message}")
                }
                Err(Failure::Exited) => exit(),
            };
        }
        let flight = Arc::new(Flight { outcome: OnceLock::new(), shared: AtomicBool::new(false) });
        flights.insert(key.clone(), flight.clone());
        drop(flights);
        self.fly(&key, &flight, f)
    }

    fn fly<F: FnOnce() -> V>(&self, key: &K, flight: &Arc<Flight<V>>, f: F) -> (V, bool) {
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let value = f();
            (value.clone(), value)
        }));
        let (outcome, mine) = match ended {
            Ok((theirs, mine)) => (Ok(theirs), Ok(mine)),
            Err(payload) => (Err(failure(&*payload)), Err(payload)),
        };
        let mut flights = self.lock();
        let _ = flight.outcome.set(outcome);
        let is_current = flights.get(key).is_some_and(|current| Arc::ptr_eq(current, flight));
        let removed = if is_current { flights.remove_entry(key) } else { None };
        drop(flights);
        drop(removed);
        // ORDERING: Relaxed; stored under the lock, and by nobody any more.
        let shared = flight.shared.load(Ordering::Relaxed);
        mine.map_or_else(|payload| resume_unwind(payload), |value| (value, shared))
    }

    /// Lets the next one who asks for `key` start anew, whether or not a run is under way. Those who wait for that run
    /// get its result.
    ///
    /// ```
    /// let flights = gaggle::sync::SingleFlight::new();
    /// let (outer, _) = flights.work("key", || {
    ///     flights.forget(&"key");
    ///     flights.work("key", || 1).0 + 1
    /// });
    /// assert_eq!(outer, 2);
    /// ```
    pub fn forget(&self, key: &K) {
        let removed = self.lock().remove_entry(key);
        drop(removed);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<Flight<V>>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said of the payload of a panic, which has one owner.
fn failure(payload: &(dyn Any + Send)) -> Failure {
    if payload.is::<Exited>() {
        return Failure::Exited;
    }
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or(payload.downcast_ref::<String>().map(String::as_str));
    Failure::Panicked(text.unwrap_or("its payload is no text").to_string())
}

impl<K: Eq + Hash + Clone, V: Clone> Default for SingleFlight<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

// The table is whole between two operations, and outcomes are set once.
impl<K, V> UnwindSafe for SingleFlight<K, V> {}
impl<K, V> RefUnwindSafe for SingleFlight<K, V> {}

impl<K, V> fmt::Debug for SingleFlight<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight").finish_non_exhaustive()
    }
}
