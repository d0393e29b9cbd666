//! A descriptor whose operations park: try, and if the kernel says *would block* wait for the poller's next event.
//!
//! # Invariants
//! 1. What an operation decides on (closed, its limits, what the kernel says) it reads after its look at the word; what
//!    changes any of it counts an event afterwards. So nobody waits on what has changed.
//! 2. The descriptor is watched from the first wait until the drop, which comes before the descriptor is closed.
//!
//! # Locking
//! `source`: its lock (rank Time: the poller is started under it).

use super::io_limits::IoLimits;
use super::{External, Outcome, WaitReason, begin_wait, wait_until};
use crate::primitives::atomic::{AtomicBool, Ordering};
use crate::primitives::{Lock, LockRank};
use crate::sched::netpoll::{REARM, Registration, Source};
use crate::sched::readiness::Look;
use core::fmt;
use std::io;
use std::time::{Duration, Instant};

pub(crate) use crate::sched::netpoll::{AsSource, Direction};

/// See the module's page.
pub(crate) struct IoSource {
    registration: Registration,
    read: IoLimits,
    write: IoLimits,
    /// Operations return *would block*.
    nonblocking: AtomicBool,
    watched: AtomicBool,
    source: Lock<Option<Source>>,
}

impl fmt::Debug for IoSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IoSource").finish_non_exhaustive()
    }
}

fn timed_out() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the deadline passed")
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the socket was closed")
}

impl IoSource {
    pub(crate) fn new() -> Self {
        Self {
            registration: Registration::take(),
            read: IoLimits::new(),
            write: IoLimits::new(),
            nonblocking: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            source: Lock::new(LockRank::Time, None),
        }
    }

    fn limits(&self, direction: Direction) -> &IoLimits {
        match direction {
            Direction::Read => &self.read,
            Direction::Write => &self.write,
        }
    }

    /// Calls `op`, which does not block, until it says something else than *would block*, or *interrupted*; waits in
    /// between. `socket` has the descriptor.
    #[inline]
    pub(crate) fn run<T>(
        &self,
        socket: &impl AsSource,
        direction: Direction,
        op: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        self.run_holding(socket, direction, op, || Ok(()))
    }

    /// As [`run`](Self::run); what `hold` returns is held during each wait.
    #[inline]
    pub(crate) fn run_holding<T, H>(
        &self,
        socket: &impl AsSource,
        direction: Direction,
        mut op: impl FnMut() -> io::Result<T>,
        mut hold: impl FnMut() -> io::Result<H>,
    ) -> io::Result<T> {
        let mut since = None;
        let mut waited = false;
        let result = loop {
            let look = self.registration.readiness(direction).look();
            if let Err(error) = self.check(look, direction, since) {
                break Err(error);
            }
            match op() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // ORDERING: Relaxed; a setting.
                    if self.nonblocking.load(Ordering::Relaxed) {
                        break Err(error);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // What the kernel says of a socket that is being closed depends on the moment.
                Err(_) if self.registration.readiness(direction).look().is_closed() => break Err(closed()),
                result => break result,
            }
            let waited_for = hold().and_then(|_held| self.wait(socket, direction, look, &mut since));
            match waited_for {
                Ok(slept) => waited |= slept,
                Err(error) => break Err(error),
            }
        };
        if waited {
            // One event may be for many.
            self.registration.pass_on(direction);
        }
        result
    }

    /// Whether an operation may be tried.
    #[inline]
    fn check(&self, look: Look, direction: Direction, since: Option<Instant>) -> io::Result<()> {
        if look.is_closed() {
            return Err(closed());
        }
        match self.limits(direction).end(since) {
            Some(end) if end <= Instant::now() => Err(timed_out()),
            _ => Ok(()),
        }
    }

    /// Waits until something has happened since `look`; false if it has already. `since` is when the operation began
    /// to wait.
    #[cold]
    fn wait(
        &self,
        socket: &impl AsSource,
        direction: Direction,
        look: Look,
        since: &mut Option<Instant>,
    ) -> io::Result<bool> {
        self.watch(socket)?;
        let limits = self.limits(direction);
        let since = *since.get_or_insert_with(Instant::now);
        let end = limits.end(Some(since));
        let readiness = self.registration.readiness(direction);
        let _external = External::begin();
        let ticket = begin_wait();
        let waiter = ticket.copy();
        if !readiness.enter(look, waiter) {
            // Nobody has a copy, so nobody has claimed it.
            ticket.cancel();
            return Ok(false);
        }
        let outcome = match end {
            None => ticket.wait(WaitReason::IoWait),
            Some(end) => wait_until(ticket, WaitReason::IoWait, end),
        };
        if outcome == Outcome::TIMED_OUT {
            readiness.leave(waiter);
        }
        Ok(true)
    }

    /// Lets the poller watch the descriptor (I2).
    fn watch(&self, socket: &impl AsSource) -> io::Result<()> {
        // ORDERING: Acquire pairs with the Release below; who sees it need not look at `source`.
        if !REARM && self.watched.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut source = self.source.lock();
        match source.as_mut() {
            Some(source) if REARM => self.registration.rearm(source)?,
            Some(_) => {}
            None => *source = Some(self.registration.watch(socket)?),
        }
        // ORDERING: Release pairs with the Acquire above.
        self.watched.store(true, Ordering::Release);
        Ok(())
    }

    /// Counts the events of `socket` as those of this descriptor too, until the result is dropped.
    #[cfg(unix)]
    pub(crate) fn beside<T: AsSource>(&self, socket: T) -> io::Result<Beside<'_, T>> {
        let source = self.registration.watch(&socket)?;
        Ok(Beside { registration: &self.registration, source, _socket: socket })
    }

    /// Makes those who wait, or are about to, try again.
    #[cfg(unix)]
    pub(crate) fn stir(&self, direction: Direction) {
        self.registration.stir(direction);
    }

    /// Ends all operations, and forbids further ones.
    pub(crate) fn close(&self) {
        self.registration.close();
    }

    /// Whether nobody has closed it.
    ///
    /// # Errors
    /// That of a closed one.
    pub(crate) fn check_open(&self) -> io::Result<()> {
        if self.registration.readiness(Direction::Read).look().is_closed() { Err(closed()) } else { Ok(()) }
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) {
        // ORDERING: Relaxed; a setting, and those who wait already go on waiting, as in the kernel.
        self.nonblocking.store(nonblocking, Ordering::Relaxed);
    }

    pub(crate) fn is_nonblocking(&self) -> bool {
        // ORDERING: Relaxed; a setting.
        self.nonblocking.load(Ordering::Relaxed)
    }

    /// Limits how long each operation waits.
    pub(crate) fn set_timeout(&self, direction: Direction, timeout: Option<Duration>) {
        self.limits(direction).set_timeout(timeout);
        self.registration.stir(direction);
    }

    pub(crate) fn timeout(&self, direction: Direction) -> Option<Duration> {
        self.limits(direction).timeout()
    }

    /// Limits until when operations wait.
    pub(crate) fn set_deadline(&self, direction: Direction, deadline: Option<Instant>) {
        self.limits(direction).set_deadline(deadline);
        self.registration.stir(direction);
    }
}

impl Drop for IoSource {
    fn drop(&mut self) {
        if let Some(source) = self.source.lock().as_mut() {
            self.registration.unwatch(source);
        }
        // SAFETY: it is ours alone, so nobody waits; and the descriptor is not watched any more.
        unsafe { self.registration.free() };
    }
}

/// See [`IoSource::beside`].
#[cfg(unix)]
pub(crate) struct Beside<'a, T> {
    registration: &'a Registration,
    source: Source,
    _socket: T,
}

#[cfg(unix)]
impl<T> Drop for Beside<'_, T> {
    fn drop(&mut self) {
        self.registration.unwatch(&mut self.source);
    }
}
