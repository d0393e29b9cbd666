//! The select that gives up after a time. Models have no clock, so this is not compiled under loom.

use super::cases::Case;
use super::run;
use crate::park::{WaitReason, wait_until};
use std::time::{Duration, Instant};

/// Waits until one of `cases` can be done, does it, and says which; `None` once `timeout` has passed. Without a
/// timeout, or with one beyond what the clock can count, it waits for ever.
pub fn block_until(cases: &mut [Case<'_>], biased: bool, timeout: Option<Duration>) -> Option<usize> {
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        return run::poll(cases, biased);
    }
    run::block(cases, biased, |ticket| {
        match timeout.and_then(|timeout| Instant::now().checked_add(timeout)) {
            Some(deadline) => wait_until(ticket, WaitReason::Select, deadline),
            None => ticket.wait(WaitReason::Select),
        }
    })
}
