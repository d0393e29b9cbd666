//! Channels: how goroutines and threads hand values to each other.
//!
//! A channel has two ends, each of which may be cloned and moved anywhere:
//!
//! ```
//! let (tx, rx) = gaggle::chan(0);
//! let worker = std::thread::spawn(move || {
//!     for word in ["three", "little", "words"] {
//!         tx.send(word).unwrap();
//!     }
//! });
//! assert_eq!(rx.iter().collect::<Vec<_>>().join(" "), "three little words");
//! worker.join().unwrap();
//! ```
//!
//! # Capacity
//! [`chan(0)`](chan) buffers nothing: a send and a receive meet, and each waits for the other (a *rendezvous*). When
//! `send` returns, a receiver has the value. `chan(n)` buffers up to `n` values, in memory that is allocated once,
//! at the start. [`unbounded`] never makes a sender wait; its memory grows with what is buffered, and is given
//! back as that is drained.
//!
//! # Blocking
//! [`send`](Sender::send) and [`recv`](Receiver::recv) wait as long as it takes; a waiting goroutine costs no
//! thread. [`try_send`](Sender::try_send) and [`try_recv`](Receiver::try_recv) never wait,
//! [`send_timeout`](Sender::send_timeout) and [`recv_timeout`](Receiver::recv_timeout) no longer than they are
//! told. To wait on several channels at once, use [`select`](mod@crate::select).
//!
//! # Closing
//! A channel is closed by [`close`](Sender::close), or when the last [`Sender`] is dropped. Then sends fail, values
//! still buffered are received, and after them every receive says `None`: loops over the receiver end.
//! When the last [`Receiver`] is dropped, sends fail too, and what is buffered is dropped. A send that fails gives
//! the value back.
//!
//! ```
//! let (tx, rx) = gaggle::chan(2);
//! tx.send(1).unwrap();
//! drop(tx);
//! assert_eq!(rx.recv(), Some(1));
//! assert_eq!(rx.recv(), None);
//! ```
//!
//! # Fairness
//! Those who wait are served first come, first served, and a value goes straight to the receiver that has waited
//! longest: nobody who comes later can take it. Each value is delivered once, or handed back, or dropped with the
//! channel; in the order in which it was sent.
//!
//! # Not done, and why
//! No separate kinds of channel behind one face, as elsewhere: one lock-based core serves all three capacities, so
//! that `select` can hold all its channels still while it looks, and the whole can be explored by a model checker.

pub(crate) mod core;
mod errors;
mod receiver;
mod ring;
mod sender;
pub(crate) mod shared;
mod timed;

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;

pub use self::errors::{RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError};
pub use self::receiver::{IntoIter, Iter, Receiver, TryIter};
pub use self::sender::Sender;

use self::core::{Core, Word};
use self::ring::Ring;
use self::shared::Chan;
use std::fmt;

/// Makes a channel that buffers up to `capacity` values; with 0, sender and receiver meet.
///
/// The buffer is allocated here, once.
///
/// # Panics
/// If there is no memory for `capacity` values, or their number does not fit a word.
///
/// # Compared with Go
/// `make(chan T, capacity)`
///
/// ```
/// let (tx, rx) = gaggle::chan(1);
/// tx.send("hello").unwrap();
/// assert_eq!(rx.recv(), Some("hello"));
/// ```
#[track_caller]
pub fn chan<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let ring = if capacity < Word::MAX_LEN { Ring::fixed(capacity) } else { None };
    let Some(ring) = ring else {
        let each = size_of::<T>();
        panic!("chan: capacity {capacity} is out of range: no memory for that many values of {each} bytes")
    };
    ends(Chan::new(capacity, ring))
}

/// Makes a channel that buffers as much as it is sent: [`Sender::send`] never waits.
///
/// Memory grows with what is buffered, and is given back as it is received.
///
/// # Compared with Go
/// Go has none. Prefer a bounded [`chan`] where the sender should feel that the receiver can't keep up.
///
/// ```
/// let (tx, rx) = gaggle::unbounded();
/// for i in 0..1000 {
///     tx.send(i).unwrap();
/// }
/// assert_eq!(rx.try_iter().count(), 1000);
/// ```
#[cfg_attr(loom, track_caller)]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    ends(Chan::new(Core::UNBOUNDED, Ring::empty()))
}

fn ends<T>(chan: std::ptr::NonNull<Chan<T>>) -> (Sender<T>, Receiver<T>) {
    // SAFETY: a new channel counts one handle on each side.
    unsafe { (Sender::new(chan), Receiver::new(chan)) }
}

/// What `{:?}` shows of either end; it takes no lock.
fn debug(f: &mut fmt::Formatter<'_>, name: &str, core: &Core) -> fmt::Result {
    let word = core.look();
    let mut fields = f.debug_struct(name);
    fields.field("len", &word.len());
    if core.capacity() != Core::UNBOUNDED {
        fields.field("capacity", &core.capacity());
    }
    fields.field("closed", &word.is_closed()).finish()
}
