//! [`UnixStream`].

use super::shared::{common, conversions, limits, read_write, settings};
use super::socket::Socket;
use crate::io::blocking::{blocking, uninterrupted};
use crate::park::Direction;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// A Unix stream: `std::os::unix::net::UnixStream` whose operations park the goroutine.
///
/// # Blocking
/// As [`TcpStream`](super::TcpStream).
///
/// # Compared with Go
/// `net.UnixConn`
///
/// ```
/// use gaggle::net::UnixStream;
/// use std::io::{Read, Write};
///
/// let (mut a, mut b) = UnixStream::pair()?;
/// let reader = gaggle::spawn(move || {
///     let mut all = String::new();
///     b.read_to_string(&mut all).map(|_| all)
/// });
/// a.write_all(b"hello")?;
/// drop(a);
/// assert_eq!(reader.join().unwrap()?, "hello");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UnixStream(Socket<std::os::unix::net::UnixStream>);

impl UnixStream {
    /// Connects to the listener at `path`.
    ///
    /// # Blocking
    /// While the listener's queue is full.
    ///
    /// # Errors
    /// `NotFound`, `ConnectionRefused` and others of the system.
    ///
    /// ```
    /// let missing = gaggle::net::UnixStream::connect("/there is no such socket");
    /// assert_eq!(missing.unwrap_err().kind(), std::io::ErrorKind::NotFound);
    /// ```
    pub fn connect<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        Self::connect_addr(&SocketAddr::from_pathname(path)?)
    }

    /// Connects to the listener at `addr`, which may be an abstract one.
    ///
    /// # Blocking
    /// While the listener's queue is full.
    ///
    /// # Errors
    /// `NotFound`, `ConnectionRefused` and others of the system.
    ///
    /// ```
    /// let address = std::os::unix::net::SocketAddr::from_pathname("/there is no such socket")?;
    /// let missing = gaggle::net::UnixStream::connect_addr(&address);
    /// assert_eq!(missing.unwrap_err().kind(), std::io::ErrorKind::NotFound);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect_addr(addr: &SocketAddr) -> io::Result<Self> {
        match mio::net::UnixStream::connect_addr(addr) {
            Ok(stream) => Ok(Self(Socket::of_nonblocking(stream.into()))),
            // The listener's queue is full, and the kernel does not tell when it is no longer.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                blocking(|| uninterrupted(|| std::os::unix::net::UnixStream::connect_addr(addr))).map(Self::from)
            }
            Err(error) => Err(error),
        }
    }

    /// Two streams that are connected with each other.
    ///
    /// # Errors
    /// When no descriptors are left.
    ///
    /// ```
    /// let (a, b) = gaggle::net::UnixStream::pair()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pair() -> io::Result<(Self, Self)> {
        let (a, b) = std::os::unix::net::UnixStream::pair()?;
        Ok((a.into(), b.into()))
    }

    pub(super) fn of_nonblocking(io: std::os::unix::net::UnixStream) -> Self {
        Self(Socket::of_nonblocking(io))
    }

    /// What a close does at once.
    fn shut(&self) {
        // It may not be connected any more.
        let _ = self.0.io().shutdown(Shutdown::Both);
    }

    common!("# let (socket, _other) = gaggle::net::UnixStream::pair()?;");
    limits!("# let (socket, _other) = gaggle::net::UnixStream::pair()?;");
    settings! {
        "# let (socket, _other) = gaggle::net::UnixStream::pair()?;";
        /// The address of the other end.
        fn peer_addr() -> SocketAddr = "assert!(socket.peer_addr()?.is_unnamed());";
        /// The address of this end.
        fn local_addr() -> SocketAddr = "assert!(socket.local_addr()?.is_unnamed());";
        /// Ends reading, writing or both, for all handles; goroutines that wait are woken.
        fn shutdown(how: Shutdown) -> () = "socket.shutdown(std::net::Shutdown::Both)?;";
    }
}

read_write!(UnixStream);
conversions!(UnixStream, std::os::unix::net::UnixStream);
