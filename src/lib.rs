//! Go's concurrency for Rust: goroutines, channels and `select`, on stacks that grow.
//!
//! ```
//! use gaggle::{chan, go, select};
//! use std::time::Duration;
//!
//! #[gaggle::main]
//! fn main() {
//!     let (tx, rx) = chan::<String>(0);
//!     go!(clone tx; { tx.send("hello".into()).unwrap() });
//!     select! {
//!         v = <-rx => println!("{}", v.unwrap()),
//!         after(Duration::from_secs(1)) => println!("timed out"),
//!     }
//! }
//! ```
//!
//! # Goroutines
//!
//! [`go!`](macro@go) runs a block, or a call whose arguments are evaluated now, in a new goroutine, and returns its
//! [`JoinHandle`]; [`spawn`] is the plain function, [`scope`] lets goroutines borrow, [`task::Builder`] has options.
//! They work from any thread: outside a running runtime they start the process-wide one. A goroutine that waits costs a
//! page of memory and no thread. What blocks says so under *Blocking* in its documentation: it parks the goroutine, or
//! on a plain thread blocks the thread.
//!
//! # Channels
//!
//! [`chan`](fn@chan) makes a channel with a fixed capacity, 0 for a rendezvous; [`unbounded`] one without a limit. Both
//! ends are cloned and shared freely, between goroutines and plain threads. The last [`Sender`] to go closes the channel;
//! so does [`Sender::close`]. See the [module](mod@chan) for the rules.
//!
//! # Select
//!
//! [`select!`](macro@select) waits for the first of several sends and receives, evenly among those that are ready, with
//! `default` and `after(…)` as in Go. [`Select`] is the form for a number of channels known at run time.
//!
//! # Two modes
//!
//! *Pinned*, the default: a goroutine that has run stays on its thread, so safe Rust stays sound (with one
//! exception: the initialiser of a thread local must not park).
//! *Migrating*: Go's scheduler, behind one visible `unsafe`. See [`runtime`].
//!
//! # Stacks
//!
//! Every goroutine starts on a small segment with a guard below it; [`growable`] functions continue on further ones. See
//! [`stack`].
//!
//! # Also here
//!
//! [`sync`]: `WaitGroup`, `Mutex` and the others that park goroutines. [`time`]: sleeping, timers, tickers.
//! [`context`]: deadlines and cancellation, handed down through calls. [`net`]: sockets that park goroutines.
//! [`goroutine_local!`]: a value per goroutine. [`runtime::blocking`]: what would keep a thread runs on one of a pool; so
//! do [`fs`] and [`io::stdin`]. [`process`]: children that are waited for by parking. `signal`: signals from channels.
//! [`generator`]: Python's, on stacks. [`diag`]: what a program that hangs says, and when. [`testing`]: every
//! interleaving of a small program, explored.
//!
//! # Features and platforms
//!
//! `macros` (default): the macros of this crate. x86_64 and aarch64 Linux have native stacks and switches; every other
//! target uses the portable back end on the `generator` crate, which `--cfg gaggle_portable` forces on Linux too. Under
//! `--cfg loom` the same channels, `select!`, `go!` and `sync` run on loom's threads, for [`testing::model`].

extern crate self as gaggle;

/// The one thing that lower floors know of the front office.
#[cfg(not(loom))]
const HOOKS: sched::Hooks = diag::HOOKS;

pub mod chan;
pub mod context;
#[cfg(not(loom))]
mod coroutine;
#[cfg(not(loom))]
pub mod diag;
#[cfg(not(loom))]
pub mod fs;
#[cfg(not(loom))]
pub mod generator;
pub mod go;
#[cfg_attr(loom, doc(hidden))]
pub mod io;
#[cfg(not(loom))]
pub mod net;
mod park;
#[cfg(not(loom))]
mod platform;
mod primitives;
#[cfg(not(loom))]
pub mod process;
#[cfg_attr(loom, path = "runtime/model.rs")]
pub mod runtime;
#[cfg_attr(loom, allow(dead_code, reason = "plain data structures, compiled for their models"))]
mod sched;
pub mod select;
#[cfg(all(unix, not(loom)))]
pub mod signal;
#[cfg_attr(loom, path = "stack_model.rs")]
pub mod stack;
pub mod sync;
pub mod testing;
#[cfg(not(loom))]
pub mod time;
#[cfg(all(test, loom))]
#[path = "time/model.rs"]
mod time;

pub use chan::{
    Receiver, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError, TrySendError, chan, unbounded,
};
#[cfg(feature = "macros")]
pub use gaggle_macros::{go, growable, main, preemptible, select, test};
pub use go::{Id, JoinHandle, Scope, ScopedJoinHandle, scope, spawn};
#[cfg(not(loom))]
pub use park::slice::checkpoint;
pub use runtime::run;
pub use select::{Select, SelectedOperation};
pub use testing::model;

/// Options for goroutines.
pub mod task {
    pub use crate::go::{Builder, Id, JoinHandle};
}

/// What the macros expand to. Nothing here is for other callers.
#[doc(hidden)]
pub mod __private {
    pub use crate::go::{Site, spawn_at as go};
    pub use crate::runtime::{Attr, run_main as main, run_test as test};
    pub use crate::select::expand as select;
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;

/// In a model every operation is a scheduling point already.
#[cfg(loom)]
pub fn checkpoint() {}
