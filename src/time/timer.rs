//! [`Timer`], and the channels without a handle: [`after`], [`at`], [`never`].

use super::alarm::{Action, Alarm};
use super::instant_in;
use super::kept::{Keep, keep, keep_open};
use crate::chan::{Receiver, Sender, chan};
use crate::park::OnTime;
use crate::park::deadline;
use crate::primitives::sync::Arc;
use crate::sync::Mutex;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::{Duration, Instant};

/// A channel that receives the time, once, in `delay`.
///
/// Later receives wait for ever, as the channel stays open. Once its receivers are dropped it costs nothing.
///
/// # Compared with Go
/// `time.After`
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let start = Instant::now();
/// let fired = gaggle::time::after(Duration::from_millis(2)).recv().unwrap();
/// assert!(fired >= start + Duration::from_millis(2));
/// ```
pub fn after(delay: Duration) -> Receiver<Instant> {
    at_or_never(instant_in(delay))
}

/// A channel that receives the time, once, at `instant`: at once if that has passed.
///
/// ```
/// use std::time::Instant;
///
/// let now = Instant::now();
/// assert!(gaggle::time::at(now).recv().unwrap() >= now);
/// ```
pub fn at(instant: Instant) -> Receiver<Instant> {
    at_or_never(Some(instant))
}

/// A channel on which nothing is ever received and which does not close: Go's nil channel as a value.
///
/// ```
/// use std::time::Duration;
///
/// let rx = gaggle::time::never::<u32>();
/// assert!(rx.recv_timeout(Duration::from_millis(1)).unwrap_err().is_timeout());
/// ```
pub fn never<T: 'static>() -> Receiver<T> {
    let (tx, rx) = chan(0);
    keep_open(tx);
    rx
}

/// A letter with the time, to be posted when it is due.
struct Letter(Sender<Instant>);

impl OnTime for Letter {
    fn due(&self, now: Instant) {
        // Nobody waits for it any more: that is no error.
        let _ = self.0.try_send(now);
    }
}

impl Keep for Letter {
    fn is_wanted(&self) -> bool {
        !self.0.is_closed()
    }
}

fn at_or_never(when: Option<Instant>) -> Receiver<Instant> {
    let (tx, rx) = chan(1);
    let letter = Letter(tx.clone());
    keep(Box::new(letter), when.map(|when| deadline::start(when, Arc::new(Letter(tx)))));
    rx
}

/// Sends the time on a channel, or runs a function, once; it can be stopped and set anew.
///
/// Dropping a timer stops it, and closes its channel; a timer made by [`after_func`](Self::after_func) goes on.
///
/// ```
/// use gaggle::time::Timer;
/// use std::time::Duration;
///
/// let timer = Timer::new(Duration::from_millis(1));
/// assert!(timer.receiver().recv().is_some());
/// assert!(!timer.stop()); // It had fired.
/// timer.reset(Duration::from_millis(1));
/// assert!(timer.receiver().recv().is_some());
/// ```
///
/// # Compared with Go
/// `time.Timer` with the rules of Go 1.23: after [`stop`](Self::stop) or [`reset`](Self::reset), no value of before
/// is received, and there is nothing to drain. A timer that nobody holds is stopped rather than collected.
pub struct Timer {
    alarm: Arc<Alarm>,
    receiver: Receiver<Instant>,
}

impl Timer {
    /// A timer that goes off in `delay`.
    ///
    /// ```
    /// use gaggle::time::Timer;
    /// use std::time::Duration;
    ///
    /// let timer = Timer::new(Duration::MAX); // Longer than any clock: never.
    /// assert!(timer.stop());
    /// ```
    pub fn new(delay: Duration) -> Timer {
        let (tx, receiver) = chan(1);
        Timer { alarm: Alarm::new(Action::Send(tx), instant_in(delay), None), receiver }
    }

    /// A timer that runs `f` in a new goroutine in `delay`; and again after each [`reset`](Self::reset).
    ///
    /// Dropping the timer does not stop it: the function is what it is for. Should a run still be under way when
    /// the next one is due, the next one waits for it. A panic in `f` ends its goroutine and nothing else.
    ///
    /// # Compared with Go
    /// `time.AfterFunc`; runs of one function do not overlap here, so it may be `FnMut`.
    ///
    /// ```
    /// use gaggle::time::Timer;
    /// use std::time::Duration;
    ///
    /// let (tx, rx) = gaggle::chan(1);
    /// Timer::after_func(Duration::from_millis(1), move || tx.send("boo").unwrap());
    /// assert_eq!(rx.recv(), Some("boo"));
    /// ```
    pub fn after_func<F: FnMut() + Send + 'static>(delay: Duration, f: F) -> Timer {
        let alarm = Alarm::new(Action::Run(Arc::new(Mutex::new(f))), instant_in(delay), None);
        Timer { alarm, receiver: never() }
    }

    /// The channel that the time is sent on. Nothing is ever received from that of [`after_func`](Self::after_func).
    ///
    /// ```
    /// use gaggle::time::Timer;
    /// use std::time::Duration;
    ///
    /// let timer = Timer::new(Duration::from_millis(1));
    /// timer.receiver().recv().unwrap();
    /// assert!(timer.receiver().try_recv().is_err());
    /// ```
    pub fn receiver(&self) -> &Receiver<Instant> {
        &self.receiver
    }

    /// Stops the timer: true if it was still to go off, or its value was not received yet, and now won't be.
    ///
    /// For [`after_func`](Self::after_func), true if the function won't run; false may mean that it is running.
    ///
    /// ```
    /// use gaggle::time::{Timer, sleep};
    /// use std::time::Duration;
    ///
    /// let timer = Timer::new(Duration::from_millis(1));
    /// sleep(Duration::from_millis(5));
    /// assert!(timer.stop()); // Fired, perhaps, but not received: there is no stale value.
    /// assert!(timer.receiver().is_empty());
    /// assert!(!timer.stop());
    /// ```
    pub fn stop(&self) -> bool {
        self.alarm.stop(&self.receiver)
    }

    /// Sets the timer to go off in `delay` from now, whatever it was set to; says what [`stop`](Self::stop) would
    /// have said.
    ///
    /// ```
    /// use gaggle::time::Timer;
    /// use std::time::Duration;
    ///
    /// let timer = Timer::new(Duration::MAX);
    /// assert!(timer.reset(Duration::from_millis(1)));
    /// assert!(timer.receiver().recv().is_some());
    /// ```
    pub fn reset(&self, delay: Duration) -> bool {
        Alarm::reset(&self.alarm, &self.receiver, instant_in(delay), None)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if !self.alarm.runs() {
            self.stop();
        }
    }
}

// A panic cannot leave it half changed: no user code runs under its lock.
impl UnwindSafe for Timer {}
impl RefUnwindSafe for Timer {}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("receiver", &self.receiver).finish_non_exhaustive()
    }
}
