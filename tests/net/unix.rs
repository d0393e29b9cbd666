//! Unix sockets.

use super::*;
use gaggle::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A path for a socket, which is removed in the end.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("gaggle-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn streams_carry_both_ways() {
    // Bytes lost between a park and a wake-up.
    let _turn = turn("streams_carry_both_ways");
    everywhere(|| {
        let (mut a, mut b) = UnixStream::pair().unwrap();
        let echo = spawn(move || io::copy(&mut b.try_clone().unwrap(), &mut b));
        for n in 0..100u8 {
            a.write_all(&[n; 100]).unwrap();
            let mut back = [0; 100];
            a.read_exact(&mut back).unwrap();
            assert_eq!(back, [n; 100]);
        }
        a.shutdown(Shutdown::Write).unwrap();
        assert_eq!(a.read(&mut [0]).unwrap(), 0);
        echo.join().unwrap().unwrap();
    });
}

#[test]
fn listeners_accept_in_any_number_of_goroutines() {
    // An acceptor that sleeps on while a connection waits (B14).
    let _turn = turn("listeners_accept_in_any_number_of_goroutines");
    everywhere(|| {
        const ACCEPTORS: usize = 8;
        let place = Place::new();
        let listener = Arc::new(UnixListener::bind(&place.0).unwrap());
        assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(place.0.as_path()));
        let wg = WaitGroup::new();
        for _ in 0..ACCEPTORS {
            let listener = listener.clone();
            wg.go(move || listener.accept().unwrap().0.write_all(b"x").unwrap());
        }
        for _ in 0..ACCEPTORS {
            let mut client = UnixStream::connect(&place.0).unwrap();
            assert_eq!(client.read(&mut [0; 2]).unwrap(), 1);
        }
        wg.wait();
        let acceptor = {
            let listener = listener.clone();
            spawn(move || kind(listener.accept()))
        };
        listener.close();
        assert_eq!(acceptor.join().unwrap(), Some(ErrorKind::NotConnected));
        assert_eq!(kind(UnixStream::connect(&place.0)), Some(ErrorKind::ConnectionRefused));
    });
}

#[test]
fn a_full_queue_of_a_listener_is_waited_for() {
    // The kernel says *would block*, and tells nobody when it would no longer.
    let _turn = turn("a_full_queue_of_a_listener_is_waited_for");
    everywhere(|| {
        let place = Place::new();
        let listener = UnixListener::bind(&place.0).unwrap();
        shorten_the_queue(&listener);
        let mut queued = Vec::new();
        let raw = loop {
            // As many as the kernel takes.
            match mio::net::UnixStream::connect(&place.0) {
                Ok(stream) => queued.push(stream),
                Err(error) => break error.kind(),
            }
        };
        assert_eq!(raw, ErrorKind::WouldBlock);
        let waits = {
            let path = place.0.clone();
            spawn(move || UnixStream::connect(path).unwrap())
        };
        let accepted: Vec<_> = listener.incoming().take(queued.len() + 1).collect();
        assert!(accepted.iter().all(Result::is_ok));
        waits.join().unwrap();
    });
}

#[test]
fn datagrams_wait_for_room_and_for_data() {
    // A sender into a full queue that is never told of room.
    let _turn = turn("datagrams_wait_for_room_and_for_data");
    everywhere(|| {
        const DATAGRAMS: usize = 2000;
        let (a, b) = UnixDatagram::pair().unwrap();
        let sender = spawn(move || {
            for n in 0..DATAGRAMS {
                a.send(&n.to_ne_bytes()).unwrap();
            }
        });
        let mut datagram = [0; size_of::<usize>()];
        for n in 0..DATAGRAMS {
            assert_eq!(b.recv(&mut datagram).unwrap(), datagram.len());
            assert_eq!(usize::from_ne_bytes(datagram), n);
        }
        sender.join().unwrap();
    });
}

#[test]
fn unconnected_senders_wait_for_room_too() {
    // The kernel tells who is connected of room, and nobody else.
    let _turn = turn("unconnected_senders_wait_for_room_too");
    everywhere(|| {
        const SENDERS: usize = 4;
        const DATAGRAMS: usize = 200;
        let place = Place::new();
        let server = UnixDatagram::bind(&place.0).unwrap();
        let wg = WaitGroup::new();
        for sender in 0..SENDERS {
            let path = place.0.clone();
            wg.go(move || {
                let client = UnixDatagram::unbound().unwrap();
                let address = std::os::unix::net::SocketAddr::from_pathname(&path).unwrap();
                for n in 0..DATAGRAMS {
                    let sent = if sender % 2 == 0 {
                        client.send_to(&[n as u8], &path)
                    } else {
                        client.send_to_addr(&[n as u8], &address)
                    };
                    assert_eq!(sent.unwrap(), 1);
                }
            });
        }
        for _ in 0..SENDERS * DATAGRAMS {
            assert_eq!(server.recv_from(&mut [0; 2]).unwrap().0, 1);
        }
        wg.wait();
    });
}

#[test]
fn a_server_waits_for_a_client_that_is_connected_to_it() {
    // An error in place of a wait: the kernel lets no other socket watch for room at the client.
    let _turn = turn("a_server_waits_for_a_client_that_is_connected_to_it");
    everywhere(|| {
        let (here, there) = (Place::new(), Place::new());
        let (server, client) = (UnixDatagram::bind(&here.0).unwrap(), UnixDatagram::bind(&there.0).unwrap());
        client.connect(&here.0).unwrap();
        server.set_nonblocking(true).unwrap();
        let mut sent = 0_usize;
        while server.send_to(&[0; 1024], &there.0).is_ok() {
            sent += 1;
        }
        server.set_nonblocking(false).unwrap();
        server.set_write_timeout(Some(ms(2))).unwrap();
        assert_eq!(kind(server.send_to(&[0; 1024], &there.0)), Some(ErrorKind::TimedOut));
        server.set_write_timeout(None).unwrap();
        let reader = spawn(move || (0..sent + 1000).map(|_| client.recv(&mut [0; 2048]).unwrap()).sum::<usize>());
        for _ in 0..1000 {
            assert_eq!(server.send_to(&[0; 1024], &there.0).unwrap(), 1024);
        }
        assert_eq!(reader.join().unwrap(), (sent + 1000) * 1024);
    });
}

#[test]
fn an_unconnected_sender_times_out_and_is_closed() {
    // A receiver that stalls holds its senders for ever.
    let _turn = turn("an_unconnected_sender_times_out_and_is_closed");
    everywhere(|| {
        let place = Place::new();
        let _stalls = UnixDatagram::bind(&place.0).unwrap();
        let client = UnixDatagram::unbound().unwrap();
        let fill = |client: &UnixDatagram| loop {
            if let Err(error) = client.send_to(b"x", &place.0) {
                return error.kind();
            }
        };
        client.set_nonblocking(true).unwrap();
        assert_eq!(fill(&client), ErrorKind::WouldBlock);
        client.set_nonblocking(false).unwrap();
        client.set_write_timeout(Some(ms(2))).unwrap();
        assert_eq!(fill(&client), ErrorKind::TimedOut);
        client.set_write_timeout(None).unwrap();
        client.set_write_deadline(Some(Instant::now() + ms(2)));
        assert_eq!(fill(&client), ErrorKind::TimedOut);
        client.set_write_deadline(None);
        let sender = {
            let (client, path) = (client.try_clone().unwrap(), place.0.clone());
            spawn(move || kind(client.send_to(b"x", path)))
        };
        client.close();
        assert!(matches!(sender.join().unwrap(), Some(ErrorKind::NotConnected)));
    });
}

#[test]
fn the_last_of_a_pair_hears_that_the_other_has_gone() {
    // A reader that waits for nobody.
    let _turn = turn("the_last_of_a_pair_hears_that_the_other_has_gone");
    everywhere(|| {
        let (a, mut b) = UnixStream::pair().unwrap();
        let reader = spawn(move || b.read(&mut [0]).unwrap());
        drop(a);
        assert_eq!(reader.join().unwrap(), 0);
        let (mut a, b) = UnixStream::pair().unwrap();
        drop(b);
        assert_eq!(kind(a.write(b"x")), Some(ErrorKind::BrokenPipe));
    });
}

#[test]
fn deadlines_and_close_of_unix_sockets() {
    // Their own copies of what TCP has.
    let _turn = turn("deadlines_and_close_of_unix_sockets");
    everywhere(|| {
        let (a, _b) = UnixStream::pair().unwrap();
        let clone = a.try_clone().unwrap();
        let reader = spawn(move || kind((&clone).read(&mut [0])));
        a.set_deadline(Some(Instant::now()));
        assert_eq!(reader.join().unwrap(), Some(ErrorKind::TimedOut));
        let (a, b) = UnixDatagram::pair().unwrap();
        a.set_read_timeout(Some(ms(1))).unwrap();
        assert_eq!(kind(a.recv(&mut [0])), Some(ErrorKind::TimedOut));
        let clone = b.try_clone().unwrap();
        let reader = spawn(move || kind(clone.recv(&mut [0])));
        b.close();
        assert_eq!(reader.join().unwrap(), Some(ErrorKind::NotConnected));
        let place = Place::new();
        let listener = UnixListener::bind(&place.0).unwrap();
        listener.set_deadline(Some(Instant::now()));
        assert_eq!(kind(listener.accept()), Some(ErrorKind::TimedOut));
        assert_eq!(kind(UnixListener::bind(&place.0)), Some(ErrorKind::AddrInUse));
    });
}
