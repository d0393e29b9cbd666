//! The waits of a [`Condvar`] that give up after a time. Models have no clock: there a timeout may pass at any moment.

use super::{Condvar, LockResult, MutexGuard, PoisonError};
use crate::park::{WaitReason, wait_until};
use std::time::{Duration, Instant};

/// Whether a wait of a [`Condvar`] ended by its timeout.
///
/// ```
/// use gaggle::sync::{Condvar, Mutex};
/// use std::time::Duration;
///
/// let mutex = Mutex::new(());
/// let (_guard, result) = Condvar::new().wait_timeout(mutex.lock().unwrap(), Duration::from_millis(1)).unwrap();
/// assert!(result.timed_out());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time passed before a notification came, or the condition was met.
    ///
    /// ```
    /// use gaggle::sync::{Condvar, Mutex};
    /// use std::time::Duration;
    ///
    /// let (ready, changed) = (Mutex::new(true), Condvar::new());
    /// let (_guard, result) =
    ///     changed.wait_timeout_while(ready.lock().unwrap(), Duration::from_secs(9), |ready| !*ready).unwrap();
    /// assert!(!result.timed_out());
    /// ```
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// As [`wait`](Self::wait), but gives up after `timeout`.
    ///
    /// # Blocking
    /// Parks until notified, or for `timeout` at most, and then for the mutex.
    ///
    /// # Errors
    /// If the mutex is poisoned, the pair comes inside the error.
    ///
    /// ```
    /// use gaggle::sync::{Condvar, Mutex};
    /// use std::time::Duration;
    ///
    /// let mutex = Mutex::new(1);
    /// let (guard, result) = Condvar::new().wait_timeout(mutex.lock().unwrap(), Duration::from_millis(1)).unwrap();
    /// assert!(result.timed_out() && *guard == 1);
    /// ```
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        self.wait_deadline(guard, Instant::now().checked_add(timeout))
    }

    /// Waits while `condition` holds, for `timeout` at most in all.
    ///
    /// # Blocking
    /// As [`wait_timeout`](Self::wait_timeout), until the condition is false or the time has passed.
    ///
    /// # Errors
    /// If the mutex is poisoned, the pair comes inside the error.
    ///
    /// ```
    /// use gaggle::sync::{Condvar, Mutex};
    /// use std::time::Duration;
    ///
    /// let (ready, changed) = (Mutex::new(false), Condvar::new());
    /// let (guard, result) =
    ///     changed.wait_timeout_while(ready.lock().unwrap(), Duration::from_millis(1), |ready| !*ready).unwrap();
    /// assert!(result.timed_out() && !*guard);
    /// ```
    pub fn wait_timeout_while<'a, T, F: FnMut(&mut T) -> bool>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let deadline = Instant::now().checked_add(timeout);
        let mut result = WaitTimeoutResult(false);
        loop {
            if !condition(&mut guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            if result.timed_out() {
                return Ok((guard, result));
            }
            (guard, result) = self.wait_deadline(guard, deadline)?;
        }
    }

    /// Waits until `deadline`; `None` is beyond what the clock can count: for ever.
    fn wait_deadline<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        deadline: Option<Instant>,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (guard, timed_out) = self.wait_with(guard, |ticket| match deadline {
            Some(deadline) => wait_until(ticket, WaitReason::CondvarWait, deadline),
            None => ticket.wait(WaitReason::CondvarWait),
        });
        match guard {
            Ok(guard) => Ok((guard, WaitTimeoutResult(timed_out))),
            Err(error) => Err(PoisonError::new((error.into_inner(), WaitTimeoutResult(timed_out)))),
        }
    }
}
