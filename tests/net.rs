//! Sockets that park: from goroutines in both modes, on 1, 2 and 8 processors, and from plain threads.

use gaggle::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use gaggle::sync::WaitGroup;
use gaggle::{chan, spawn};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

mod support;
use support::turn;

#[path = "net/backlog.rs"]
mod backlog;
#[path = "net/conversions.rs"]
mod conversions;
#[path = "net/deadlines.rs"]
mod deadlines;
#[path = "net/descriptors.rs"]
mod descriptors;
#[path = "net/endings.rs"]
mod endings;
#[path = "net/tcp.rs"]
mod tcp;
#[path = "net/udp.rs"]
mod udp;
#[path = "net/unix.rs"]
mod unix;

/// Runs `f` on a plain thread and in goroutines of both modes.
fn everywhere(f: impl Fn() + Send + Sync + Copy + 'static) {
    f();
    support::everywhere(1, f);
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Lets some seven connections wait for an accept, so that few fill the queue.
fn shorten_the_queue(listener: &impl AsRawFd) {
    // SAFETY: it takes two numbers.
    assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 7) }, 0);
}

/// The two ends of a connection.
fn pair() -> (TcpStream, TcpStream) {
    let (listener, address) = listener();
    let client = TcpStream::connect(address).unwrap();
    (client, listener.accept().unwrap().0)
}

/// Lets the close of `stream` send a reset.
fn reset(stream: TcpStream) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let len = size_of::<libc::linger>() as libc::socklen_t;
    let (fd, option) = (stream.as_raw_fd(), (&raw const linger).cast());
    // SAFETY: the option is as large as it says, and read only.
    assert_eq!(unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_LINGER, option, len) }, 0);
    drop(stream);
}

fn kind<T>(result: io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

/// Reads to the end.
fn drain(mut stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).map(|_| all)
}
