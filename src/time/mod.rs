//! Time: sleeping, and channels that receive when it is time.
//!
//! ```
//! use gaggle::time::{self, Ticker};
//! use std::time::Duration;
//!
//! time::sleep(Duration::from_millis(1));
//! let ticker = Ticker::new(Duration::from_millis(1));
//! let deadline = time::after(Duration::from_secs(60));
//! let mut ticks = 0;
//! while ticks < 3 && deadline.is_empty() {
//!     ticker.receiver().recv();
//!     ticks += 1;
//! }
//! assert_eq!(ticks, 3);
//! ```
//!
//! Instants are `std::time::Instant`s: a clock that never goes back, and that nobody sets. What falls into a time in
//! which the process was stopped is due when it goes on; a ticker skips the ticks that it missed. Whether the time in
//! which the machine slept counts is the system's affair (on Linux it does not). A duration too long for that clock means
//! *never*; nothing overflows. Everything here works from goroutines and plain threads, and what is due is sent or
//! started at its time or a little later, never earlier. Where many deadlines come close together (four or more are due at
//! one look) the next ones may wait for half a millisecond, to be done together.
//!
//! # Timers and channels
//!
//! [`after`], [`at`] and [`tick`] hand out a channel and forget it: it costs nothing once its receivers are dropped.
//! [`Timer`] and [`Ticker`] can be stopped and reset. Both follow Go 1.23: **after `stop` or `reset` has returned,
//! no value of before is received**. It holds because a value is only sent under the timer's lock by a firing that
//! is still current, and because `stop` and `reset` make the current firing stale and empty the channel under the
//! same lock: what was due before is either drained or not sent any more. Where Go's timer channels pretend to be
//! unbuffered (`len` and `cap` are 0), these have a buffer of one, and `len()` says whether a value is there.
//!
//! In `select!`, prefer the arm `after(duration) =>` to a channel: it makes none.

mod alarm;
mod kept;
mod sleep;
mod ticker;
mod timer;

pub(crate) use kept::keep_open;
pub use sleep::sleep;
pub use ticker::{Ticker, tick};
pub use timer::{Timer, after, at, never};

use std::time::{Duration, Instant};

/// The instant in `delay`; `None` if the clock does not go that far.
fn instant_in(delay: Duration) -> Option<Instant> {
    Instant::now().checked_add(delay)
}
