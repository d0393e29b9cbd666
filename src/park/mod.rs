//! The hatch: the only door to the scheduler for channels, `select`, `sync` and `time`, and the loom seam.
//!
//! > [`begin_wait`] opens a wait of the calling goroutine (or thread) and returns its [`Ticket`]. Any number of
//! > parties may hold copies. The first [`Ticket::claim`] to succeed owns the right, and the duty, to call
//! > [`Ticket::wake`] exactly once. [`Ticket::wait`] returns the outcome, once, after that `wake`; it never
//! > returns early. All writes made before `wake` are visible after `wait`. Claims on an ended wait fail.
//!
//! `README.md` beside this file has the proof sketch. What stops and starts a thread of control is one of two
//! bodies: `native.rs` (a goroutine on its worker, or a plain OS thread) and `loom/` (a thread of a model).

mod reason;
#[cfg(not(loom))]
pub(crate) mod slice;
mod ticket;
mod wait_queue;

#[cfg(not(loom))]
pub(crate) mod deadline;
#[cfg(all(test, loom))]
#[path = "deadline_model.rs"]
pub(crate) mod deadline;
#[cfg(not(loom))]
#[path = "native.rs"]
mod imp;
#[cfg(not(loom))]
mod io_limits;
#[cfg(not(loom))]
mod io_source;
#[cfg(loom)]
#[path = "loom/mod.rs"]
pub(crate) mod model;

#[cfg(loom)]
use model as imp;

pub(crate) use crate::sched::status::{Outcome, OutcomeKind};
#[cfg(not(loom))]
pub(crate) use crate::sched::watch::{External, own_thread};
#[cfg(any(not(loom), test))]
pub(crate) use deadline::OnTime;
#[cfg(not(loom))]
pub(crate) use deadline::wait_until;
#[cfg(not(loom))]
pub(crate) use imp::{Myself, rand_below};
pub(crate) use imp::{Payload, SpawnOptions, Spawned, end_goroutine, in_goroutine, prepare, yield_now};
#[cfg(loom)]
pub(crate) use imp::{choose, wait_until};
#[cfg(not(loom))]
pub(crate) use io_source::{AsSource, Direction, IoSource};
pub(crate) use reason::WaitReason;
pub(crate) use ticket::{Ticket, begin_wait, wake_all};
pub(crate) use wait_queue::{Course, WaitNode, WaitQueue};
