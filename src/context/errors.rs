//! [`ContextError`]: why a context is done.

use core::fmt;

/// Why a context is done: what [`Context::err`](super::Context::err) says.
///
/// ```
/// use gaggle::context::{ContextError, background, with_cancel};
///
/// let (ctx, cancel) = with_cancel(&background());
/// cancel();
/// assert_eq!(ctx.err(), Some(ContextError::Canceled));
/// assert_eq!(ContextError::DeadlineExceeded.to_string(), "context deadline exceeded");
/// ```
///
/// # Compared with Go
/// `context.Canceled` and `context.DeadlineExceeded`, with their words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContextError {
    /// It was cancelled, or one that it comes from was.
    Canceled,
    /// Its deadline passed first.
    DeadlineExceeded,
}

impl fmt::Display for ContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ContextError::Canceled => "context canceled",
            ContextError::DeadlineExceeded => "context deadline exceeded",
        })
    }
}

impl std::error::Error for ContextError {}
