//! How long things take.

use std::time::{Duration, Instant};

pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// `f` must not return before so much time has passed.
#[track_caller]
pub fn not_before<T>(least: Duration, f: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let value = f();
    assert!(began.elapsed() >= least, "{:?} instead of {least:?}", began.elapsed());
    value
}
