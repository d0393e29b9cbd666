//! Connections that end, or never begin.

use super::*;
use gaggle::net::{UdpSocket, UnixDatagram, UnixListener};

#[test]
fn a_reset_is_an_error_for_reader_and_writer() {
    // A reader that waits for a peer that is gone.
    let _turn = turn("a_reset_is_an_error_for_reader_and_writer");
    everywhere(|| {
        let (client, server) = pair();
        let server = Arc::new(server);
        let reader = {
            let server = server.clone();
            spawn(move || (&*server).read(&mut [0]))
        };
        let writer = spawn(move || {
            let mut server = &*server;
            loop {
                if let Err(error) = server.write(&[0; 4096]) {
                    return error.kind();
                }
            }
        });
        reset(client);
        // One of the two hears of the reset; the other one may find the socket closed.
        let read = reader.join().unwrap();
        assert!(matches!(kind(read), None | Some(ErrorKind::ConnectionReset)));
        assert!(matches!(writer.join().unwrap(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe));
    });
}

#[test]
fn a_reset_before_the_accept_is_the_connections_own() {
    // An accept that fails, and a server that ends, because one client went away.
    let _turn = turn("a_reset_before_the_accept_is_the_connections_own");
    everywhere(|| {
        let (listener, address) = listener();
        reset(TcpStream::connect(address).unwrap());
        let next = TcpStream::connect(address).unwrap();
        let (mut first, _) = listener.accept().unwrap();
        assert_eq!(kind(first.read(&mut [0])), Some(ErrorKind::ConnectionReset));
        let (second, peer) = listener.accept().unwrap();
        assert_eq!(peer, next.local_addr().unwrap());
        drop(next);
        assert_eq!(drain(&second).unwrap(), []);
    });
}

#[test]
fn a_half_close_ends_reads_and_not_writes() {
    // An end of file that shuts both directions.
    let _turn = turn("a_half_close_ends_reads_and_not_writes");
    everywhere(|| {
        let (mut client, server) = pair();
        let answers = spawn(move || {
            let question = drain(&server).unwrap();
            (&server).write_all(&[question, b"!".to_vec()].concat()).unwrap();
        });
        client.write_all(b"there").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(drain(&client).unwrap(), b"there!");
        assert_eq!(kind(client.write(b"more")), Some(ErrorKind::BrokenPipe));
        answers.join().unwrap();
    });
}

#[test]
fn a_shutdown_wakes_who_reads() {
    // A goroutine that is blocked in a read of a connection that its own side has given up.
    let _turn = turn("a_shutdown_wakes_who_reads");
    everywhere(|| {
        let (client, _server) = pair();
        let client = Arc::new(client);
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let client = client.clone();
                spawn(move || (&*client).read(&mut [0]).unwrap())
            })
            .collect();
        client.shutdown(Shutdown::Both).unwrap();
        assert!(readers.into_iter().all(|reader| reader.join().unwrap() == 0));
    });
}

#[test]
fn a_close_wakes_who_accepts() {
    // Goroutines that are blocked in an accept of a listener that is closed; a listener that goes on.
    let _turn = turn("a_close_wakes_who_accepts");
    everywhere(|| {
        let (listener, address) = listener();
        let acceptors: Vec<_> = (0..4)
            .map(|_| {
                let listener = listener.try_clone().unwrap();
                spawn(move || kind(listener.accept()))
            })
            .collect();
        listener.close();
        for acceptor in acceptors {
            assert_eq!(acceptor.join().unwrap(), Some(ErrorKind::NotConnected));
        }
        assert_eq!(kind(listener.accept()), Some(ErrorKind::NotConnected));
        assert_eq!(kind(TcpStream::connect(address)), Some(ErrorKind::ConnectionRefused));
        drop(listener);
        TcpListener::bind(address).unwrap();
    });
}

#[test]
fn a_close_wakes_who_reads_and_writes_and_tells_the_peer() {
    // A writer into a full connection that is never told.
    let _turn = turn("a_close_wakes_who_reads_and_writes_and_tells_the_peer");
    everywhere(|| {
        let (client, server) = pair();
        let client = Arc::new(client);
        let reader = {
            let client = client.clone();
            spawn(move || (&*client).read(&mut [0]))
        };
        let (full, filled) = chan(1);
        let writer = {
            let client = client.clone();
            spawn(move || {
                loop {
                    if let Err(error) = (&*client).write(&[7; 1 << 16]) {
                        return error.kind();
                    }
                    _ = full.try_send(());
                }
            })
        };
        filled.recv().unwrap();
        client.close();
        // The kernel's end of file, or ours.
        assert!(matches!(kind(reader.join().unwrap()), None | Some(ErrorKind::NotConnected)));
        assert!(matches!(writer.join().unwrap(), ErrorKind::NotConnected | ErrorKind::BrokenPipe));
        assert_eq!(kind((&*client).read(&mut [0])), Some(ErrorKind::NotConnected));
        assert!(drain(&server).is_ok(), "the peer waits for more");
    });
}

#[test]
fn the_last_handle_closes() {
    // A clone that closes with the first, or keeps the connection open when all are gone.
    let _turn = turn("the_last_handle_closes");
    everywhere(|| {
        let (client, server) = pair();
        let clone = client.try_clone().unwrap();
        let reader = spawn(move || drain(&server).unwrap());
        drop(client);
        (&clone).write_all(b"still here").unwrap();
        drop(clone);
        assert_eq!(reader.join().unwrap(), b"still here");
    });
}

#[test]
fn a_refused_connection_is_an_error() {
    // A connect that waits for an event that came with its error.
    let _turn = turn("a_refused_connection_is_an_error");
    everywhere(|| {
        let (gone, address) = listener();
        drop(gone);
        for _ in 0..10 {
            assert_eq!(kind(TcpStream::connect(address)), Some(ErrorKind::ConnectionRefused));
        }
    });
}

#[test]
fn an_address_in_use_is_an_error() {
    // A second socket that takes what is the first one's.
    let _turn = turn("an_address_in_use_is_an_error");
    let (_listener, address) = listener();
    assert_eq!(kind(TcpListener::bind(address)), Some(ErrorKind::AddrInUse));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    assert_eq!(kind(UdpSocket::bind(socket.local_addr().unwrap())), Some(ErrorKind::AddrInUse));
    let path = std::env::temp_dir().join(format!("gaggle-in-use-{}", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    assert_eq!(kind(UnixListener::bind(&path)), Some(ErrorKind::AddrInUse));
    assert_eq!(kind(UnixDatagram::bind(&path)), Some(ErrorKind::AddrInUse));
    drop(listener);
    assert_eq!(kind(UnixListener::bind(&path)), Some(ErrorKind::AddrInUse), "the file stays");
    std::fs::remove_file(path).unwrap();
}
