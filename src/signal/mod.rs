//! Signals of the system, received from channels.
//!
//! ```
//! use gaggle::signal::{self, Signal};
//!
//! let signals = signal::notify(&[Signal::USR1, Signal::USR2]);
//! # fn raise(signal: Signal) {
//! #     // SAFETY: a signal for this process, which is prepared for it.
//! #     unsafe { libc::raise(signal.as_raw()) };
//! # }
//! raise(Signal::USR1);
//! assert_eq!(signals.recv(), Some(Signal::USR1));
//! ```
//!
//! A signal for which somebody has called [`notify`] does nothing else than to arrive there. All others do what they do to
//! any program: Ctrl-C ends it.
//!
//! ```no_run
//! use gaggle::select;
//! use gaggle::signal::{self, Signal};
//!
//! # let work = gaggle::unbounded::<u32>().1;
//! let stop = signal::notify(&[Signal::INTERRUPT, Signal::TERMINATE]);
//! loop {
//!     select! {
//!         s = <-stop => break println!("{}: finishing", s.unwrap()),
//!         w = <-work => println!("{w:?}"),
//!     }
//! }
//! ```
//!
//! # What is lost
//! The system merges signals of one number that come in quick succession, here as everywhere. A channel takes 64; when it
//! is full, further signals are dropped, as in Go: whoever does not receive does not hold up the others.
//!
//! # Compared with Go
//! `os/signal`. [`notify`] makes the channel, and dropping its last receiver is a [`stop`]. `SIGQUIT` prints a dump of all
//! goroutines unless the program asks for it, as in Go; what is notified of no signals is notified of all but faults.

mod names;
mod registry;

pub use names::Signal;

use crate::chan::{Receiver, chan};

/// How many signals wait in a channel.
const BUFFER: usize = 64;

/// A channel on which these signals arrive from now on, instead of having their effect. No signals at all means all but
/// those that tell of faults of the program.
///
/// Each call makes a channel of its own; a signal arrives on all that asked for it. When the last receiver is dropped the
/// signals have again the effect that they had before, unless others are notified of them.
///
/// # Panics
/// For `SIGKILL` and `SIGSTOP`, which cannot be caught; for `SIGSEGV`, `SIGBUS`, `SIGFPE` and `SIGILL`, after which the
/// program cannot go on; for what is no signal. And if there is no thread, or no pipe, to receive signals with.
///
/// ```
/// use gaggle::signal::{notify, Signal};
///
/// let reload = notify(&[Signal::HANGUP]);
/// assert!(reload.is_empty());
/// assert!(std::panic::catch_unwind(|| notify(&[Signal::KILL])).is_err());
/// ```
#[must_use = "signals have their usual effect again once the receiver is dropped"]
#[track_caller]
pub fn notify(signals: &[Signal]) -> Receiver<Signal> {
    for signal in signals {
        assert!(signal.may_be_caught(), "notify: {signal} cannot be received");
    }
    let (tx, rx) = chan(BUFFER);
    if let Err(error) = registry::add(signals, tx) {
        panic!("notify: cannot receive signals: {error}");
    }
    rx
}

/// Ends the notifications of a channel from [`notify`]: it is closed, and what is in it can still be received.
///
/// ```
/// use gaggle::signal::{notify, stop, Signal};
///
/// let signals = notify(&[Signal::USR1]);
/// stop(&signals);
/// assert_eq!(signals.recv(), None);
/// ```
pub fn stop(receiver: &Receiver<Signal>) {
    registry::remove(|sender| receiver.is_fed_by(sender));
}

/// Makes these signals have no effect; notifications of them end. No signals at all means all but those of faults.
///
/// # Panics
/// As [`notify`].
///
/// ```
/// use gaggle::signal::{ignore, reset, Signal};
///
/// ignore(&[Signal::USR1]);
/// // SAFETY: a signal that is ignored.
/// unsafe { libc::raise(libc::SIGUSR1) };
/// reset(&[Signal::USR1]);
/// ```
#[track_caller]
pub fn ignore(signals: &[Signal]) {
    for signal in signals {
        assert!(signal.may_be_caught(), "ignore: {signal} cannot be ignored");
    }
    if let Err(error) = registry::ignore(signals) {
        panic!("ignore: {error}");
    }
}

/// Gives these signals back the effect that they had before [`notify`] and [`ignore`]. No signals at all means all.
///
/// A channel that is left without any signal is closed.
///
/// ```
/// use gaggle::signal::{notify, reset, Signal};
///
/// let signals = notify(&[Signal::USR1]);
/// reset(&[]);
/// assert_eq!(signals.recv(), None);
/// ```
pub fn reset(signals: &[Signal]) {
    registry::reset(signals);
}
