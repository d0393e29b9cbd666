//! What all sockets share: a socket of `std` that never blocks, and the descriptor's place with the poller.
//!
//! # Invariants
//! 1. The descriptor is in non-blocking mode for as long as a `Socket` has it.
//! 2. `source` is dropped before `io`: what the poller watches is taken out before it is closed.

use crate::park::{AsSource, Direction, IoSource};
use crate::primitives::sync::Arc;
use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::{Duration, Instant};

/// A socket of `std`, by the names that the six of them share.
pub(super) trait Raw: AsSource + Sized {
    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()>;
    fn try_clone(&self) -> io::Result<Self>;
}

macro_rules! raw {
    ($($type:ty),*) => {
        $(impl Raw for $type {
            fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
                self.set_nonblocking(nonblocking)
            }
            fn try_clone(&self) -> io::Result<Self> {
                self.try_clone()
            }
        })*
    };
}

raw!(std::net::TcpListener, std::net::TcpStream, std::net::UdpSocket);
#[cfg(unix)]
raw!(std::os::unix::net::UnixListener, std::os::unix::net::UnixStream, std::os::unix::net::UnixDatagram);

#[derive(Debug)]
struct Shared<T> {
    source: IoSource,
    io: T,
}

/// A socket, shared by its clones.
#[derive(Debug)]
pub(super) struct Socket<T>(Arc<Shared<T>>);

// As std's: what a panic may interrupt is a system call. No code of a user's runs under the locks of `source`.
impl<T> UnwindSafe for Socket<T> {}
impl<T> RefUnwindSafe for Socket<T> {}

impl<T> Clone for Socket<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Raw> Socket<T> {
    /// Takes over `io`, which may block still.
    pub(super) fn of_std(io: T) -> Self {
        // It fails for what is no socket only; then so does every operation.
        let _ = io.set_nonblocking(true);
        Self::of_nonblocking(io)
    }

    /// Takes over `io`, which does not block (I1).
    pub(super) fn of_nonblocking(io: T) -> Self {
        Self(Arc::new(Shared { source: IoSource::new(), io }))
    }

    /// Gives the socket back as `std` knows it: blocking, unless the user had set it otherwise. If there are clones,
    /// which go on with the descriptor, the result is a duplicate that does not block either.
    pub(super) fn into_std(self) -> T {
        match Arc::try_unwrap(self.0) {
            Ok(Shared { source, io }) => {
                let nonblocking = source.is_nonblocking();
                drop(source);
                // As in `of_std`.
                let _ = io.set_nonblocking(nonblocking);
                io
            }
            Err(shared) => match shared.io.try_clone() {
                Ok(duplicate) => duplicate,
                Err(error) => panic!("cannot duplicate a socket that has clones: {error}"),
            },
        }
    }

    #[inline]
    pub(super) fn io(&self) -> &T {
        &self.0.io
    }

    #[inline]
    pub(super) fn source(&self) -> &IoSource {
        &self.0.source
    }

    /// Carries out what reads, as soon as there is something to read.
    #[inline]
    pub(super) fn read<R>(&self, mut op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        self.0.source.run(&self.0.io, Direction::Read, || op(&self.0.io))
    }

    /// As [`read`](Self::read), of a stream. One that is being closed ends as if its peer had ended it, which is no answer
    /// to whoever reads to the end.
    #[inline]
    pub(super) fn read_stream(&self, op: impl FnMut(&T) -> io::Result<usize>) -> io::Result<usize> {
        let n = self.read(op)?;
        if n == 0 {
            self.0.source.check_open()?;
        }
        Ok(n)
    }

    /// Carries out what writes, as soon as there is room.
    #[inline]
    pub(super) fn write<R>(&self, mut op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        self.0.source.run(&self.0.io, Direction::Write, || op(&self.0.io))
    }

    pub(super) fn set_timeout(&self, direction: Direction, timeout: Option<Duration>) -> io::Result<()> {
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "cannot set a timeout of zero"));
        }
        self.0.source.set_timeout(direction, timeout);
        Ok(())
    }

    pub(super) fn set_deadline(&self, deadline: Option<Instant>) {
        self.0.source.set_deadline(Direction::Read, deadline);
        self.0.source.set_deadline(Direction::Write, deadline);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{Shutdown, TcpListener, TcpStream};

    #[test]
    fn a_close_is_no_end_of_the_stream() {
        // A reader whose socket another goroutine closes just before the system call: half a message, taken for all of it.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = Socket::of_std(listener.accept().unwrap().0);
        let read = socket.read_stream(|mut io| {
            socket.source().close();
            io.shutdown(Shutdown::Both)?;
            io.read(&mut [0; 8])
        });
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::NotConnected);
    }
}
