//! A clock for time slices: cheap, and no finer than a scheduler's tick. And a number for each instant.

use std::sync::OnceLock;
use std::time::Instant;

/// Nanoseconds from the first call to `at`; zero if that was earlier.
pub(crate) fn nanos_at(at: Instant) -> u64 {
    static BASE: OnceLock<Instant> = OnceLock::new();
    let since = at.saturating_duration_since(*BASE.get_or_init(Instant::now));
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Milliseconds since some fixed instant; monotonic.
#[cfg(target_os = "linux")]
#[inline]
pub(crate) fn coarse_millis() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one timespec, which lives on this frame. It has failed on no kernel that is supported; a
    // clock that stands still would only switch the use of slices off.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut now) };
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

/// Milliseconds since the first call; monotonic.
#[cfg(not(target_os = "linux"))]
pub(crate) fn coarse_millis() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_millis() as u64
}

/// Nanoseconds since some fixed instant; monotonic, and as fine as the system's.
#[cfg(target_os = "linux")]
pub(crate) fn nanos() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: as in `coarse_millis`.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Nanoseconds since the first call; monotonic.
#[cfg(not(target_os = "linux"))]
pub(crate) fn nanos() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
