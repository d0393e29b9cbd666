//! The runtime: building it, entering it, asking it.
//!
//! There is one runtime per process. It starts by itself, with its defaults, when the first goroutine is started;
//! a [`Builder`] starts it with other settings before that. It never ends before the process does.
//!
//! Environment: `GAGGLE_PROCS` (how many goroutines run at once) and `GAGGLE_STACK` (bytes of a goroutine's first
//! stack segment) set the defaults; what is written in the program wins. `GAGGLE_WARN=0` silences the lines about
//! goroutines that keep their threads from others ([`Builder::warn_blocked`]); `GAGGLE_STRICT_PROCS=1` is
//! [`Builder::strict_procs`]. `GAGGLE_SCHEDTRACE` and `GAGGLE_TRACEBACK` belong to [`diag`](crate::diag).
//!
//! # Two modes
//! *Pinned*, the default: once it has run, a goroutine stays on its thread, so that what Rust says of threads holds for
//! it: thread locals, `Rc`, guards, all of safe Rust, with one exception (below).
//! A goroutine that computes, or sits in a system call, for more than 10 ms loses its processor to others, which run on
//! other threads meanwhile; those at home on its own thread wait.
//! *Migrating*, by `#[gaggle::main(unsafe(migrate))]` or [`Builder::migrate`]: any goroutine on any thread, as in Go.
//! The mode belongs to a goroutine and is inherited by those that it starts.
//!
//! # What no mode can make sound
//! On a thread, calls nest: what began last ends first. Goroutines that share a thread take turns, so theirs do not.
//! Nearly all code is indifferent to it; code that keeps something *on the thread* for the time of a call, and relies
//! on the nesting for memory safety, is not:
//!
//! - the initialiser of a `std::thread_local!` (the one that runs on first use, not a `const` one). If it parks, and
//!   another goroutine uses the same local meanwhile, `std` initialises it twice and drops the value that the other one
//!   holds. **Do not park in the initialiser of a thread local.**
//! - crates that keep a pointer into their caller's frame in a thread local, such as `scoped-tls`: do not park inside
//!   their scopes while other goroutines of the thread use the same one;
//! - `std::process::exit`, which destroys the locals of the calling thread. If a destructor of one of them, or a handler of
//!   `atexit`, parks, other goroutines of the thread go on, with borrows of what is gone. Do not park there.
//!
//! The same goes for every library of stackful coroutines. [`goroutine_local!`](crate::goroutine_local) has neither
//! problem: each goroutine's calls do nest.

mod builder;
mod enter;

pub use crate::diag::{Dump, Metrics};
pub use crate::go::{Exited, GoroutinePanic, Id, PanicPolicy, exit};
pub use crate::io::blocking::blocking;
pub use builder::{AlreadyStarted, Builder};
pub use enter::run;
#[doc(hidden)]
pub use enter::{Attr, run_main, run_test};

use crate::park;
use crate::sched::{self, config::MAX_PROCS};
use core::fmt;
use core::marker::PhantomData;

/// How many goroutines run at once: Go's `GOMAXPROCS(0)`.
///
/// ```
/// assert!(gaggle::runtime::max_procs() >= 1);
/// ```
pub fn max_procs() -> usize {
    sched::scheduler().ensure_started();
    sched::scheduler().procs()
}

/// Sets how many goroutines run at once and returns the number before: Go's `GOMAXPROCS(n)`, of which 0 changes nothing.
///
/// Takes effect as the running goroutines come to their next scheduling point.
///
/// # Panics
/// For more than 1024.
///
/// ```
/// let before = gaggle::runtime::set_max_procs(3);
/// assert_eq!(gaggle::runtime::max_procs(), 3);
/// gaggle::runtime::set_max_procs(before);
/// ```
#[track_caller]
pub fn set_max_procs(n: usize) -> usize {
    if n == 0 {
        return max_procs();
    }
    check_procs(n);
    sched::scheduler().ensure_started();
    sched::scheduler().resize(n)
}

#[track_caller]
fn check_procs(n: usize) {
    assert!((1..=MAX_PROCS).contains(&n), "max_procs of {n}: expected 1 to {MAX_PROCS}");
}

/// Lets other goroutines run: Go's `Gosched`. On a plain thread, `std::thread::yield_now`.
///
/// ```
/// let other = gaggle::spawn(|| 1);
/// while !other.is_finished() {
///     gaggle::runtime::yield_now();
/// }
/// ```
#[inline]
pub fn yield_now() {
    park::yield_now();
}

/// How many goroutines there are that have not ended. Plain threads don't count.
///
/// ```
/// let (tx, rx) = gaggle::chan::<()>(0);
/// let before = gaggle::runtime::num_goroutines();
/// let waiter = gaggle::spawn(move || rx.recv());
/// assert_eq!(gaggle::runtime::num_goroutines(), before + 1);
/// drop(tx);
/// waiter.join().unwrap();
/// assert_eq!(gaggle::runtime::num_goroutines(), before);
/// ```
pub fn num_goroutines() -> usize {
    sched::scheduler().num_goroutines()
}

/// Looks at every goroutine: its number and name, what it does and what it waits for, for how long, where it is, and
/// where it was started.
///
/// A goroutine that is woken while its stack is looked at starts a few microseconds later; otherwise the program goes
/// on meanwhile, so that the records are not all of one instant. The stacks of goroutines that run, or are about to,
/// are not shown but for the caller's own. Naming the frames reads the program's debug information, once: that may take
/// a tenth of a second.
///
/// # Compared with Go
/// `runtime.Stack(buf, true)`, and the `goroutine` profile of pprof. Go stops the world for it.
///
/// ```
/// let (tx, rx) = gaggle::chan::<()>(0);
/// let waiter = gaggle::task::Builder::new().name("waiter").spawn(move || rx.recv()).unwrap();
/// while gaggle::runtime::dump().goroutines().all(|g| g.reason() != Some("chan receive")) {
///     gaggle::runtime::yield_now();
/// }
/// let dump = gaggle::runtime::dump();
/// assert!(dump.to_string().contains(" \"waiter\" [chan receive]:"));
/// drop(tx);
/// waiter.join().unwrap();
/// ```
pub fn dump() -> Dump {
    crate::diag::dump()
}

/// What the runtime has counted: goroutines, threads, parks, steals, stacks, how long goroutines waited to run.
///
/// Counting costs next to nothing, whether or not it is asked for: each processor has its own counters. This call
/// looks at every goroutine, and asks the system about some stacks.
///
/// # Compared with Go
/// The package `runtime/metrics`.
///
/// ```
/// let before = gaggle::runtime::metrics();
/// gaggle::spawn(|| ()).join().unwrap();
/// let after = gaggle::runtime::metrics();
/// assert_eq!(after.created, before.created + 1);
/// println!("{after}");
/// ```
pub fn metrics() -> Metrics {
    crate::diag::metrics()
}

/// The number of the calling goroutine; `None` on a plain thread.
///
/// ```
/// let g = gaggle::spawn(gaggle::runtime::id);
/// let number = g.id();
/// assert_eq!(g.join().unwrap(), Some(number));
/// assert_eq!(gaggle::runtime::id(), None);
/// ```
pub fn id() -> Option<Id> {
    park::Myself::get().map(|me| Id(me.id()))
}

/// Keeps the calling goroutine on its thread, and other goroutines away from it, until the guard is dropped: Go's
/// `LockOSThread`. Calls nest.
///
/// Goroutines that already have their home on the thread (pinned mode) stay there: such a thread is shared with them.
/// On a plain thread, which nobody shares, it does nothing.
///
/// # Compared with Go
/// A goroutine that ends with the lock held gives the thread back; Go ends the thread.
///
/// ```
/// let same = gaggle::spawn(|| {
///     let _guard = gaggle::runtime::lock_os_thread();
///     let before = std::thread::current().id();
///     gaggle::runtime::yield_now();
///     before == std::thread::current().id()
/// });
/// assert!(same.join().unwrap());
/// ```
#[must_use = "dropping the guard gives the thread back"]
pub fn lock_os_thread() -> OsThreadGuard {
    OsThreadGuard { locked: sched::lock_thread::lock(), _not_send: PhantomData }
}

/// Keeps its goroutine on one thread; see [`lock_os_thread`].
pub struct OsThreadGuard {
    locked: bool,
    _not_send: PhantomData<*mut ()>,
}

impl Drop for OsThreadGuard {
    fn drop(&mut self) {
        if self.locked {
            sched::lock_thread::unlock();
        }
    }
}

impl fmt::Debug for OsThreadGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OsThreadGuard").finish_non_exhaustive()
    }
}
