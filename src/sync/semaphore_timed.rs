//! [`Semaphore::acquire_timeout`]. Models have no clock: there a timeout may pass at any moment.

use super::Semaphore;
use crate::park::{WaitReason, wait_until};
use std::time::{Duration, Instant};

impl Semaphore {
    /// Takes `n` permits as [`acquire`](Self::acquire) does, but gives up after `timeout`; says whether it has them.
    ///
    /// # Blocking
    /// Parks until they are free and all who came before have been served, for `timeout` at most.
    ///
    /// # Panics
    /// If `n` is more than the semaphore's size.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let semaphore = gaggle::sync::Semaphore::new(1);
    /// assert!(semaphore.acquire_timeout(1, Duration::from_millis(1)));
    /// assert!(!semaphore.acquire_timeout(1, Duration::from_millis(1)));
    /// ```
    #[track_caller]
    pub fn acquire_timeout(&self, n: usize, timeout: Duration) -> bool {
        self.acquire_with(n, |ticket| match Instant::now().checked_add(timeout) {
            Some(deadline) => wait_until(ticket, WaitReason::SemaphoreAcquire, deadline),
            None => ticket.wait(WaitReason::SemaphoreAcquire),
        })
    }
}
