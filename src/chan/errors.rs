//! What a send or a receive says when it could not be done. Every error of a send gives the value back.

use core::fmt;
use std::error::Error;

/// The channel is closed, or no receiver is left: from [`Sender::send`](super::Sender::send).
///
/// ```
/// let (tx, rx) = gaggle::chan(1);
/// drop(rx);
/// let err = tx.send("lost?").unwrap_err();
/// assert_eq!(err.to_string(), "sending on a closed channel");
/// assert_eq!(err.into_inner(), "lost?");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

/// Why [`Sender::try_send`](super::Sender::try_send) did not send.
///
/// ```
/// use gaggle::TrySendError;
/// let (tx, _rx) = gaggle::chan(1);
/// tx.try_send(1).unwrap();
/// assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
/// tx.close();
/// assert_eq!(tx.try_send(3), Err(TrySendError::Closed(3)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// The buffer is full, or, on an unbuffered channel, no receiver waits.
    Full(T),
    /// The channel is closed, or no receiver is left.
    Closed(T),
}

/// Why [`Sender::send_timeout`](super::Sender::send_timeout) did not send.
///
/// ```
/// use gaggle::SendTimeoutError;
/// use std::time::Duration;
/// let (tx, _rx) = gaggle::chan(0);
/// let err = tx.send_timeout(1, Duration::from_millis(1)).unwrap_err();
/// assert_eq!(err, SendTimeoutError::Timeout(1));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SendTimeoutError<T> {
    /// The time passed before the value was taken or buffered.
    Timeout(T),
    /// The channel is closed, or no receiver is left.
    Closed(T),
}

/// Why [`Receiver::try_recv`](super::Receiver::try_recv) did not receive.
///
/// ```
/// use gaggle::TryRecvError;
/// let (tx, rx) = gaggle::chan::<i32>(0);
/// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
/// drop(tx);
/// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// Nothing is buffered and no sender waits.
    Empty,
    /// The channel is closed and drained: nothing will ever come.
    Closed,
}

/// Why [`Receiver::recv_timeout`](super::Receiver::recv_timeout) did not receive.
///
/// ```
/// use gaggle::RecvTimeoutError;
/// use std::time::Duration;
/// let (_tx, rx) = gaggle::chan::<i32>(0);
/// assert_eq!(rx.recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Timeout));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecvTimeoutError {
    /// The time passed before a value came.
    Timeout,
    /// The channel is closed and drained: nothing will ever come.
    Closed,
}

const SEND_CLOSED: &str = "sending on a closed channel";
const RECV_CLOSED: &str = "receiving on a closed and drained channel";

impl<T> SendError<T> {
    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SEND_CLOSED)
    }
}

impl<T> Error for SendError<T> {}

impl<T> TrySendError<T> {
    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Closed(value) => value,
        }
    }

    /// Whether it was for want of room.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether no value can be sent any more.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "sending on a full channel",
            Self::Closed(_) => SEND_CLOSED,
        })
    }
}

impl<T> Error for TrySendError<T> {}

impl<T> From<SendError<T>> for TrySendError<T> {
    fn from(err: SendError<T>) -> Self {
        Self::Closed(err.0)
    }
}

impl<T> SendTimeoutError<T> {
    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            Self::Timeout(value) | Self::Closed(value) => value,
        }
    }

    /// Whether the time passed.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// Whether no value can be sent any more.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

impl<T> fmt::Debug for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout(_) => "Timeout(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout(_) => "sending on a channel timed out",
            Self::Closed(_) => SEND_CLOSED,
        })
    }
}

impl<T> Error for SendTimeoutError<T> {}

impl<T> From<SendError<T>> for SendTimeoutError<T> {
    fn from(err: SendError<T>) -> Self {
        Self::Closed(err.0)
    }
}

impl TryRecvError {
    /// Whether there is only nothing to receive just now.
    pub fn is_empty(&self) -> bool {
        *self == Self::Empty
    }

    /// Whether nothing will ever come.
    pub fn is_closed(&self) -> bool {
        *self == Self::Closed
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "receiving on an empty channel",
            Self::Closed => RECV_CLOSED,
        })
    }
}

impl Error for TryRecvError {}

impl RecvTimeoutError {
    /// Whether the time passed.
    pub fn is_timeout(&self) -> bool {
        *self == Self::Timeout
    }

    /// Whether nothing will ever come.
    pub fn is_closed(&self) -> bool {
        *self == Self::Closed
    }
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "receiving on a channel timed out",
            Self::Closed => RECV_CLOSED,
        })
    }
}

impl Error for RecvTimeoutError {}
