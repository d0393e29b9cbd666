//! The selects that give up after a time. Models have no clock: there a timeout may pass at any moment.

use super::cases::Case;
use super::dynamic::{Select, SelectedOperation};
use super::run;
use crate::park::{WaitReason, wait_until};
use std::time::{Duration, Instant};

/// Waits until one of `cases` can be done, does it, and says which; `None` once `timeout` has passed. Without a
/// timeout, or with one beyond what the clock can count, it waits for ever.
pub fn block_until(cases: &mut [Case<'_>], biased: bool, timeout: Option<Duration>) -> Option<usize> {
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        return run::poll(cases, biased);
    }
    run::block(cases, biased, |ticket| match timeout.and_then(|timeout| Instant::now().checked_add(timeout)) {
        Some(deadline) => wait_until(ticket, WaitReason::Select, deadline),
        None => ticket.wait(WaitReason::Select),
    })
}

impl Select<'_> {
    /// Selects as [`select`](Self::select) does, but waits no longer than `timeout`.
    ///
    /// # Blocking
    /// While no arm is ready, for `timeout` at most; with [`Duration::MAX`], for ever.
    ///
    /// ```
    /// use std::time::Duration;
    /// let (_tx, rx) = gaggle::chan::<i32>(0);
    /// let mut s = gaggle::Select::new();
    /// s.recv(&rx);
    /// assert!(s.select_timeout(Duration::from_millis(1)).is_none());
    /// ```
    pub fn select_timeout(&mut self, timeout: Duration) -> Option<SelectedOperation<'_>> {
        let at = self.run(|cases, biased| block_until(cases, biased, Some(timeout)))?;
        Some(self.operation(at))
    }
}
