//! [`UnixDatagram`].

use super::shared::{common, conversions, limits, settings};
use super::socket::Socket;
use crate::park::Direction;
use core::cell::Cell;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// A Unix datagram socket: `std::os::unix::net::UnixDatagram` whose operations park the goroutine.
///
/// # Blocking
/// Receives park until there is a datagram, sends until the receiver's queue has room.
///
/// # Compared with Go
/// `net.UnixConn` with the network `unixgram`.
///
/// ```
/// let (a, b) = gaggle::net::UnixDatagram::pair()?;
/// let receiver = gaggle::spawn(move || {
///     let mut datagram = [0; 8];
///     b.recv(&mut datagram).map(|n| datagram[..n].to_vec())
/// });
/// a.send(b"hello")?;
/// assert_eq!(receiver.join().unwrap()?, b"hello");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UnixDatagram(Socket<std::os::unix::net::UnixDatagram>);

impl UnixDatagram {
    /// Makes a socket at `path`.
    ///
    /// # Errors
    /// `AddrInUse` if there is a file, and others of the system.
    ///
    /// ```
    /// assert!(gaggle::net::UnixDatagram::bind("/there is no such directory/socket").is_err());
    /// ```
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        std::os::unix::net::UnixDatagram::bind(path).map(Self::from)
    }

    /// Makes a socket at `addr`, which may be an abstract one.
    ///
    /// # Errors
    /// `AddrInUse` if it is taken, and others of the system.
    ///
    /// ```
    /// let address = std::os::unix::net::SocketAddr::from_pathname("/there is no such directory/socket")?;
    /// assert!(gaggle::net::UnixDatagram::bind_addr(&address).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind_addr(addr: &SocketAddr) -> io::Result<Self> {
        std::os::unix::net::UnixDatagram::bind_addr(addr).map(Self::from)
    }

    /// A socket without an address.
    ///
    /// # Errors
    /// When no descriptor is left.
    ///
    /// ```
    /// assert!(gaggle::net::UnixDatagram::unbound()?.local_addr()?.is_unnamed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn unbound() -> io::Result<Self> {
        std::os::unix::net::UnixDatagram::unbound().map(Self::from)
    }

    /// Two sockets that are connected with each other.
    ///
    /// # Errors
    /// When no descriptors are left.
    ///
    /// ```
    /// let (a, b) = gaggle::net::UnixDatagram::pair()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pair() -> io::Result<(Self, Self)> {
        let (a, b) = std::os::unix::net::UnixDatagram::pair()?;
        Ok((a.into(), b.into()))
    }

    /// Sends to the socket at `path` from now on.
    ///
    /// # Errors
    /// `NotFound` and others of the system.
    ///
    /// ```
    /// assert!(gaggle::net::UnixDatagram::unbound()?.connect("/there is no such socket").is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.0.io().connect(path)
    }

    /// Sends to the socket at `addr` from now on.
    ///
    /// # Errors
    /// `NotFound` and others of the system.
    ///
    /// ```
    /// let address = std::os::unix::net::SocketAddr::from_pathname("/there is no such socket")?;
    /// assert!(gaggle::net::UnixDatagram::unbound()?.connect_addr(&address).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect_addr(&self, addr: &SocketAddr) -> io::Result<()> {
        self.0.io().connect_addr(addr)
    }

    /// Receives a datagram, of which what does not fit into `buf` is dropped, and who sent it.
    ///
    /// # Blocking
    /// Until there is one.
    ///
    /// # Errors
    /// Those of the system; timeouts and deadlines.
    ///
    /// ```
    /// # let (a, b) = gaggle::net::UnixDatagram::pair()?;
    /// a.send(b"x")?;
    /// assert!(b.recv_from(&mut [0; 8])?.1.is_unnamed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.read(|io| io.recv_from(buf))
    }

    /// Receives a datagram, of which what does not fit into `buf` is dropped.
    ///
    /// # Blocking
    /// Until there is one.
    ///
    /// # Errors
    /// Those of the system; timeouts and deadlines.
    ///
    /// ```
    /// # let (a, b) = gaggle::net::UnixDatagram::pair()?;
    /// a.send(b"x")?;
    /// assert_eq!(b.recv(&mut [0; 8])?, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(|io| io.recv(buf))
    }

    /// Sends a datagram to the socket at `path`.
    ///
    /// # Blocking
    /// While the receiver's queue is full; a second descriptor is needed for so long.
    ///
    /// # Errors
    /// `NotFound`, `ConnectionRefused` and others of the system; timeouts and deadlines.
    ///
    /// ```
    /// let missing = gaggle::net::UnixDatagram::unbound()?.send_to(b"x", "/there is no such socket");
    /// assert_eq!(missing.unwrap_err().kind(), std::io::ErrorKind::NotFound);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.send_to_addr(buf, &SocketAddr::from_pathname(path)?)
    }

    /// Sends a datagram to the socket at `addr`.
    ///
    /// # Blocking
    /// While the receiver's queue is full.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to).
    ///
    /// ```
    /// let address = std::os::unix::net::SocketAddr::from_pathname("/there is no such socket")?;
    /// let missing = gaggle::net::UnixDatagram::unbound()?.send_to_addr(b"x", &address);
    /// assert_eq!(missing.unwrap_err().kind(), std::io::ErrorKind::NotFound);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send_to_addr(&self, buf: &[u8], addr: &SocketAddr) -> io::Result<usize> {
        // The kernel tells only who is connected to the receiver when there is room: while we wait, another socket is.
        let is_ours = Cell::new(false);
        let watch = || {
            let other = std::os::unix::net::UnixDatagram::unbound()?;
            match other.connect_addr(addr) {
                Ok(()) => {
                    is_ours.set(false);
                    self.0.source().beside(other).map(Some)
                }
                // The receiver is connected to this socket: no other one may come near, and for this one there is room as
                // long as its own buffer has some. If it was not so yet at the last attempt, that says nothing.
                Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
                    if !is_ours.replace(true) {
                        self.0.source().stir(Direction::Write);
                    }
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        };
        let io = self.0.io();
        self.0.source().run_holding(io, Direction::Write, || io.send_to_addr(buf, addr), watch)
    }

    /// Sends a datagram to the socket that it is [connected](Self::connect) to.
    ///
    /// # Blocking
    /// While the receiver's queue is full.
    ///
    /// # Errors
    /// `NotConnected`, `ConnectionRefused` and others of the system; timeouts and deadlines.
    ///
    /// ```
    /// # let (a, b) = gaggle::net::UnixDatagram::pair()?;
    /// assert_eq!(a.send(b"x")?, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(|io| io.send(buf))
    }

    /// What a close does at once.
    fn shut(&self) {
        // It may not be connected.
        let _ = self.0.io().shutdown(Shutdown::Both);
    }

    common!("# let (socket, _other) = gaggle::net::UnixDatagram::pair()?;");
    limits!("# let (socket, _other) = gaggle::net::UnixDatagram::pair()?;");
    settings! {
        "# let (socket, _other) = gaggle::net::UnixDatagram::pair()?;";
        /// The address of this end.
        fn local_addr() -> SocketAddr = "assert!(socket.local_addr()?.is_unnamed());";
        /// The address that it is [connected](Self::connect) to.
        fn peer_addr() -> SocketAddr = "assert!(socket.peer_addr()?.is_unnamed());";
        /// Ends reading, writing or both, for all handles; goroutines that wait are woken.
        fn shutdown(how: Shutdown) -> () = "socket.shutdown(std::net::Shutdown::Both)?;";
    }
}

conversions!(UnixDatagram, std::os::unix::net::UnixDatagram);
