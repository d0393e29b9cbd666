//! [`UnixListener`].

use super::UnixStream;
use super::shared::{common, conversions, settings};
use super::socket::Socket;
use std::io;
use std::iter::FusedIterator;
use std::os::fd::AsRawFd;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

/// A Unix socket that accepts connections: `std::os::unix::net::UnixListener` whose `accept` parks the goroutine.
///
/// # Compared with Go
/// `net.UnixListener`, but that the file of the socket stays until somebody removes it.
///
/// ```
/// use gaggle::net::{UnixListener, UnixStream};
/// use std::io::{Read, Write};
///
/// let path = std::env::temp_dir().join(format!("gaggle-doc-{}", std::process::id()));
/// let listener = UnixListener::bind(&path)?;
/// let server = gaggle::spawn(move || listener.accept()?.0.write_all(b"hello"));
/// let mut greeting = String::new();
/// UnixStream::connect(&path)?.read_to_string(&mut greeting)?;
/// assert_eq!(greeting, "hello");
/// # server.join().unwrap()?;
/// std::fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UnixListener(Socket<std::os::unix::net::UnixListener>);

impl UnixListener {
    /// Makes a socket at `path`, and listens.
    ///
    /// # Errors
    /// `AddrInUse` if there is a file, and others of the system.
    ///
    /// # Compared with Go
    /// As [`TcpListener::bind`](super::TcpListener::bind) tells, as many connections may wait as the system allows; but a
    /// client that finds the queue full waits for room.
    ///
    /// ```
    /// assert!(gaggle::net::UnixListener::bind("/there is no such directory/socket").is_err());
    /// ```
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        std::os::unix::net::UnixListener::bind(path).map(Self::from)
    }

    /// Listens at `addr`, which may be an abstract one.
    ///
    /// # Errors
    /// `AddrInUse` if it is taken, and others of the system.
    ///
    /// ```
    /// let address = std::os::unix::net::SocketAddr::from_pathname("/there is no such directory/socket")?;
    /// assert!(gaggle::net::UnixListener::bind_addr(&address).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind_addr(addr: &SocketAddr) -> io::Result<Self> {
        std::os::unix::net::UnixListener::bind_addr(addr).map(Self::from)
    }

    /// The next connection, and who made it.
    ///
    /// # Blocking
    /// Until there is one.
    ///
    /// # Errors
    /// As [`TcpListener::accept`](super::TcpListener::accept).
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("gaggle-doc-accept-{}", std::process::id()));
    /// # let listener = gaggle::net::UnixListener::bind(&path)?;
    /// let client = gaggle::net::UnixStream::connect(&path)?;
    /// let (_stream, peer) = listener.accept()?;
    /// assert!(peer.is_unnamed());
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, peer) = self.0.read(|io| io.accept())?;
        stream.set_nonblocking(true)?;
        Ok((UnixStream::of_nonblocking(stream), peer))
    }

    /// The connections one after the other, for ever.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("gaggle-doc-incoming-{}", std::process::id()));
    /// # let listener = gaggle::net::UnixListener::bind(&path)?;
    /// # let _client = gaggle::net::UnixStream::connect(&path)?;
    /// for stream in listener.incoming() {
    ///     println!("{:?}", stream?.peer_addr());
    /// #   break;
    /// }
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn incoming(&self) -> UnixIncoming<'_> {
        UnixIncoming(self)
    }

    /// Lets `accept` fail with [`ErrorKind::TimedOut`](io::ErrorKind::TimedOut) from `deadline` on, also where a
    /// goroutine waits already; `None` takes it back.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("gaggle-doc-deadline-{}", std::process::id()));
    /// # let listener = gaggle::net::UnixListener::bind(&path)?;
    /// # std::fs::remove_file(path)?;
    /// listener.set_deadline(Some(std::time::Instant::now()));
    /// assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        self.0.set_deadline(deadline);
    }

    /// What a close does at once: further connections are refused.
    fn shut(&self) {
        // SAFETY: it has no preconditions. What it returns does not matter: nobody accepts any more.
        unsafe { libc::shutdown(self.0.io().as_raw_fd(), libc::SHUT_RDWR) };
    }

    common!(
        "# let nanoseconds = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
# let path = std::env::temp_dir().join(format!(\"gaggle-doc-{nanoseconds}-{}\", std::process::id()));
# let socket = gaggle::net::UnixListener::bind(&path)?;
# std::fs::remove_file(path)?;"
    );
    settings! {
        "# let path = std::env::temp_dir().join(format!(\"gaggle-doc-addr-{}\", std::process::id()));
# let socket = gaggle::net::UnixListener::bind(&path)?;
# std::fs::remove_file(&path)?;";
        /// The address that it listens at.
        fn local_addr() -> SocketAddr = "assert_eq!(socket.local_addr()?.as_pathname(), Some(path.as_path()));";
    }
}

impl<'a> IntoIterator for &'a UnixListener {
    type Item = io::Result<UnixStream>;
    type IntoIter = UnixIncoming<'a>;

    fn into_iter(self) -> UnixIncoming<'a> {
        self.incoming()
    }
}

conversions!(UnixListener, std::os::unix::net::UnixListener);

/// What [`UnixListener::incoming`] returns: the connections, for ever.
///
/// # Blocking
/// Until the next connection, as [`UnixListener::accept`].
#[derive(Debug)]
pub struct UnixIncoming<'a>(&'a UnixListener);

impl Iterator for UnixIncoming<'_> {
    type Item = io::Result<UnixStream>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.accept().map(|(stream, _)| stream))
    }
}

impl FusedIterator for UnixIncoming<'_> {}
