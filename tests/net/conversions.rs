//! From and to the sockets of `std`.

use super::*;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

/// Whether the descriptor's operations block.
fn blocks(fd: &impl AsRawFd) -> bool {
    // SAFETY: it reads a flag.
    unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) & libc::O_NONBLOCK == 0 }
}

#[test]
fn a_socket_of_std_parks_once_it_is_ours() {
    // A conversion that leaves the socket blocking: it keeps the thread of all goroutines.
    let _turn = turn("a_socket_of_std_parks_once_it_is_ours");
    support::everywhere(1, || {
        let listener = TcpListener::from(std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let client = TcpStream::from(std::net::TcpStream::connect(address).unwrap());
        assert!(!blocks(&client) && !blocks(&listener));
        let (server, _) = listener.accept().unwrap();
        assert!(!blocks(&server));
        let reader = spawn(move || drain(&client).unwrap());
        (&server).write_all(b"x").unwrap();
        drop(server);
        assert_eq!(reader.join().unwrap(), b"x");
    });
}

#[test]
fn a_socket_given_to_std_blocks_again() {
    // A program of `std` that gets `WouldBlock` from a socket that it never asked for that.
    let _turn = turn("a_socket_given_to_std_blocks_again");
    let (client, server) = pair();
    let fd = client.as_raw_fd();
    let mut client = std::net::TcpStream::from(client);
    assert_eq!(client.as_raw_fd(), fd);
    assert!(blocks(&client));
    (&server).write_all(b"x").unwrap();
    assert_eq!(client.read(&mut [0]).unwrap(), 1);
    server.set_nonblocking(true).unwrap();
    assert!(!blocks(&std::net::TcpStream::from(server)));
}

#[test]
fn a_socket_goes_into_a_closure_that_may_panic() {
    // A server that shields itself with `catch_unwind`, and no longer compiles once its sockets are ours.
    let _turn = turn("a_socket_goes_into_a_closure_that_may_panic");
    let (client, server) = pair();
    let handled = std::panic::catch_unwind(move || {
        (&server).write_all(b"x").unwrap();
        panic!("expected in this test's output");
    });
    assert!(handled.is_err());
    assert_eq!(drain(&client).unwrap(), b"x");
    fn as_std<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    as_std::<(TcpListener, TcpStream, gaggle::net::UdpSocket)>();
    as_std::<(gaggle::net::UnixListener, gaggle::net::UnixStream, gaggle::net::UnixDatagram)>();
}

#[test]
fn a_clone_goes_on_when_the_other_is_given_away() {
    // The descriptor closed, or set to block, under the feet of the clone.
    let _turn = turn("a_clone_goes_on_when_the_other_is_given_away");
    let (client, server) = pair();
    let clone = client.try_clone().unwrap();
    let mut client = std::net::TcpStream::from(client);
    assert!(!blocks(&client), "the clone would block");
    client.write_all(b"a").unwrap();
    (&clone).write_all(b"b").unwrap();
    drop(client);
    drop(clone);
    assert_eq!(drain(&server).unwrap(), b"ab");
}

#[test]
fn raw_descriptors_and_back() {
    // A descriptor closed on its way out.
    let _turn = turn("raw_descriptors_and_back");
    let (client, server) = pair();
    let fd = client.into_raw_fd();
    // SAFETY: it was just given to us.
    let client = unsafe { TcpStream::from_raw_fd(fd) };
    let client = TcpStream::from(OwnedFd::from(client));
    (&client).write_all(b"x").unwrap();
    assert_eq!((&server).read(&mut [0]).unwrap(), 1);
}
