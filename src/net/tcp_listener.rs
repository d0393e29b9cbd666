//! [`TcpListener`].

use super::addrs::first_of;
use super::shared::{common, conversions, settings};
use super::socket::Socket;
use super::{TcpStream, ToSocketAddrs};
use crate::platform::poller::lengthen_backlog;
use std::io;
use std::iter::FusedIterator;
use std::net::SocketAddr;
use std::time::Instant;

/// A TCP socket that accepts connections: `std::net::TcpListener` whose `accept` parks the goroutine.
///
/// Any number of goroutines may accept at once; each connection goes to one of them.
///
/// # Compared with Go
/// `net.TCPListener`; `close` and `set_deadline` are Go's.
///
/// ```
/// use gaggle::net::{TcpListener, TcpStream};
/// use std::io::{Read, Write};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// gaggle::spawn(move || {
///     for stream in listener.incoming() {
///         let mut stream = stream.unwrap();
///         gaggle::spawn(move || std::io::copy(&mut &stream, &mut &stream));
///     }
/// });
/// let mut stream = TcpStream::connect(address)?;
/// stream.write_all(b"echo")?;
/// stream.shutdown(std::net::Shutdown::Write)?;
/// let mut answer = String::new();
/// stream.read_to_string(&mut answer)?;
/// assert_eq!(answer, "echo");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct TcpListener(Socket<std::net::TcpListener>);

impl TcpListener {
    /// Listens on the first of the addresses that is free; port 0 has the system choose one.
    ///
    /// # Blocking
    /// For the look-up of a name only.
    ///
    /// # Errors
    /// Those of the last address, as `AddrInUse`; those of a name look-up.
    ///
    /// # Compared with Go
    /// As many connections may wait to be accepted as the system allows (on Linux `net.core.somaxconn`, 4096 unless
    /// somebody changed it; on Windows 128). `std` asks for 128 everywhere: of a larger crowd the rest would wait a
    /// second or more for its next attempt. One who wants fewer binds a `std` socket of his own, and converts it.
    ///
    /// ```
    /// let listener = gaggle::net::TcpListener::bind("127.0.0.1:0")?;
    /// let taken = gaggle::net::TcpListener::bind(listener.local_addr()?);
    /// assert_eq!(taken.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        let listener = first_of(addr, std::net::TcpListener::bind)?;
        lengthen_backlog(&listener);
        Ok(listener.into())
    }

    /// The next connection, and who made it.
    ///
    /// # Blocking
    /// Until there is one.
    ///
    /// # Errors
    /// Those of the system; `NotConnected` once the listener was closed. When no descriptor is left that is `EMFILE`,
    /// and the connection stays in the queue: to accept again at once would fail again at once. A server says so, sleeps
    /// for a moment, and goes on.
    ///
    /// ```
    /// # let listener = gaggle::net::TcpListener::bind("127.0.0.1:0")?;
    /// let client = gaggle::net::TcpStream::connect(listener.local_addr()?)?;
    /// let (_stream, peer) = listener.accept()?;
    /// assert_eq!(peer, client.local_addr()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = self.0.read(|io| io.accept())?;
        stream.set_nonblocking(true)?;
        Ok((TcpStream::of_nonblocking(stream), peer))
    }

    /// The connections one after the other, for ever.
    ///
    /// ```
    /// # let listener = gaggle::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let _client = gaggle::net::TcpStream::connect(listener.local_addr()?)?;
    /// for stream in listener.incoming() {
    ///     println!("{:?}", stream?.peer_addr());
    /// #   break;
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming(self)
    }

    /// Lets `accept` fail with [`ErrorKind::TimedOut`](io::ErrorKind::TimedOut) from `deadline` on, also where a
    /// goroutine waits already; `None` takes it back.
    ///
    /// ```
    /// # let listener = gaggle::net::TcpListener::bind("127.0.0.1:0")?;
    /// listener.set_deadline(Some(std::time::Instant::now()));
    /// assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        self.0.set_deadline(deadline);
    }

    /// What a close does at once: on Linux the kernel refuses further connections; elsewhere it goes on listening until
    /// the last handle is dropped.
    fn shut(&self) {
        #[cfg(unix)]
        {
            use std::os::fd::AsRawFd;
            // SAFETY: it has no preconditions. What it returns does not matter: nobody accepts any more.
            unsafe { libc::shutdown(self.0.io().as_raw_fd(), libc::SHUT_RDWR) };
        }
    }

    common!("# let socket = gaggle::net::TcpListener::bind(\"127.0.0.1:0\")?;");
    settings! {
        "# let socket = gaggle::net::TcpListener::bind(\"127.0.0.1:0\")?;";
        /// The address that it listens on.
        fn local_addr() -> SocketAddr = "assert_ne!(socket.local_addr()?.port(), 0);";
        /// Sets the number of hops that a packet may take (`IP_TTL`).
        fn set_ttl(ttl: u32) -> () = "socket.set_ttl(64)?;";
        /// See [`set_ttl`](Self::set_ttl).
        fn ttl() -> u32 = "assert!(socket.ttl()? > 0);";
    }
}

conversions!(TcpListener, std::net::TcpListener);

/// What [`TcpListener::incoming`] returns: the connections, for ever.
///
/// # Blocking
/// Until the next connection, as [`TcpListener::accept`].
#[derive(Debug)]
pub struct Incoming<'a>(&'a TcpListener);

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.accept().map(|(stream, _)| stream))
    }
}

impl FusedIterator for Incoming<'_> {}
