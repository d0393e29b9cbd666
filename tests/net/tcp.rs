//! Connections that behave.

use super::*;

#[test]
fn what_is_written_is_read() {
    // Bytes lost or turned round between a park and a wake-up.
    let _turn = turn("what_is_written_is_read");
    everywhere(|| {
        let (mut client, server) = pair();
        let echo = spawn(move || io::copy(&mut &server, &mut &server));
        for n in 0..100u8 {
            let line = vec![n; 1 + usize::from(n) * 50];
            client.write_all(&line).unwrap();
            let mut back = vec![0; line.len()];
            client.read_exact(&mut back).unwrap();
            assert_eq!(back, line);
        }
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(drain(&client).unwrap(), []);
        assert!(echo.join().unwrap().is_ok());
    });
}

#[test]
fn more_than_the_kernel_keeps_waits_for_the_reader() {
    // A writer that is never told of room, or told too early.
    let _turn = turn("more_than_the_kernel_keeps_waits_for_the_reader");
    everywhere(|| {
        const BYTES: usize = 8 << 20;
        let (mut client, server) = pair();
        let sum = |bytes: &[u8]| bytes.iter().map(|b| u64::from(*b)).sum::<u64>();
        let reader = spawn(move || drain(&server).map(|all| (all.len(), sum(&all))));
        let bytes: Vec<_> = (0..BYTES).map(|n| (n / 7) as u8).collect();
        client.write_all(&bytes).unwrap();
        drop(client);
        assert_eq!(reader.join().unwrap().unwrap(), (BYTES, sum(&bytes)));
    });
}

#[test]
fn many_connections_at_once() {
    // One connection's event taken for another's.
    let _turn = turn("many_connections_at_once");
    everywhere(|| {
        const CLIENTS: usize = 64;
        let (listener, address) = listener();
        let server = spawn(move || {
            for stream in listener.incoming().take(CLIENTS) {
                let stream = stream.unwrap();
                spawn(move || io::copy(&mut &stream, &mut &stream));
            }
        });
        let wg = WaitGroup::new();
        for n in 0..CLIENTS {
            wg.go(move || {
                let mut client = TcpStream::connect(address).unwrap();
                for round in 0..10 {
                    let line = format!("{n} {round}");
                    client.write_all(line.as_bytes()).unwrap();
                    let mut back = vec![0; line.len()];
                    client.read_exact(&mut back).unwrap();
                    assert_eq!(back, line.as_bytes());
                }
            });
        }
        wg.wait();
        server.join().unwrap();
    });
}

#[test]
fn each_of_many_acceptors_gets_its_connection() {
    // One event for several connections: all but the first acceptor sleep on (B14).
    let _turn = turn("each_of_many_acceptors_gets_its_connection");
    everywhere(|| {
        const ACCEPTORS: usize = 16;
        let (listener, address) = listener();
        let listener = Arc::new(listener);
        let wg = WaitGroup::new();
        for _ in 0..ACCEPTORS {
            let listener = listener.clone();
            wg.go(move || drop(listener.accept().unwrap()));
        }
        let clients: Vec<_> = (0..ACCEPTORS).map(|_| TcpStream::connect(address).unwrap()).collect();
        wg.wait();
        drop(clients);
    });
}

#[test]
fn several_readers_of_one_connection_share_what_comes() {
    // A reader that was woken for bytes that another one took never sleeps again, or never wakes again.
    let _turn = turn("several_readers_of_one_connection_share_what_comes");
    everywhere(|| {
        const BYTES: usize = 400;
        let (mut client, server) = pair();
        let server = Arc::new(server);
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let server = server.clone();
                spawn(move || {
                    let mut read = 0;
                    while (&*server).read(&mut [0]).unwrap() == 1 {
                        read += 1;
                    }
                    read
                })
            })
            .collect();
        for _ in 0..BYTES / 4 {
            client.write_all(b"byte").unwrap();
        }
        client.shutdown(Shutdown::Write).unwrap();
        let read: usize = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
        assert_eq!(read, BYTES);
    });
}

#[test]
fn a_byte_at_a_time_is_a_line_in_the_end() {
    // A slow peer: each byte is an event, none is the last one.
    let _turn = turn("a_byte_at_a_time_is_a_line_in_the_end");
    everywhere(|| {
        let (client, server) = pair();
        let (next, go_on) = chan::<()>(0);
        let writer = spawn(move || {
            for byte in b"slow but sure\n" {
                (&client).write_all(&[*byte]).unwrap();
                go_on.recv().unwrap();
            }
        });
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            let mut some = [0; 64];
            let n = (&server).read(&mut some).unwrap();
            assert_eq!(n, 1, "a byte that was not sent yet");
            line.extend_from_slice(&some[..n]);
            next.send(()).unwrap();
        }
        assert_eq!(line, b"slow but sure\n");
        writer.join().unwrap();
    });
}

#[test]
fn peeked_bytes_stay() {
    // A peek that takes, or that does not wait.
    let _turn = turn("peeked_bytes_stay");
    everywhere(|| {
        let (client, server) = pair();
        let peeker = spawn(move || {
            let mut two = [[0; 2]; 2];
            assert!(server.peek(&mut two[0]).unwrap() > 0);
            (&server).read_exact(&mut two[1]).unwrap();
            two[1]
        });
        (&client).write_all(b"ab").unwrap();
        assert_eq!(peeker.join().unwrap(), *b"ab");
    });
}

#[test]
fn vectored_reads_and_writes() {
    // Slices in the wrong order, or all but the first forgotten.
    let _turn = turn("vectored_reads_and_writes");
    everywhere(|| {
        let (mut client, mut server) = pair();
        let written = client.write_vectored(&[io::IoSlice::new(b"abc"), io::IoSlice::new(b"de")]).unwrap();
        assert_eq!(written, 5);
        client.shutdown(Shutdown::Write).unwrap();
        let (mut a, mut b) = ([0; 2], [0; 8]);
        let read = server.read_vectored(&mut [io::IoSliceMut::new(&mut a), io::IoSliceMut::new(&mut b)]).unwrap();
        assert_eq!((read, &a, &b[..3]), (5, b"ab", &b"cde"[..]));
    });
}

#[test]
fn addresses_and_settings_are_the_systems() {
    // A setting that is kept by us and not by the socket.
    let _turn = turn("addresses_and_settings_are_the_systems");
    let (client, server) = pair();
    assert_eq!(client.local_addr().unwrap(), server.peer_addr().unwrap());
    assert_eq!(client.peer_addr().unwrap(), server.local_addr().unwrap());
    client.set_nodelay(true).unwrap();
    assert!(client.nodelay().unwrap());
    client.set_ttl(33).unwrap();
    let std = std::net::TcpStream::from(client);
    assert!(std.nodelay().unwrap());
    assert_eq!(std.ttl().unwrap(), 33);
}

#[test]
fn a_name_is_looked_up() {
    // A look-up that keeps the thread, or forgets the port.
    let _turn = turn("a_name_is_looked_up");
    everywhere(|| {
        let (listener, address) = listener();
        let port = address.port();
        let client = TcpStream::connect(("localhost", port)).unwrap();
        assert_eq!(client.peer_addr().unwrap(), address);
        drop(listener.accept().unwrap());
        drop(TcpStream::connect(format!("localhost:{port}")).unwrap());
        assert_eq!(kind(TcpStream::connect("127.0.0.1")), Some(ErrorKind::InvalidInput));
        let nobody: &[SocketAddr] = &[];
        assert_eq!(kind(TcpStream::connect(nobody)), Some(ErrorKind::InvalidInput));
        // The first address that answers.
        let (gone, refused) = self::listener();
        drop(gone);
        assert_eq!(TcpStream::connect(&[refused, address][..]).unwrap().peer_addr().unwrap(), address);
    });
}
