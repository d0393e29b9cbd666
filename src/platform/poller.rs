//! The kernel's list of descriptors that are ready: epoll, kqueue and the like, by way of `mio`.
//!
//! # Invariants
//! 1. `inner` is accessed by whoever has set `busy`, until it clears it.

use crate::primitives::atomic::{AtomicBool, Ordering};
use crate::primitives::cell::UnsafeCell;
use mio::event::Event;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use std::io;
use std::time::Duration;

#[cfg_attr(unix, path = "poller/unix.rs")]
#[cfg_attr(not(unix), path = "poller/other.rs")]
mod source;

pub(crate) use source::{AsSource, REARM, Source, lengthen_backlog};

#[cfg_attr(any(target_os = "linux", target_os = "android"), path = "poller/fine.rs")]
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "poller/coarse.rs")]
mod pause;

use pause::Pause;

/// How many events one look takes at most.
const EVENTS: usize = 256;

/// The token of an interruption. No descriptor has it: its index would be beyond the table.
const INTERRUPTION: Token = Token(usize::MAX);

const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// What a descriptor may be ready for. An error makes it ready for both: whoever tries then gets it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

impl Ready {
    fn of(event: &Event) -> Self {
        let error = event.is_error();
        Self {
            read: event.is_readable() || event.is_read_closed() || error,
            write: event.is_writable() || event.is_write_closed() || error,
        }
    }
}

struct Inner {
    poll: Poll,
    events: Events,
}

/// See the module's page.
pub(crate) struct Poller {
    registry: Registry,
    waker: Waker,
    pause: Pause,
    busy: AtomicBool,
    inner: UnsafeCell<Inner>,
}

// SAFETY: `inner` is accessed by one thread at a time (I1), and may move between threads; the registry is `Sync`.
unsafe impl Sync for Poller {}

/// The right to `inner` (I1).
struct Busy<'a>(&'a AtomicBool);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        // ORDERING: Release pairs with the Acquire in `poll`.
        self.0.store(false, Ordering::Release);
    }
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let waker = Waker::new(&registry, INTERRUPTION)?;
        let pause = Pause::before(&poll);
        let inner = Inner { poll, events: Events::with_capacity(EVENTS) };
        Ok(Self { registry, waker, pause, busy: AtomicBool::new(false), inner: UnsafeCell::new(inner) })
    }

    /// Asks the kernel to report every change of `source`, in both directions, under `token`, from now on. What it is
    /// ready for already is reported too.
    pub(crate) fn add(&self, source: &mut Source, token: usize) -> io::Result<()> {
        source.with(|source| source.register(&self.registry, Token(token), BOTH))
    }

    /// Asks for the next event of `source`, where that is needed ([`REARM`]).
    pub(crate) fn rearm(&self, source: &mut Source, token: usize) -> io::Result<()> {
        source.with(|source| source.reregister(&self.registry, Token(token), BOTH))
    }

    /// Takes `source` out. Before its descriptor is closed: one that was duplicated would be reported for ever.
    pub(crate) fn remove(&self, source: &mut Source) -> io::Result<()> {
        source.with(|source| source.deregister(&self.registry))
    }

    /// Ends the wait of whoever polls, now or next.
    pub(crate) fn interrupt(&self) {
        // It fails if the kernel has no memory, or in a child that has lost the descriptor: then nothing works any more.
        let _ = self.waker.wake();
    }

    /// Waits for events, no longer than `timeout` says, and hands them to `f`; `None` if another thread does so now.
    ///
    /// An interruption ends one wait, or one look: whoever polls takes it, whomever it was for. `timeout` is asked when
    /// nobody else polls any more, so that it may look for what came with an interruption that another one took.
    pub(crate) fn poll(
        &self,
        timeout: impl FnOnce() -> Option<Duration>,
        mut f: impl FnMut(usize, Ready),
    ) -> Option<io::Result<()>> {
        // ORDERING: Acquire pairs with the Release of `Busy`: what the poller before us left in `inner` is seen, and what
        // was written before an interruption that it took.
        if self.busy.swap(true, Ordering::Acquire) {
            return None;
        }
        let _busy = Busy(&self.busy);
        Some(self.inner.with_mut(|inner| {
            // SAFETY: `busy` is ours (I1), and nobody comes back here from `f`, for whom it is taken.
            let Inner { poll, events } = unsafe { &mut *inner };
            let timeout = self.pause.shorten(timeout());
            match poll.poll(events, timeout) {
                // A signal handler ran.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
                result => result?,
            }
            let of_sources = events.iter().filter(|event| event.token() != INTERRUPTION);
            of_sources.for_each(|event| f(event.token().0, Ready::of(event)));
            Ok(())
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_to_wait_is_asked_when_nobody_else_polls() {
        // Whoever looks for news before another one's look, which takes the interruption that tells of it, and waits
        // after that look, waits for ever.
        let poller = Poller::new().unwrap();
        let mut others = Vec::new();
        let polled = poller.poll(
            || {
                others.push(poller.poll(|| Some(Duration::ZERO), |_, _| ()).is_some());
                Some(Duration::ZERO)
            },
            |_, _| (),
        );
        assert!(polled.is_some());
        assert_eq!(others, [false], "somebody else polled between the question and the wait");
        // The right to poll was given back.
        assert!(poller.poll(|| Some(Duration::ZERO), |_, _| ()).is_some());
    }
}
