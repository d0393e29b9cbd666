//! Sockets that park the goroutine: `std`'s names and signatures, so that a port is a change of the `use` line.
//!
//! ```
//! use gaggle::net::{TcpListener, TcpStream};
//! use std::io::{BufRead, BufReader, Write};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! gaggle::spawn(move || {
//!     for stream in listener.incoming() {
//!         // One goroutine for each connection, in plain blocking code.
//!         gaggle::spawn(move || {
//!             let stream = stream?;
//!             for line in BufReader::new(&stream).lines() {
//!                 writeln!(&stream, "you said {}", line?)?;
//!             }
//!             std::io::Result::Ok(())
//!         });
//!     }
//! });
//! let client = TcpStream::connect(address)?;
//! writeln!(&client, "hello")?;
//! let mut answer = String::new();
//! BufReader::new(&client).read_line(&mut answer)?;
//! assert_eq!(answer, "you said hello\n");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Blocking
//!
//! An operation tries the system call, and parks only if the kernel says that it would block; a plain thread blocks.
//! One that a signal interrupts is tried again, as in Go: no operation fails with `Interrupted`.
//! `Read` and `Write` are there for the sockets and for shared references, so what is written for `std`'s streams (TLS,
//! HTTP parsers, `BufReader`) runs on these unchanged.
//!
//! # Timeouts, deadlines, close
//!
//! `set_read_timeout` and `set_write_timeout` are `std`'s: so long may each operation take. `set_read_deadline`,
//! `set_write_deadline` and `set_deadline` are Go's: an instant for all of them, which may be set, moved or cleared
//! while a goroutine waits. Both end an operation with `TimedOut`, on every platform. A peer that sends a byte an hour
//! exceeds no timeout, and costs a parked goroutine until a deadline ends it. `close` ends all operations of all
//! handles, and tells the peer; otherwise the last handle to be dropped closes.
//!
//! # Handles
//!
//! `try_clone` gives a second handle of the same descriptor: it can't fail, and timeouts, deadlines and
//! `set_nonblocking` are shared, as they are in the kernel.
//!
//! # Descriptors
//!
//! Each socket needs one. When the process has no more, what would make one fails with the system's error (`EMFILE`,
//! "Too many open files"), and works again as soon as some are closed; see [`TcpListener::accept`].
//!
//! How many there may be is the process's own affair, which its children inherit, so gaggle leaves the limit as it is.
//! Go raises the soft limit to the hard one when a program starts. A server for thousands of clients does so itself,
//! first thing in `main`, for instance by `rlimit::increase_nofile_limit(u64::MAX)` of the crate `rlimit`; or the shell
//! that starts it, by `ulimit -n`.
//!
//! # Names
//!
//! [`ToSocketAddrs`] is `std`'s for the same types; a name is looked up as
//! [`runtime::blocking`](crate::runtime::blocking) does it, on another thread. Addresses in figures
//! cost no look-up.
//!
//! # Compared with std
//!
//! `bind`, `connect` and `send_to` ask for [this module's `ToSocketAddrs`](ToSocketAddrs): code that is generic over
//! the trait changes its `use` line too. Unstable methods are missing. On Unix, `From<OwnedFd>` and the like set the
//! descriptor to non-blocking mode, and the conversions back to blocking mode: both are the descriptor's, so a process
//! that shares it sees them.

mod addrs;
mod shared;
mod socket;
mod tcp_listener;
mod tcp_stream;
mod udp_socket;
#[cfg(unix)]
mod unix_datagram;
#[cfg(unix)]
mod unix_listener;
#[cfg(unix)]
mod unix_stream;

pub use addrs::ToSocketAddrs;
pub use std::net::{AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6};
pub use tcp_listener::{Incoming, TcpListener};
pub use tcp_stream::TcpStream;
pub use udp_socket::UdpSocket;
#[cfg(unix)]
pub use unix_datagram::UnixDatagram;
#[cfg(unix)]
pub use unix_listener::{UnixIncoming, UnixListener};
#[cfg(unix)]
pub use unix_stream::UnixStream;
