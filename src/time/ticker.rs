//! [`Ticker`], and [`tick`], the one that can't be stopped.

use super::alarm::{Action, Alarm};
use super::{instant_in, never};
use crate::chan::{Receiver, chan};
use crate::primitives::sync::Arc;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::{Duration, Instant};

/// A channel that receives the time every `period`; it stops when its receivers are dropped.
///
/// A zero period never ticks.
///
/// # Compared with Go
/// `time.Tick`
///
/// ```
/// use std::time::Duration;
///
/// let ticks: Vec<_> = gaggle::time::tick(Duration::from_millis(1)).iter().take(3).collect();
/// assert!(ticks.is_sorted());
/// ```
pub fn tick(period: Duration) -> Receiver<Instant> {
    if period.is_zero() {
        return never();
    }
    let (tx, rx) = chan(1);
    let Some(first) = instant_in(period) else { return never() };
    Alarm::new(Action::Send(tx), Some(first), Some(period));
    rx
}

/// Sends the time on a channel at regular intervals; it can be stopped and set anew.
///
/// A receiver that is slow misses ticks: the channel holds one, the next ones are dropped, and the ones after that
/// come when they are due. Dropping a ticker stops it, and closes its channel.
///
/// ```
/// use gaggle::time::Ticker;
/// use std::time::Duration;
///
/// let ticker = Ticker::new(Duration::from_millis(1));
/// let first = ticker.receiver().recv().unwrap();
/// let second = ticker.receiver().recv().unwrap();
/// assert!(first < second);
/// ```
///
/// # Compared with Go
/// `time.Ticker` with the rules of Go 1.23, as [`Timer`](super::Timer).
pub struct Ticker {
    alarm: Arc<Alarm>,
    receiver: Receiver<Instant>,
}

impl Ticker {
    /// A ticker that ticks every `period`, for the first time one period from now.
    ///
    /// # Panics
    /// If the period is zero: `non-positive interval for Ticker`.
    ///
    /// ```
    /// use gaggle::time::Ticker;
    /// use std::time::Duration;
    ///
    /// let ticker = Ticker::new(Duration::from_millis(1));
    /// assert!(ticker.receiver().recv().is_some());
    /// ```
    #[track_caller]
    pub fn new(period: Duration) -> Ticker {
        assert!(!period.is_zero(), "non-positive interval for Ticker");
        let (tx, receiver) = chan(1);
        Ticker { alarm: Alarm::new(Action::Send(tx), instant_in(period), Some(period)), receiver }
    }

    /// The channel that the time is sent on.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let ticker = gaggle::time::Ticker::new(Duration::from_millis(1));
    /// for _tick in ticker.receiver().iter().take(2) {}
    /// ```
    pub fn receiver(&self) -> &Receiver<Instant> {
        &self.receiver
    }

    /// Stops the ticker. Nothing is received afterwards; the channel stays open.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let ticker = gaggle::time::Ticker::new(Duration::from_millis(1));
    /// ticker.stop();
    /// assert!(ticker.receiver().recv_timeout(Duration::from_millis(5)).unwrap_err().is_timeout());
    /// ```
    pub fn stop(&self) {
        self.alarm.stop(&self.receiver);
    }

    /// Ticks every `period` from now on; a stopped ticker starts again.
    ///
    /// # Panics
    /// If the period is zero: `non-positive interval for Ticker`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let ticker = gaggle::time::Ticker::new(Duration::MAX);
    /// ticker.reset(Duration::from_millis(1));
    /// assert!(ticker.receiver().recv().is_some());
    /// ```
    #[track_caller]
    pub fn reset(&self, period: Duration) {
        assert!(!period.is_zero(), "non-positive interval for Ticker");
        Alarm::reset(&self.alarm, &self.receiver, instant_in(period), Some(period));
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop();
    }
}

// A panic cannot leave it half changed: no user code runs under its lock.
impl UnwindSafe for Ticker {}
impl RefUnwindSafe for Ticker {}

impl fmt::Debug for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticker").field("receiver", &self.receiver).finish_non_exhaustive()
    }
}
