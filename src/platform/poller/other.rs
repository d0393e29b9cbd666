//! What the poller watches where sockets are no files: mio's own sockets, beside the ones that are worked with.

use mio::event;
use std::io;

/// Whether the poller must be told when an operation would block: mio reports one event per time it was asked.
pub(crate) const REARM: bool = true;

/// A second handle of a socket, for the poller.
#[derive(Debug)]
pub(crate) enum Source {
    Listener(mio::net::TcpListener),
    Stream(mio::net::TcpStream),
    Datagrams(mio::net::UdpSocket),
}

/// The number of connections that may wait for an accept stays what `std` chose.
pub(crate) fn lengthen_backlog<T>(_listener: &T) {}

/// What has a socket.
pub(crate) trait AsSource {
    /// # Errors
    /// Those of duplicating a socket.
    fn source(&self) -> io::Result<Source>;
}

impl AsSource for std::net::TcpListener {
    fn source(&self) -> io::Result<Source> {
        Ok(Source::Listener(mio::net::TcpListener::from_std(self.try_clone()?)))
    }
}

impl AsSource for std::net::TcpStream {
    fn source(&self) -> io::Result<Source> {
        Ok(Source::Stream(mio::net::TcpStream::from_std(self.try_clone()?)))
    }
}

impl AsSource for std::net::UdpSocket {
    fn source(&self) -> io::Result<Source> {
        Ok(Source::Datagrams(mio::net::UdpSocket::from_std(self.try_clone()?)))
    }
}

impl Source {
    pub(super) fn with<R>(&mut self, f: impl FnOnce(&mut dyn event::Source) -> R) -> R {
        match self {
            Self::Listener(socket) => f(socket),
            Self::Stream(socket) => f(socket),
            Self::Datagrams(socket) => f(socket),
        }
    }
}
