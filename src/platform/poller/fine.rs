//! A wait that ends on time. What `epoll_wait` counts in are milliseconds, of which it takes one too many.

use mio::Poll;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

/// The descriptor of the poll, which can be polled itself.
#[derive(Debug)]
pub(crate) struct Pause(RawFd);

impl Pause {
    /// The pause before a look at the events of `poll`, which lives as long.
    pub(crate) fn before(poll: &Poll) -> Self {
        Self(poll.as_raw_fd())
    }

    /// Waits for `timeout`, or until there are events; returns what is left to be waited for.
    pub(crate) fn shorten(&self, timeout: Option<Duration>) -> Option<Duration> {
        let Some(pause) = timeout.filter(|pause| !pause.is_zero()) else { return timeout };
        let spec = libc::timespec {
            tv_sec: libc::time_t::try_from(pause.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: pause.subsec_nanos() as _,
        };
        let mut poll = libc::pollfd { fd: self.0, events: libc::POLLIN, revents: 0 };
        // SAFETY: both live on this frame, and the call keeps neither. If it fails, by a signal, the caller looks a
        // little early.
        unsafe { libc::ppoll(&raw mut poll, 1, &raw const spec, core::ptr::null()) };
        Some(Duration::ZERO)
    }
}
