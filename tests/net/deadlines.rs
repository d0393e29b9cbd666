//! Timeouts and deadlines, set before and while somebody waits.

use super::*;

#[test]
fn a_read_that_takes_too_long_times_out() {
    // A timeout that fires early, or leaves its waiter in the queue for the next event (B4).
    let _turn = turn("a_read_that_takes_too_long_times_out");
    everywhere(|| {
        let (mut client, mut server) = pair();
        client.set_read_timeout(Some(ms(3))).unwrap();
        assert_eq!(client.read_timeout().unwrap(), Some(ms(3)));
        let start = Instant::now();
        assert_eq!(kind(client.read(&mut [0])), Some(ErrorKind::TimedOut));
        assert!(start.elapsed() >= ms(3));
        server.write_all(b"x").unwrap();
        client.set_read_timeout(None).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 1);
        assert_eq!(kind(client.set_read_timeout(Some(Duration::ZERO))), Some(ErrorKind::InvalidInput));
        // Longer than the clock can count.
        client.set_read_timeout(Some(Duration::MAX)).unwrap();
        server.write_all(b"y").unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 1);
    });
}

#[test]
fn a_write_that_takes_too_long_times_out() {
    // A stalled peer holds its writer for ever.
    let _turn = turn("a_write_that_takes_too_long_times_out");
    everywhere(|| {
        let (mut client, _server) = pair();
        client.set_write_timeout(Some(ms(3))).unwrap();
        let end = loop {
            if let Err(error) = client.write(&[0; 1 << 16]) {
                break error.kind();
            }
        };
        assert_eq!(end, ErrorKind::TimedOut);
        // The other direction has a timeout of its own.
        assert_eq!(client.read_timeout().unwrap(), None);
    });
}

#[test]
fn a_deadline_that_has_passed_fails_at_once() {
    // Go's rule: whatever there is to read.
    let _turn = turn("a_deadline_that_has_passed_fails_at_once");
    everywhere(|| {
        let (client, server) = pair();
        (&server).write_all(b"x").unwrap();
        client.set_read_deadline(Some(Instant::now()));
        assert_eq!(kind((&client).read(&mut [0])), Some(ErrorKind::TimedOut));
        client.set_read_deadline(None);
        assert_eq!((&client).read(&mut [0]).unwrap(), 1);
        client.set_write_deadline(Some(Instant::now()));
        assert_eq!(kind((&client).write(b"x")), Some(ErrorKind::TimedOut));
    });
}

/// A read that is begun before, while or after `change` is called.
fn read_against(change: impl FnOnce(&TcpStream, &TcpStream)) -> io::Result<usize> {
    let (client, server) = pair();
    let client = Arc::new(client);
    let (begins, begun) = chan(0);
    let reader = {
        let client = client.clone();
        spawn(move || {
            begins.send(()).unwrap();
            (&*client).read(&mut [0])
        })
    };
    begun.recv().unwrap();
    change(&client, &server);
    reader.join().unwrap()
}

#[test]
fn a_deadline_is_seen_by_who_waits_already() {
    // A goroutine that is blocked without a deadline waits on for ever (Go's promise).
    let _turn = turn("a_deadline_is_seen_by_who_waits_already");
    everywhere(|| {
        for _ in 0..20 {
            let read = read_against(|client, _| client.set_read_deadline(Some(Instant::now())));
            assert_eq!(kind(read), Some(ErrorKind::TimedOut));
            let read = read_against(|client, _| client.set_deadline(Some(Instant::now() + ms(1))));
            assert_eq!(kind(read), Some(ErrorKind::TimedOut));
        }
    });
}

#[test]
fn a_deadline_moved_earlier_ends_the_wait() {
    // The timer of the old deadline is waited for (B16).
    let _turn = turn("a_deadline_moved_earlier_ends_the_wait");
    everywhere(|| {
        let read = read_against(|client, _| {
            client.set_read_deadline(Some(Instant::now() + Duration::from_secs(600)));
            client.set_read_deadline(Some(Instant::now() + ms(1)));
        });
        assert_eq!(kind(read), Some(ErrorKind::TimedOut));
    });
}

#[test]
fn a_deadline_moved_later_or_cleared_does_not_end_the_wait() {
    // The timer of the old deadline ends a wait that it is not for any more.
    let _turn = turn("a_deadline_moved_later_or_cleared_does_not_end_the_wait");
    everywhere(|| {
        for later in [Some(Duration::from_secs(600)), None] {
            loop {
                let mut in_time = false;
                let read = read_against(|client, mut server| {
                    let first = Instant::now() + ms(20);
                    client.set_read_deadline(Some(first));
                    client.set_read_deadline(later.map(|later| Instant::now() + later));
                    in_time = Instant::now() < first;
                    // Past the first one.
                    gaggle::time::sleep(ms(30));
                    server.write_all(b"x").unwrap();
                });
                if in_time {
                    assert_eq!(read.unwrap(), 1);
                    break;
                }
            }
        }
    });
}

#[test]
fn the_earlier_of_timeout_and_deadline_ends_the_wait() {
    // A timeout that hides the deadline, or is hidden by it.
    let _turn = turn("the_earlier_of_timeout_and_deadline_ends_the_wait");
    everywhere(|| {
        let long = Duration::from_secs(600);
        for (timeout, deadline) in [(long, ms(3)), (ms(3), long)] {
            let (mut client, _server) = pair();
            let start = Instant::now();
            client.set_read_timeout(Some(timeout)).unwrap();
            client.set_read_deadline(Some(start + deadline));
            assert_eq!(kind(client.read(&mut [0])), Some(ErrorKind::TimedOut));
            assert!(start.elapsed() >= ms(3));
        }
    });
}

#[test]
fn a_byte_now_and_then_ends_with_the_deadline() {
    // A client that sends a byte an hour: no read takes too long, and the request never ends.
    let _turn = turn("a_byte_now_and_then_ends_with_the_deadline");
    everywhere(|| {
        let (client, server) = pair();
        let drips = spawn(move || {
            while (&client).write(b"x").is_ok() {
                gaggle::time::sleep(ms(1));
            }
        });
        server.set_read_timeout(Some(Duration::from_secs(600))).unwrap();
        let start = Instant::now();
        server.set_read_deadline(Some(start + ms(20)));
        assert_eq!(kind(drain(&server)), Some(ErrorKind::TimedOut));
        assert!(start.elapsed() >= ms(20));
        drop(server);
        drips.join().unwrap();
    });
}

#[test]
fn an_accept_has_a_deadline_too() {
    // A listener that cannot be interrupted.
    let _turn = turn("an_accept_has_a_deadline_too");
    everywhere(|| {
        let (listener, address) = listener();
        listener.set_deadline(Some(Instant::now() + ms(2)));
        assert_eq!(kind(listener.accept()), Some(ErrorKind::TimedOut));
        listener.set_deadline(None);
        let _client = TcpStream::connect(address).unwrap();
        listener.accept().unwrap();
    });
}

#[test]
fn a_connect_that_nobody_answers_times_out() {
    // A full queue of a listener: the kernel goes on trying.
    let _turn = turn("a_connect_that_nobody_answers_times_out");
    let (listener, address) = listener();
    assert_eq!(kind(TcpStream::connect_timeout(&address, Duration::ZERO)), Some(ErrorKind::InvalidInput));
    shorten_the_queue(&listener);
    // Those that have gone stay in the queue until they are accepted.
    let end = (0..100).find_map(|_| TcpStream::connect_timeout(&address, ms(50)).err());
    assert_eq!(end.map(|error| error.kind()), Some(ErrorKind::TimedOut));
}

#[test]
fn a_timeout_is_shared_by_clones() {
    // As in the kernel, where it belongs to the socket.
    let _turn = turn("a_timeout_is_shared_by_clones");
    let (client, _server) = pair();
    let clone = client.try_clone().unwrap();
    client.set_read_timeout(Some(ms(1))).unwrap();
    assert_eq!(kind((&clone).read(&mut [0])), Some(ErrorKind::TimedOut));
}

#[test]
fn a_socket_that_must_not_block_does_not() {
    // `set_nonblocking` that is lost in the socket of `std`, which never blocks.
    let _turn = turn("a_socket_that_must_not_block_does_not");
    everywhere(|| {
        let (client, server) = pair();
        client.set_nonblocking(true).unwrap();
        assert_eq!(kind((&client).read(&mut [0])), Some(ErrorKind::WouldBlock));
        client.set_nonblocking(false).unwrap();
        (&server).write_all(b"x").unwrap();
        assert_eq!((&client).read(&mut [0]).unwrap(), 1);
    });
}
