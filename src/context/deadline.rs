//! [`with_deadline`] and [`with_timeout`].

use super::tree::{End, Scope};
use super::{CancelFn, Context, ContextError, with_cancel};
use std::time::{Duration, Instant};

/// A context that is done at `deadline`, when the function returned with it is called, or with `parent`: whichever
/// comes first. The parent's deadline holds if it is earlier.
///
/// Call the function as soon as the work is done: it stops the timer. Dropping it cancels nothing; when neither it nor
/// the context nor anybody who waits for its end is left, the timer is stopped as well.
///
/// # Compared with Go
/// `context.WithDeadline`
///
/// ```
/// use gaggle::context::{ContextError, background, with_deadline};
/// use std::time::Instant;
///
/// let (ctx, _cancel) = with_deadline(&background(), Instant::now());
/// ctx.done().recv();
/// assert_eq!(ctx.err(), Some(ContextError::DeadlineExceeded));
/// ```
#[must_use = "without them nothing is cancelled"]
pub fn with_deadline(parent: &Context, deadline: Instant) -> (Context, CancelFn) {
    if parent.deadline().is_some_and(|theirs| theirs <= deadline) {
        return with_cancel(parent);
    }
    let scope = Scope::new(parent.scope.as_ref(), Some(deadline));
    if deadline <= Instant::now() {
        scope.cancel(&End { error: ContextError::DeadlineExceeded, cause: None });
    } else {
        scope.node().arm(deadline);
    }
    (Context { scope: Some(scope.clone()), values: parent.values.clone() }, CancelFn::of(scope))
}

/// A context that is done in `timeout`: [`with_deadline`] from now on. One that the clock can't count to is none.
///
/// # Compared with Go
/// `context.WithTimeout`
///
/// ```
/// use gaggle::context::{ContextError, background, with_timeout};
/// use gaggle::{chan, select};
/// use std::time::Duration;
///
/// let (_tx, slow) = chan::<u32>(0);
/// let (ctx, cancel) = with_timeout(&background(), Duration::from_millis(5));
/// let done = ctx.done();
/// let answer = select! {
///     n = <-slow => Ok(n),
///     _ = <-done => Err(ctx.err().unwrap()),
/// };
/// cancel();
/// assert_eq!(answer, Err(ContextError::DeadlineExceeded));
/// ```
#[must_use = "without them nothing is cancelled"]
pub fn with_timeout(parent: &Context, timeout: Duration) -> (Context, CancelFn) {
    match Instant::now().checked_add(timeout) {
        Some(deadline) => with_deadline(parent, deadline),
        None => with_cancel(parent),
    }
}
