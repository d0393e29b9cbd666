//! The sending end.
//!
//! # Invariants
//! 1. A `Sender` is one of the handles that its channel counts among its senders; the channel outlives it.

use super::core::{Core, Side};
use super::errors::{SendError, TrySendError};
use super::shared::{Chan, Ended};
use crate::park::WaitReason;
use core::fmt;
use core::mem;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;

/// The end of a channel that values go into. Made by [`chan`](super::chan) and [`unbounded`](super::unbounded).
///
/// Clones send on the same channel; it is closed when the last of them is dropped, or by [`close`](Self::close).
///
/// ```
/// let (tx, rx) = gaggle::chan(2);
/// let other = tx.clone();
/// tx.send(1).unwrap();
/// other.send(2).unwrap();
/// drop((tx, other));
/// assert_eq!(rx.iter().collect::<Vec<_>>(), [1, 2]);
/// ```
///
/// A channel carries one type, its lifetimes included:
///
/// ```compile_fail
/// fn shorten<'a>(tx: gaggle::Sender<&'static str>) -> gaggle::Sender<&'a str> {
///     tx
/// }
/// ```
pub struct Sender<T> {
    chan: NonNull<Chan<T>>,
}

// SAFETY: the handle gives what the channel gives: values of `T` move between threads (I1).
unsafe impl<T: Send> Send for Sender<T> {}
// SAFETY: as above; a shared handle shares no `&T`.
unsafe impl<T: Send> Sync for Sender<T> {}
// No operation can be left half done by a panic: values move under the lock, which runs no user code.
impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}

impl<T> Sender<T> {
    /// # Safety
    /// `chan` counts a sender for this handle.
    pub(super) unsafe fn new(chan: NonNull<Chan<T>>) -> Self {
        Self { chan }
    }

    #[inline]
    pub(crate) fn chan(&self) -> &Chan<T> {
        // SAFETY: the channel outlives its handles (I1).
        unsafe { self.chan.as_ref() }
    }

    #[inline]
    fn core(&self) -> &Core {
        self.chan().core()
    }

    /// Sends `value`: returns once a receiver has taken it, or it is in the buffer.
    ///
    /// # Blocking
    /// While the buffer is full; on an unbuffered channel, until a receiver takes the value. Senders are served
    /// first come, first served.
    ///
    /// # Errors
    /// [`SendError`] gives `value` back if the channel is closed, or no receiver is left, before it is taken.
    ///
    /// # Compared with Go
    /// `ch <- v`; what panics there is an `Err` here.
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan(1);
    /// tx.send("kept in the buffer").unwrap();
    /// assert_eq!(rx.recv(), Some("kept in the buffer"));
    /// drop(rx);
    /// assert!(tx.send("nobody there").is_err());
    /// ```
    #[inline]
    pub fn send(&self, mut value: T) -> Result<(), SendError<T>> {
        // SAFETY: `value` is a `T`; it is forgotten if the channel has it.
        match unsafe { self.chan().send(&raw mut value, |ticket| ticket.wait(WaitReason::ChanSend)) } {
            Ended::Done => {
                mem::forget(value);
                Ok(())
            }
            Ended::Closed | Ended::TimedOut => Err(SendError(value)),
        }
    }

    /// Sends `value` if that needs no waiting.
    ///
    /// # Errors
    /// [`TrySendError::Full`] if [`send`](Self::send) would block, [`TrySendError::Closed`] if the channel is
    /// closed or no receiver is left; both give `value` back.
    ///
    /// # Compared with Go
    /// `select { case ch <- v: default: }`
    ///
    /// ```
    /// use gaggle::TrySendError;
    /// let (tx, _rx) = gaggle::chan(1);
    /// assert_eq!(tx.try_send('a'), Ok(()));
    /// assert_eq!(tx.try_send('b'), Err(TrySendError::Full('b')));
    /// ```
    #[inline]
    pub fn try_send(&self, mut value: T) -> Result<(), TrySendError<T>> {
        // SAFETY: `value` is a `T`; it is forgotten if the channel has it.
        match unsafe { self.chan().try_send(&raw mut value) } {
            Ended::Done => {
                mem::forget(value);
                Ok(())
            }
            Ended::Closed => Err(TrySendError::Closed(value)),
            Ended::TimedOut => Err(TrySendError::Full(value)),
        }
    }

    /// Closes the channel: true for the one call that closed it. What is buffered can still be received; blocked
    /// senders get their value back, blocked receivers get `None`.
    ///
    /// # Compared with Go
    /// `close(ch)`; closing twice is no panic, but says `false`.
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan(1);
    /// tx.send(1).unwrap();
    /// assert!(tx.close());
    /// assert!(!tx.close());
    /// assert!(tx.send(2).is_err());
    /// assert_eq!((rx.recv(), rx.recv()), (Some(1), None));
    /// ```
    pub fn close(&self) -> bool {
        self.chan().close()
    }

    /// The number of buffered values.
    ///
    /// ```
    /// let (tx, _rx) = gaggle::chan(8);
    /// tx.send(1).unwrap();
    /// assert_eq!(tx.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.core().look().len()
    }

    /// Whether nothing is buffered; always so on an unbuffered channel.
    ///
    /// ```
    /// let (tx, _rx) = gaggle::chan(8);
    /// assert!(tx.is_empty());
    /// tx.send(1).unwrap();
    /// assert!(!tx.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the buffer has no room left; always so on an unbuffered channel.
    ///
    /// ```
    /// let (tx, _rx) = gaggle::chan(1);
    /// assert!(!tx.is_full());
    /// tx.send(1).unwrap();
    /// assert!(tx.is_full());
    /// ```
    pub fn is_full(&self) -> bool {
        self.len() >= self.core().capacity()
    }

    /// How many values the channel buffers: `Some(0)` for an unbuffered channel, `None` for an unbounded one.
    ///
    /// ```
    /// assert_eq!(gaggle::chan::<u8>(3).0.capacity(), Some(3));
    /// assert_eq!(gaggle::unbounded::<u8>().0.capacity(), None);
    /// ```
    pub fn capacity(&self) -> Option<usize> {
        Some(self.core().capacity()).filter(|capacity| *capacity != Core::UNBOUNDED)
    }

    /// Whether the channel is closed, or no receiver is left: no value can be sent any more.
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan::<u8>(3);
    /// assert!(!tx.is_closed());
    /// drop(rx);
    /// assert!(tx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.core().look().is_closed()
    }

    /// Whether `other` sends on the same channel.
    ///
    /// ```
    /// let (tx, _rx) = gaggle::chan::<u8>(0);
    /// assert!(tx.same_channel(&tx.clone()));
    /// assert!(!tx.same_channel(&gaggle::chan(0).0));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        self.chan == other.chan
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.chan().add_handle(Side::Senders);
        Self { chan: self.chan }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // SAFETY: this handle is one of the senders counted (I1), and is not used again.
        unsafe { Chan::drop_handle(self.chan, Side::Senders) }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::debug(f, "Sender", self.core())
    }
}
