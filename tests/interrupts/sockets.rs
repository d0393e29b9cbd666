//! Sockets and names in the storm.

use super::delays::{ms, not_before};
use super::gusts;
use gaggle::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket, UnixListener, UnixStream};
use gaggle::spawn;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::thread;

pub fn connections() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = spawn(move || {
        for _ in 0..10 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut byte = [0];
            while stream.read(&mut byte).unwrap() == 1 {
                assert_eq!(stream.write(&byte).unwrap(), 1);
            }
        }
    });
    let visit = move || {
        gusts(2);
        let mut stream = TcpStream::connect(address).unwrap();
        for n in 0..5 {
            gusts(2);
            assert_eq!(stream.write(&[n]).unwrap(), 1);
            let mut back = [0];
            assert_eq!(stream.read(&mut back).unwrap(), 1);
            assert_eq!(back, [n]);
        }
    };
    // A plain thread waits in another way.
    let others = thread::spawn(move || (0..5).for_each(|_| visit()));
    (0..5).for_each(|_| visit());
    gaggle::runtime::blocking(|| others.join().unwrap());
    server.join().unwrap();
}

pub fn connects_that_wait() {
    let path = std::env::temp_dir().join(format!("gaggle-interrupts-{}", std::process::id()));
    _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    // SAFETY: it takes two numbers. A queue that few connections fill.
    assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 2) }, 0);
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            spawn(move || drop(UnixStream::connect(path).unwrap()))
        })
        .collect();
    for _ in 0..8 {
        gusts(5);
        listener.accept().unwrap();
    }
    clients.into_iter().for_each(|client| client.join().unwrap());
    std::fs::remove_file(&path).unwrap();
}

pub fn datagrams() {
    let (a, b) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    a.connect(b.local_addr().unwrap()).unwrap();
    let receiver = spawn(move || {
        let mut byte = [0];
        for n in 0..20 {
            assert_eq!(b.recv_from(&mut byte).unwrap().0, 1);
            assert_eq!(byte, [n]);
        }
        b.set_read_timeout(Some(ms(5))).unwrap();
        let silence = not_before(ms(5), || b.recv(&mut byte));
        assert_eq!(silence.unwrap_err().kind(), ErrorKind::TimedOut);
    });
    for n in 0..20 {
        gusts(2);
        assert_eq!(a.send(&[n]).unwrap(), 1);
    }
    receiver.join().unwrap();
}

pub fn a_full_connection() {
    const BYTES: usize = 1 << 20;
    let (mut a, mut b) = UnixStream::pair().unwrap();
    let writer = spawn(move || {
        let mut left = BYTES;
        while left > 0 {
            left -= a.write(&vec![7; left]).unwrap();
        }
    });
    let mut left = BYTES;
    while left > 0 {
        gusts(1);
        let n = b.read(&mut [0; 1 << 16]).unwrap();
        assert!(n > 0);
        left -= n;
    }
    writer.join().unwrap();
}

pub fn names() {
    for _ in 0..5 {
        assert!(("localhost", 80).to_socket_addrs().unwrap().all(|address| address.ip().is_loopback()));
    }
}
