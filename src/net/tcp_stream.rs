//! [`TcpStream`].

use super::ToSocketAddrs;
use super::addrs::first_of;
use super::shared::{common, conversions, limits, read_write, settings};
use super::socket::Socket;
use crate::park::Direction;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

/// A TCP connection: `std::net::TcpStream` whose operations park the goroutine.
///
/// # Blocking
/// Reads park until there is something to read, writes until there is room; a plain thread blocks. Several goroutines
/// may read and write at once, on shared references or clones.
///
/// # Errors
/// As `std`'s. A peer that resets gives `ConnectionReset`, or `BrokenPipe` to writers; one that closes or half-closes
/// gives reads of 0 bytes, and writes go on until the peer has gone. A peer that stalls is waited for until a timeout or a
/// deadline.
///
/// # Compared with Go
/// `net.TCPConn`; `close`, `set_deadline` and its kin are Go's.
///
/// ```
/// use gaggle::net::{TcpListener, TcpStream};
/// use std::io::{Read, Write};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let server = gaggle::spawn(move || {
///     let (mut stream, _) = listener.accept()?;
///     stream.write_all(b"hello")
/// });
/// let mut greeting = String::new();
/// TcpStream::connect(address)?.read_to_string(&mut greeting)?;
/// assert_eq!(greeting, "hello");
/// # server.join().unwrap()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct TcpStream(Socket<std::net::TcpStream>);

impl TcpStream {
    /// Connects to the first of the addresses that answers.
    ///
    /// # Blocking
    /// Until the connection is made or refused.
    ///
    /// # Errors
    /// The last address's, as `ConnectionRefused`; those of a name look-up.
    ///
    /// ```
    /// # let listener = gaggle::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = listener.local_addr()?;
    /// let stream = gaggle::net::TcpStream::connect(address)?;
    /// assert_eq!(stream.peer_addr()?, address);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        first_of(addr, |addr| Self::connect_until(&addr, None))
    }

    /// Connects to `addr`, within `timeout`.
    ///
    /// # Blocking
    /// As [`connect`](Self::connect), but no longer than `timeout`.
    ///
    /// # Errors
    /// As [`connect`](Self::connect); [`ErrorKind::TimedOut`](io::ErrorKind::TimedOut);
    /// [`ErrorKind::InvalidInput`](io::ErrorKind::InvalidInput) for a duration of zero.
    ///
    /// ```
    /// # let listener = gaggle::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = listener.local_addr()?;
    /// let second = std::time::Duration::from_secs(1);
    /// let stream = gaggle::net::TcpStream::connect_timeout(&address, second)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect_timeout(addr: &SocketAddr, timeout: Duration) -> io::Result<Self> {
        if timeout.is_zero() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "cannot set a timeout of zero"));
        }
        // A timeout that the clock can't count to is none.
        Self::connect_until(addr, Instant::now().checked_add(timeout))
    }

    fn connect_until(addr: &SocketAddr, deadline: Option<Instant>) -> io::Result<Self> {
        let begun = mio::net::TcpStream::connect(*addr)?;
        let stream = Self(Socket::of_nonblocking(begun.into()));
        if deadline.is_some() {
            stream.set_write_deadline(deadline);
        }
        stream.0.write(|io| match io.take_error()? {
            Some(error) => Err(error),
            None => match io.peer_addr() {
                Err(error) if error.kind() == io::ErrorKind::NotConnected => Err(io::ErrorKind::WouldBlock.into()),
                connected => connected,
            },
        })?;
        if deadline.is_some() {
            stream.set_write_deadline(None);
        }
        Ok(stream)
    }

    pub(super) fn of_nonblocking(io: std::net::TcpStream) -> Self {
        Self(Socket::of_nonblocking(io))
    }

    /// Receives into `buf`, and leaves what was received to be received again.
    ///
    /// # Blocking
    /// As a read.
    ///
    /// # Errors
    /// As a read.
    ///
    /// ```
    /// # use std::io::{Read, Write};
    /// # let listener = gaggle::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let mut other = gaggle::net::TcpStream::connect(listener.local_addr()?)?;
    /// # let (mut stream, _) = listener.accept()?;
    /// other.write_all(b"x")?;
    /// assert_eq!(stream.peek(&mut [0])?, 1);
    /// assert_eq!(stream.read(&mut [0])?, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_stream(|io| io.peek(buf))
    }

    /// What a close does at once.
    fn shut(&self) {
        // It may not be connected any more.
        let _ = self.0.io().shutdown(Shutdown::Both);
    }

    common!(
        "# let listener = gaggle::net::TcpListener::bind(\"127.0.0.1:0\")?;
# let socket = gaggle::net::TcpStream::connect(listener.local_addr()?)?;"
    );
    limits!(
        "# let listener = gaggle::net::TcpListener::bind(\"127.0.0.1:0\")?;
# let socket = gaggle::net::TcpStream::connect(listener.local_addr()?)?;"
    );
    settings! {
        "# let listener = gaggle::net::TcpListener::bind(\"127.0.0.1:0\")?;
    # let socket = gaggle::net::TcpStream::connect(listener.local_addr()?)?;";
        /// The address of the other end.
        fn peer_addr() -> SocketAddr = "assert_eq!(socket.peer_addr()?, listener.local_addr()?);";
        /// The address of this end.
        fn local_addr() -> SocketAddr = "assert!(socket.local_addr()?.ip().is_loopback());";
        /// Ends reading, writing or both, for all handles; goroutines that wait are woken.
        fn shutdown(how: Shutdown) -> () = "socket.shutdown(std::net::Shutdown::Both)?;";
        /// Whether small segments are sent at once (`TCP_NODELAY`).
        fn set_nodelay(nodelay: bool) -> () = "socket.set_nodelay(true)?;";
        /// See [`set_nodelay`](Self::set_nodelay).
        fn nodelay() -> bool = "assert!(!socket.nodelay()?);";
        /// Sets the number of hops that a packet may take (`IP_TTL`).
        fn set_ttl(ttl: u32) -> () = "socket.set_ttl(64)?;";
        /// See [`set_ttl`](Self::set_ttl).
        fn ttl() -> u32 = "assert!(socket.ttl()? > 0);";
    }
}

read_write!(TcpStream);
conversions!(TcpStream, std::net::TcpStream);
