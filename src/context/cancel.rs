//! Cancelling: [`with_cancel`], [`with_cancel_cause`], [`cause`], [`without_cancel`], [`after_func`].

use super::outside;
use super::tree::{Child, End, Func, Scope};
use super::{Cause, Context, ContextError};
use crate::go::site_here;
use crate::primitives::{Lock, LockRank, sequence};
use core::error::Error;
use core::fmt;
use core::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

/// Defines a function that is a value, called as `f()`.
macro_rules! function {
    ($(#[$meta:meta])* $name:ident, dyn $($shape:tt)+) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name(Arc<dyn $($shape)+>);

        impl Deref for $name {
            type Target = dyn $($shape)+;

            fn deref(&self) -> &Self::Target {
                &*self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }

        // What it holds changes under locks that run no user code.
        impl UnwindSafe for $name {}
        impl RefUnwindSafe for $name {}
    };
}

function! {
    /// Cancels a context: `cancel()`. Calls after the first do nothing. Dropping it does not cancel.
    ///
    /// ```
    /// let (ctx, cancel) = gaggle::context::with_cancel(&gaggle::context::background());
    /// gaggle::go!(cancel());
    /// ctx.done().recv();
    /// ```
    CancelFn, dyn Fn() + Send + Sync
}

function! {
    /// Cancels a context and says why: `cancel("disk full".into())`, `cancel(error.into())`. The first call counts.
    ///
    /// ```
    /// use gaggle::context::{background, cause, with_cancel_cause};
    ///
    /// let (ctx, cancel) = with_cancel_cause(&background());
    /// cancel("disk full".into());
    /// cancel("too late".into());
    /// assert_eq!(cause(&ctx).unwrap().to_string(), "disk full");
    /// ```
    CancelCauseFn, dyn Fn(Box<dyn Error + Send + Sync>) + Send + Sync
}

function! {
    /// Takes back what [`after_func`] was given: `stop()` is true if the function now won't run. False: it has been
    /// started, perhaps only just, or taken back before. Dropping it takes nothing back.
    ///
    /// ```
    /// use gaggle::context::{after_func, background, with_cancel};
    ///
    /// let (ctx, _cancel) = with_cancel(&background());
    /// let stop = after_func(&ctx, || unreachable!());
    /// assert!(stop());
    /// assert!(!stop());
    /// ```
    StopFn, dyn Fn() -> bool + Send + Sync
}

impl CancelFn {
    pub(super) fn of(scope: crate::primitives::sync::Arc<Scope>) -> CancelFn {
        let how = End { error: ContextError::Canceled, cause: None };
        CancelFn(Arc::new(move || scope.cancel(&how)))
    }
}

/// A context that is done when the function returned with it is called, or with `parent`.
///
/// Call the function when the work is done, so that everything that belongs to it ends too. Dropping it cancels
/// nothing, as in Go. When neither it nor the context nor anybody who waits for its end is left, the parent forgets
/// them.
///
/// # Compared with Go
/// `context.WithCancel`. A context that is forgotten without being cancelled stays in Go's parent for ever.
///
/// ```
/// use gaggle::context::{ContextError, background, with_cancel};
///
/// let (parent, cancel) = with_cancel(&background());
/// let (child, _cancel_child) = with_cancel(&parent);
/// cancel();
/// assert_eq!(child.done().recv(), None);
/// assert_eq!(child.err(), Some(ContextError::Canceled));
/// ```
#[must_use = "without them nothing is cancelled"]
pub fn with_cancel(parent: &Context) -> (Context, CancelFn) {
    let scope = Scope::new(parent.scope.as_ref(), parent.deadline());
    (Context { scope: Some(scope.clone()), values: parent.values.clone() }, CancelFn::of(scope))
}

/// As [`with_cancel`], but the function takes the reason, which [`cause`] hands out.
///
/// # Compared with Go
/// `context.WithCancelCause`. For Go's `cancel(nil)`, pass `ContextError::Canceled.into()`.
///
/// ```
/// use gaggle::context::{ContextError, background, cause, with_cancel_cause};
///
/// let (ctx, cancel) = with_cancel_cause(&background());
/// cancel(std::io::Error::other("no route").into());
/// assert_eq!(ctx.err(), Some(ContextError::Canceled));
/// assert_eq!(cause(&ctx).unwrap().to_string(), "no route");
/// ```
#[must_use = "without them nothing is cancelled"]
pub fn with_cancel_cause(parent: &Context) -> (Context, CancelCauseFn) {
    let scope = Scope::new(parent.scope.as_ref(), parent.deadline());
    let ctx = Context { scope: Some(scope.clone()), values: parent.values.clone() };
    let cancel = move |cause: Box<dyn Error + Send + Sync>| {
        scope.cancel(&End { error: ContextError::Canceled, cause: Some(cause.into()) });
    };
    (ctx, CancelCauseFn(Arc::new(cancel)))
}

/// Why `ctx` is done: what it, or the one that it was cancelled with, was cancelled for; without such a reason its
/// [`err`](Context::err). `None` while it is not done.
///
/// # Compared with Go
/// `context.Cause`
///
/// ```
/// use gaggle::context::{ContextError, background, cause, with_cancel};
///
/// let (ctx, cancel) = with_cancel(&background());
/// assert!(cause(&ctx).is_none());
/// cancel();
/// assert_eq!(cause(&ctx).unwrap().downcast_ref(), Some(&ContextError::Canceled));
/// ```
pub fn cause(ctx: &Context) -> Option<Cause> {
    let End { error, cause } = ctx.scope.as_ref()?.node().how_it_ended()?;
    Some(cause.unwrap_or_else(|| Arc::new(error)))
}

/// A context with the values of `parent`, which is not done when that is, and has no deadline.
///
/// # Compared with Go
/// `context.WithoutCancel`
///
/// ```
/// use gaggle::context::{background, with_cancel, with_value, without_cancel};
///
/// let (ctx, cancel) = with_cancel(&with_value(&background(), 7u8));
/// let roll_back = without_cancel(&ctx);
/// cancel();
/// assert_eq!(roll_back.err(), None);
/// assert_eq!(roll_back.value::<u8>().as_deref(), Some(&7));
/// ```
#[must_use = "the parent stays as it is"]
pub fn without_cancel(parent: &Context) -> Context {
    Context { scope: None, values: parent.values.clone() }
}

/// Runs `f` in a goroutine of its own once `ctx` is done: at once, if it is. Several functions don't wait for each
/// other. The function returned takes `f` back.
///
/// `f` is dropped, without a run, when nobody is left who could cancel `ctx`; for the [`background`](super::background),
/// together with the function returned.
///
/// # Compared with Go
/// `context.AfterFunc`
///
/// ```
/// use gaggle::context::{after_func, background, with_cancel};
///
/// let (ctx, cancel) = with_cancel(&background());
/// let (tx, rx) = gaggle::chan(1);
/// let stop = after_func(&ctx, move || tx.send("cleaned up").unwrap());
/// cancel();
/// assert_eq!(rx.recv(), Some("cleaned up"));
/// assert!(!stop());
/// ```
#[track_caller]
pub fn after_func<F: FnOnce() + Send + 'static>(ctx: &Context, f: F) -> StopFn {
    let Some(scope) = &ctx.scope else {
        let kept = Lock::new(LockRank::Leaf, Some(f));
        return StopFn(Arc::new(move || {
            let f = kept.lock().take();
            f.is_some()
        }));
    };
    let key = sequence();
    match scope.adopt(key, Child::Func(Func { run: Box::new(f), site: site_here() })) {
        Err((Child::Func(func), _)) => {
            outside::start(func);
            StopFn(Arc::new(|| false))
        }
        _ => {
            let node = scope.node().clone();
            StopFn(Arc::new(move || node.disown(key)))
        }
    }
}
