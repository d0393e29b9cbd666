//! The body of [`Model`] in an ordinary build: the program runs as it is, a number of times. No proof, but a test.

use super::{Explored, Failure, FailureKind, Model};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// How often, unless the model says otherwise.
const RUNS: u64 = 100;

pub(super) fn choose(ways: u32) -> u32 {
    crate::park::rand_below(ways)
}

pub(super) fn explore<F>(model: &Model, f: F) -> Result<Explored, Failure>
where
    F: Fn() + Send + Sync + 'static,
{
    let begun = Instant::now();
    let mut executions = 0;
    while executions < model.executions.unwrap_or(RUNS) {
        if model.duration.is_some_and(|most| begun.elapsed() >= most) {
            break;
        }
        executions += 1;
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| crate::runtime::run(&f))) {
            let text = payload.downcast_ref::<&str>().copied();
            let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            let text = text.unwrap_or("(a panic whose payload is no text)");
            return Err(Failure { kind: FailureKind::Panic, report: format!("run {executions}: {text}") });
        }
    }
    Ok(Explored { executions, rounds: 1, every_schedule: false, every_choice: false })
}
