//! Locks and meeting points that park the goroutine and never its thread.
//!
//! [`Mutex`], [`RwLock`], [`Condvar`], [`Once`], [`OnceLock`] and [`Barrier`] have the names, signatures and
//! poisoning of `std::sync`, so that a port is a change of the `use` line; [`Arc`] and [`Weak`], often on the same line,
//! are std's own. [`WaitGroup`] and [`Semaphore`] are Go's (`sync.WaitGroup`, `x/sync/semaphore`); so are [`Group`]
//! (`x/sync/errgroup`), [`SingleFlight`] and [`Pool`]. All of them work from goroutines and plain threads, mixed freely.
//!
//! ```
//! use gaggle::go;
//! use gaggle::sync::{Arc, Mutex, WaitGroup};
//!
//! let total = Arc::new(Mutex::new(0));
//! let wg = WaitGroup::new();
//! for n in 1..=4 {
//!     wg.add(1);
//!     go!(clone total, wg; {
//!         *total.lock().unwrap() += n;
//!         wg.done();
//!     });
//! }
//! wg.wait();
//! assert_eq!(*total.lock().unwrap(), 10);
//! ```
//!
//! # Why not `std::sync`
//!
//! A goroutine that blocks in `std::sync::Mutex::lock` blocks its thread, and with it every goroutine that waits
//! for that thread; if one of those holds the lock, nobody goes on. A lock of this module parks the goroutine:
//! its thread runs the others meanwhile. Holding a guard of this module across a blocking operation is therefore
//! fine, in both modes: the guard is a value on the goroutine's stack and travels with it.
//!
//! # Poisoning
//!
//! A lock is poisoned by a guard that is dropped while its thread unwinds and did not when the guard was made, as
//! in std. `std::thread::panicking()` is a matter of the *thread*: a goroutine in pinned mode that parks inside a
//! `Drop` during unwinding leaves its thread "panicking" for its neighbours, whose guards may then poison a lock
//! although nothing went wrong, or not poison one although something did. That is logic, not memory: no value is
//! ever torn by it. In migrating mode such a goroutine keeps its thread to itself while it waits.
//!
//! # Fairness
//!
//! Waiters are queued first come, first served. [`Semaphore`], [`Barrier`] and [`RwLock`] hand over in the order of
//! arrival; [`Mutex`] lets a running goroutine overtake for a millisecond, then hands over ([its page](Mutex)).

/// A `const fn` in real programs; loom's constructors cannot be const.
macro_rules! const_unless_loom {
    ($(#[$meta:meta])* $vis:vis const fn $name:ident($($arg:ident: $ty:ty),*) -> $ret:ty $body:block) => {
        #[cfg(not(loom))]
        $(#[$meta])*
        $vis const fn $name($($arg: $ty),*) -> $ret $body
        #[cfg(loom)]
        #[track_caller]
        $(#[$meta])*
        $vis fn $name($($arg: $ty),*) -> $ret $body
    };
}

mod barrier;
mod condvar;
mod condvar_timed;
#[cfg(all(test, loom))]
mod models;
mod mutex;
mod once;
mod once_lock;
#[cfg_attr(not(loom), path = "patience/clock.rs")]
#[cfg_attr(loom, path = "patience/model.rs")]
mod patience;
mod poison;
mod pool;
mod raw_mutex;
mod raw_rw_lock;
mod rw_lock;
mod semaphore;
mod semaphore_timed;
mod single_flight;
mod wait_group;
mod wait_group_go;
mod wake_list;

// Defined above this room, as it has a context; found here, beside `WaitGroup`.
pub use crate::context::Group;
pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::Condvar;
pub use condvar_timed::WaitTimeoutResult;
pub use mutex::{Mutex, MutexGuard};
pub use once::{Once, OnceState};
pub use once_lock::OnceLock;
pub use pool::Pool;
pub use rw_lock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{Permit, Semaphore};
pub use single_flight::SingleFlight;
pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak};
pub use wait_group::WaitGroup;
