//! [`sleep`]: a wait that nobody but the clock ends.

use super::instant_in;
use crate::park::{WaitReason, begin_wait, wait_until};
use std::time::Duration;

/// Parks the calling goroutine, or blocks the calling thread, for at least `duration`.
///
/// A zero duration returns at once; one that the clock can't count to sleeps for ever.
///
/// # Blocking
/// For `duration`, and until the goroutine is scheduled again.
///
/// # Compared with Go
/// `time.Sleep`
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let start = Instant::now();
/// gaggle::time::sleep(Duration::from_millis(2));
/// assert!(start.elapsed() >= Duration::from_millis(2));
/// ```
pub fn sleep(duration: Duration) {
    if duration.is_zero() {
        return;
    }
    let deadline = instant_in(duration);
    let ticket = begin_wait();
    match deadline {
        Some(deadline) => wait_until(ticket, WaitReason::Sleep, deadline),
        None => ticket.wait(WaitReason::Sleep),
    };
}
