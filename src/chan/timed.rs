//! The operations that give up after a time. Models have no clock: there a timeout may pass at any moment.

use super::errors::{RecvTimeoutError, SendTimeoutError};
use super::receiver::Receiver;
use super::sender::Sender;
use super::shared::Ended;
use crate::park::{Outcome, Ticket, WaitReason, wait_until};
use core::mem::{self, MaybeUninit};
use std::time::{Duration, Instant};

/// Waits until served, or for `timeout`; a timeout beyond what the clock can count is for ever.
fn wait_for(ticket: Ticket, reason: WaitReason, timeout: Duration) -> Outcome {
    match Instant::now().checked_add(timeout) {
        Some(deadline) => wait_until(ticket, reason, deadline),
        None => ticket.wait(reason),
    }
}

impl<T> Sender<T> {
    /// Sends `value` as [`send`](Self::send) does, but waits no longer than `timeout`.
    ///
    /// # Blocking
    /// As [`send`](Self::send), for `timeout` at most; with [`Duration::MAX`], for ever. A send that needs no
    /// waiting is made whatever the timeout.
    ///
    /// # Errors
    /// [`SendTimeoutError`] says which of the two it was, and gives `value` back.
    ///
    /// ```
    /// use std::time::Duration;
    /// let (tx, _rx) = gaggle::chan(1);
    /// let patience = Duration::from_millis(1);
    /// assert!(tx.send_timeout(1, patience).is_ok());
    /// assert!(tx.send_timeout(2, patience).unwrap_err().is_timeout());
    /// ```
    pub fn send_timeout(&self, mut value: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        let place = &raw mut value;
        // SAFETY: `value` is a `T`; it is forgotten if the channel has it.
        let ended = unsafe {
            if timeout.is_zero() {
                self.chan().try_send(place)
            } else {
                self.chan().send(place, |ticket| wait_for(ticket, WaitReason::ChanSend, timeout))
            }
        };
        match ended {
            Ended::Done => {
                mem::forget(value);
                Ok(())
            }
            Ended::Closed => Err(SendTimeoutError::Closed(value)),
            Ended::TimedOut => Err(SendTimeoutError::Timeout(value)),
        }
    }
}

impl<T> Receiver<T> {
    /// Receives as [`recv`](Self::recv) does, but waits no longer than `timeout`.
    ///
    /// # Blocking
    /// As [`recv`](Self::recv), for `timeout` at most; with [`Duration::MAX`], for ever. A value that can be had
    /// without waiting is received whatever the timeout.
    ///
    /// # Errors
    /// [`RecvTimeoutError`] says whether the time passed, or the channel is closed and drained.
    ///
    /// ```
    /// use std::time::Duration;
    /// let (tx, rx) = gaggle::chan::<u8>(1);
    /// let patience = Duration::from_millis(1);
    /// assert!(rx.recv_timeout(patience).unwrap_err().is_timeout());
    /// drop(tx);
    /// assert!(rx.recv_timeout(patience).unwrap_err().is_closed());
    /// ```
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let mut value = MaybeUninit::uninit();
        let place = value.as_mut_ptr();
        // SAFETY: there is room for a `T`.
        let ended = unsafe {
            if timeout.is_zero() {
                self.chan().try_recv(place)
            } else {
                self.chan().recv(place, |ticket| wait_for(ticket, WaitReason::ChanReceive, timeout))
            }
        };
        match ended {
            // SAFETY: Done says that the value is there.
            Ended::Done => Ok(unsafe { value.assume_init() }),
            Ended::Closed => Err(RecvTimeoutError::Closed),
            Ended::TimedOut => Err(RecvTimeoutError::Timeout),
        }
    }
}
