//! What goroutines do, and what is wrong when they do nothing: dumps, metrics, the deadlock report.
//!
//! `README.md` in this folder tells how a parked stack is looked at, and when a program is called deadlocked.
//!
//! - [`runtime::dump`](crate::runtime::dump) and [`runtime::metrics`](crate::runtime::metrics) are the questions that a
//!   program asks.
//! - SIGQUIT (Ctrl-\) makes a program with `#[gaggle::main]` print its dump and end with status 2, as in Go.
//! - `GAGGLE_SCHEDTRACE=ms` prints a line about the scheduler every so many milliseconds.
//! - A panic under [`PanicPolicy::Abort`](crate::runtime::PanicPolicy::Abort) prints the dump of its goroutine, with
//!   `GAGGLE_TRACEBACK=all` those of all.

mod dump;
mod json;
mod metrics;
mod report;
mod schedtrace;
mod text;
mod trace;

pub use dump::{Dump, GoroutineRecord, GoroutineState};
pub use metrics::{Latency, Metrics, StackGuard};
pub use trace::Frame;

pub(crate) use dump::dump;
pub(crate) use metrics::metrics;
pub(crate) use report::{HOOKS, main_exited, watch_sigquit};
