//! The receiving end, and the iterators over what it receives.
//!
//! # Invariants
//! 1. A `Receiver` is one of the handles that its channel counts among its receivers; the channel outlives it.

use super::core::{Core, Side};
use super::errors::TryRecvError;
use super::shared::{Chan, Ended};
use crate::park::WaitReason;
use core::fmt;
use core::iter::FusedIterator;
use core::mem::MaybeUninit;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;

/// The end of a channel that values come out of. Made by [`chan`](super::chan) and
/// [`unbounded`](super::unbounded).
///
/// Clones receive from the same channel: each value goes to one of them. When the last is dropped, sends fail, and
/// what was buffered is dropped.
///
/// ```
/// let (tx, rx) = gaggle::chan(3);
/// for i in 1..=3 {
///     tx.send(i).unwrap();
/// }
/// drop(tx);
/// assert_eq!(rx.into_iter().sum::<i32>(), 6);
/// ```
///
/// A channel carries one type, its lifetimes included:
///
/// ```compile_fail
/// fn shorten<'a>(rx: gaggle::Receiver<&'static str>) -> gaggle::Receiver<&'a str> {
///     rx
/// }
/// ```
pub struct Receiver<T> {
    chan: NonNull<Chan<T>>,
}

// SAFETY: the handle gives what the channel gives: values of `T` move between threads (I1).
unsafe impl<T: Send> Send for Receiver<T> {}
// SAFETY: as above; a shared handle shares no `&T`.
unsafe impl<T: Send> Sync for Receiver<T> {}
// No operation can be left half done by a panic: values move under the lock, which runs no user code.
impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

impl<T> Receiver<T> {
    /// # Safety
    /// `chan` counts a receiver for this handle.
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

    /// Receives a value; `None` once the channel is closed **and** drained.
    ///
    /// # Blocking
    /// While nothing is buffered and no sender waits. Receivers are served first come, first served.
    ///
    /// # Compared with Go
    /// `v, ok := <-ch`
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan(1);
    /// tx.send(1).unwrap();
    /// drop(tx);
    /// assert_eq!(rx.recv(), Some(1));
    /// assert_eq!(rx.recv(), None);
    /// ```
    #[inline]
    pub fn recv(&self) -> Option<T> {
        let mut value = MaybeUninit::uninit();
        // SAFETY: there is room for a `T`.
        match unsafe { self.chan().recv(value.as_mut_ptr(), |ticket| ticket.wait(WaitReason::ChanReceive)) } {
            // SAFETY: Done says that the value is there.
            Ended::Done => Some(unsafe { value.assume_init() }),
            Ended::Closed | Ended::TimedOut => None,
        }
    }

    /// Receives a value if that needs no waiting.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`] if [`recv`](Self::recv) would block, [`TryRecvError::Closed`] if the channel is
    /// closed and drained.
    ///
    /// # Compared with Go
    /// `select { case v, ok := <-ch: default: }`
    ///
    /// ```
    /// use gaggle::TryRecvError;
    /// let (tx, rx) = gaggle::chan(1);
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// ```
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut value = MaybeUninit::uninit();
        // SAFETY: there is room for a `T`.
        match unsafe { self.chan().try_recv(value.as_mut_ptr()) } {
            // SAFETY: Done says that the value is there.
            Ended::Done => Ok(unsafe { value.assume_init() }),
            Ended::Closed => Err(TryRecvError::Closed),
            Ended::TimedOut => Err(TryRecvError::Empty),
        }
    }

    /// Receives value after value, until the channel is closed and drained. `for v in &rx` is the same.
    ///
    /// # Blocking
    /// Each step as [`recv`](Self::recv).
    ///
    /// # Compared with Go
    /// `for v := range ch`
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan(2);
    /// tx.send(1).unwrap();
    /// tx.send(2).unwrap();
    /// tx.close();
    /// assert_eq!(rx.iter().collect::<Vec<_>>(), [1, 2]);
    /// ```
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// Receives what can be had without waiting.
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan(2);
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1]);
    /// assert!(!rx.is_closed());
    /// ```
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }

    /// The number of buffered values.
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan(8);
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.core().look().len()
    }

    /// Whether nothing is buffered; always so on an unbuffered channel.
    ///
    /// ```
    /// let (_tx, rx) = gaggle::chan::<u8>(8);
    /// assert!(rx.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the buffer has no room left; always so on an unbuffered channel.
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan(1);
    /// tx.send(1).unwrap();
    /// assert!(rx.is_full());
    /// ```
    pub fn is_full(&self) -> bool {
        self.len() >= self.core().capacity()
    }

    /// How many values the channel buffers: `Some(0)` for an unbuffered channel, `None` for an unbounded one.
    ///
    /// ```
    /// assert_eq!(gaggle::chan::<u8>(0).1.capacity(), Some(0));
    /// ```
    pub fn capacity(&self) -> Option<usize> {
        Some(self.core().capacity()).filter(|capacity| *capacity != Core::UNBOUNDED)
    }

    /// Whether the channel is closed; values may still be buffered.
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan(1);
    /// tx.send(1).unwrap();
    /// tx.close();
    /// assert!(rx.is_closed());
    /// assert_eq!(rx.recv(), Some(1));
    /// ```
    pub fn is_closed(&self) -> bool {
        self.core().look().is_closed()
    }

    /// Whether `other` receives from the same channel.
    ///
    /// ```
    /// let (_tx, rx) = gaggle::chan::<u8>(0);
    /// assert!(rx.same_channel(&rx.clone()));
    /// assert!(!rx.same_channel(&gaggle::chan(0).1));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        self.chan == other.chan
    }

    /// Whether `sender` sends on this channel.
    #[cfg_attr(loom, allow(dead_code, reason = "for signals, which no model has"))]
    pub(crate) fn is_fed_by(&self, sender: &super::Sender<T>) -> bool {
        core::ptr::eq(self.chan(), sender.chan())
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.chan().add_handle(Side::Receivers);
        Self { chan: self.chan }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // SAFETY: this handle is one of the receivers counted (I1), and is not used again.
        unsafe { Chan::drop_handle(self.chan, Side::Receivers) }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::debug(f, "Receiver", self.core())
    }
}

/// Receives until the channel is closed and drained: from [`Receiver::iter`].
///
/// ```
/// let (tx, rx) = gaggle::chan(1);
/// tx.send('a').unwrap();
/// drop(tx);
/// for c in &rx {
///     assert_eq!(c, 'a');
/// }
/// ```
#[derive(Debug)]
pub struct Iter<'a, T> {
    receiver: &'a Receiver<T>,
}

/// Receives until nothing is to be had without waiting: from [`Receiver::try_iter`].
///
/// ```
/// let (tx, rx) = gaggle::chan(1);
/// let mut now = rx.try_iter();
/// assert_eq!(now.next(), None);
/// tx.send(7).unwrap();
/// assert_eq!(now.next(), Some(7));
/// ```
#[derive(Debug)]
pub struct TryIter<'a, T> {
    receiver: &'a Receiver<T>,
}

/// Receives until the channel is closed and drained, and owns the receiver: from `for v in rx`.
///
/// ```
/// let (tx, rx) = gaggle::chan(1);
/// tx.send(7).unwrap();
/// let mut all = rx.into_iter();
/// assert_eq!(all.next(), Some(7));
/// drop(all);
/// assert!(tx.is_closed());
/// ```
#[derive(Debug)]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv()
    }
}

// Closed and drained is for ever.
impl<T> FusedIterator for Iter<'_, T> {}
impl<T> FusedIterator for IntoIter<T> {}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Self { receiver: self.receiver }
    }
}

impl<T> Clone for TryIter<'_, T> {
    fn clone(&self) -> Self {
        Self { receiver: self.receiver }
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self }
    }
}
