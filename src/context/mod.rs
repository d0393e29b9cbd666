//! Contexts: deadlines, cancellation and values of a request, handed down through calls and goroutines.
//!
//! ```
//! use gaggle::context::{Context, background, with_cancel};
//! use gaggle::{chan, go, select};
//!
//! fn count(ctx: &Context, out: &gaggle::Sender<u64>) {
//!     let done = ctx.done();
//!     for n in 0.. {
//!         select! {
//!             r = out <- n => if r.is_err() { return },
//!             _ = <-done => return,
//!         }
//!     }
//! }
//!
//! let (ctx, cancel) = with_cancel(&background());
//! let (tx, rx) = chan(0);
//! let counter = go!(clone ctx; { count(&ctx, &tx) });
//! assert_eq!(rx.iter().take(3).collect::<Vec<_>>(), [0, 1, 2]);
//! cancel();
//! counter.join().unwrap();
//! ```
//!
//! A [`Context`] comes from another one, and all of them from the [`background`]. When a context is done, everything
//! that comes from it is done too: [`done`](Context::done) is a channel that closes then, to be waited for like any
//! other, and [`err`](Context::err) says why. A function that may wait long takes a `&Context` as its first argument,
//! and returns when it is done.
//!
//! # Blocking
//! Nothing here waits, except those who receive from [`done`](Context::done).
//!
//! # What is kept
//! A parent knows its children only while they are not done and somebody could be told: contexts that are cancelled, or
//! dropped, leave no trace in a parent that lives on. A receiver from `done` outlives its context: it still hears when
//! the parent is cancelled or the deadline passes, and is never told without a reason.
//!
//! # Compared with Go
//! The package `context`. The functions that make a context borrow its parent; the value's key is its type. What
//! `cancel` does is done when it returns, for the whole tree below; of two calls at once, the second one may
//! return while the first is still at it.

mod cancel;
#[cfg(not(loom))]
mod deadline;
mod errors;
mod group;
#[cfg(all(test, loom))]
mod models;
#[cfg_attr(not(loom), path = "outside/real.rs")]
#[cfg_attr(loom, path = "outside/model.rs")]
mod outside;
#[cfg(all(test, not(loom)))]
mod tests;
mod tree;
mod values;

pub use cancel::{CancelCauseFn, CancelFn, StopFn, after_func, cause, with_cancel, with_cancel_cause, without_cancel};
#[cfg(not(loom))]
pub use deadline::{with_deadline, with_timeout};
pub use errors::ContextError;
#[doc(hidden)]
pub use group::Group;
pub use values::with_value;

use crate::chan::Receiver;
use crate::primitives::sync::Arc;
use core::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Instant;
use tree::Scope;

/// Why a context was cancelled: what [`cause`] hands out; the example is there.
pub type Cause = std::sync::Arc<dyn core::error::Error + Send + Sync>;

/// What a piece of work belongs to: when it is to end, and what it carries along. A clone is another handle to the same.
///
/// ```
/// use gaggle::context::{background, with_cancel};
///
/// let (ctx, cancel) = with_cancel(&background());
/// assert_eq!(ctx.err(), None);
/// cancel();
/// assert!(ctx.clone().err().is_some());
/// ```
///
/// # Compared with Go
/// The interface `context.Context`, as a type.
#[derive(Clone)]
pub struct Context {
    /// Of the nearest one that can be cancelled; `None`: none can.
    scope: Option<Arc<Scope>>,
    values: Option<std::sync::Arc<values::Values>>,
}

/// The context that all others come from: it is never done, has no deadline and no values. It costs nothing.
///
/// # Compared with Go
/// `context.Background`
///
/// ```
/// let ctx = gaggle::context::background();
/// assert!(ctx.err().is_none() && ctx.deadline().is_none());
/// ```
pub fn background() -> Context {
    Context { scope: None, values: None }
}

impl Context {
    /// A channel that closes when the context is done. For one that never is, it never does.
    ///
    /// In a loop, take it once: each call makes a handle, and for the [`background`] a channel.
    ///
    /// # Blocking
    /// Not this call; receiving from it, until the context is done.
    ///
    /// # Compared with Go
    /// `ctx.Done()`, where the one of the background is nil.
    ///
    /// ```
    /// use gaggle::context::{background, with_cancel};
    ///
    /// let (ctx, cancel) = with_cancel(&background());
    /// gaggle::go!(cancel());
    /// assert_eq!(ctx.done().recv(), None);
    /// ```
    pub fn done(&self) -> Receiver<()> {
        match &self.scope {
            Some(scope) => scope.done().clone(),
            None => outside::never(),
        }
    }

    /// Why it is done; `None` while it is not. It says so once [`done`](Self::done) is closed, and not before. Cheap
    /// enough to be asked in a loop.
    ///
    /// # Compared with Go
    /// `ctx.Err()`
    ///
    /// ```
    /// use gaggle::context::{ContextError, background, with_cancel};
    ///
    /// let (ctx, cancel) = with_cancel(&background());
    /// cancel();
    /// assert_eq!(ctx.err(), Some(ContextError::Canceled));
    /// ```
    pub fn err(&self) -> Option<ContextError> {
        self.scope.as_ref()?.node().error()
    }

    /// When it will be done at the latest, if it was given a deadline, or comes from one that was.
    ///
    /// # Compared with Go
    /// `ctx.Deadline()`
    ///
    /// ```
    /// use gaggle::context::{background, with_timeout};
    /// use std::time::{Duration, Instant};
    ///
    /// let (ctx, _cancel) = with_timeout(&background(), Duration::from_secs(60));
    /// assert!(ctx.deadline().unwrap() > Instant::now());
    /// ```
    pub fn deadline(&self) -> Option<Instant> {
        self.scope.as_ref()?.deadline
    }
}

// A panic cannot leave it half changed: no user code runs under its locks.
impl UnwindSafe for Context {}
impl RefUnwindSafe for Context {}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("err", &self.err()).field("deadline", &self.deadline()).finish_non_exhaustive()
    }
}
