//! Datagrams.

use super::*;
use gaggle::net::{Ipv4Addr, UdpSocket};

fn socket() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[test]
fn datagrams_come_whole_and_one_by_one() {
    // Two datagrams for one wake-up: the second is never read.
    let _turn = turn("datagrams_come_whole_and_one_by_one");
    everywhere(|| {
        let (server, to) = socket();
        let (client, from) = socket();
        let (got, next) = chan(0);
        let receiver = spawn(move || {
            let mut datagram = [0; 100];
            for n in 1..=50 {
                assert_eq!(server.peek_from(&mut datagram).unwrap(), (n, from));
                assert_eq!(server.recv_from(&mut datagram).unwrap(), (n, from));
                assert_eq!(datagram[..n], vec![n as u8; n]);
                if n % 2 == 0 {
                    got.send(()).unwrap();
                }
            }
        });
        for n in (1..=50u8).step_by(2) {
            client.send_to(&vec![n; usize::from(n)], to).unwrap();
            client.send_to(&vec![n + 1; usize::from(n) + 1], to).unwrap();
            next.recv().unwrap();
        }
        receiver.join().unwrap();
    });
}

#[test]
fn connected_sockets_hear_each_other_only() {
    // A `connect` that is forgotten.
    let _turn = turn("connected_sockets_hear_each_other_only");
    everywhere(|| {
        let ((a, at_a), (b, at_b), (stranger, _)) = (socket(), socket(), socket());
        assert!(a.send(b"x").is_err(), "sent to nobody");
        a.connect(at_b).unwrap();
        b.connect(at_a).unwrap();
        assert_eq!(a.peer_addr().unwrap(), at_b);
        stranger.send_to(b"noise", at_a).unwrap();
        b.send(b"signal").unwrap();
        let mut datagram = [0; 16];
        assert_eq!(a.peek(&mut datagram).unwrap(), 6);
        assert_eq!(a.recv(&mut datagram).unwrap(), 6);
        assert_eq!(&datagram[..6], b"signal");
    });
}

#[test]
fn each_of_many_receivers_gets_its_datagram() {
    // One event for several datagrams (B14).
    let _turn = turn("each_of_many_receivers_gets_its_datagram");
    everywhere(|| {
        const RECEIVERS: usize = 8;
        let (server, to) = socket();
        let server = Arc::new(server);
        let wg = WaitGroup::new();
        for _ in 0..RECEIVERS {
            let server = server.clone();
            wg.go(move || assert_eq!(server.recv_from(&mut [0]).unwrap().0, 1));
        }
        let (client, _) = socket();
        for _ in 0..RECEIVERS {
            client.send_to(b"x", to).unwrap();
        }
        wg.wait();
    });
}

#[test]
fn a_datagram_nobody_takes_comes_back_as_an_error() {
    // A receiver that waits though the kernel knows that nobody is there.
    let _turn = turn("a_datagram_nobody_takes_comes_back_as_an_error");
    everywhere(|| {
        let (gone, nowhere) = socket();
        drop(gone);
        let (client, _) = socket();
        client.connect(nowhere).unwrap();
        let client = Arc::new(client);
        let receiver = {
            let client = client.clone();
            spawn(move || kind(client.recv(&mut [0])))
        };
        // The error is told once, to whoever asks first.
        let sent = kind(client.send(b"x"));
        assert!(matches!(sent, None | Some(ErrorKind::ConnectionRefused)));
        assert_eq!(receiver.join().unwrap(), Some(ErrorKind::ConnectionRefused));
    });
}

#[test]
fn receivers_time_out_and_are_closed() {
    // A receiver that nobody can interrupt.
    let _turn = turn("receivers_time_out_and_are_closed");
    everywhere(|| {
        let (server, _) = socket();
        server.set_read_timeout(Some(ms(2))).unwrap();
        assert_eq!(kind(server.recv_from(&mut [0])), Some(ErrorKind::TimedOut));
        server.set_read_timeout(None).unwrap();
        let clone = server.try_clone().unwrap();
        let receiver = spawn(move || kind(clone.recv_from(&mut [0])));
        server.close();
        assert_eq!(receiver.join().unwrap(), Some(ErrorKind::NotConnected));
        assert_eq!(kind(server.send_to(b"x", "127.0.0.1:9")), Some(ErrorKind::NotConnected));
    });
}

#[test]
fn settings_are_the_systems() {
    // A setting that is kept by us and not by the socket.
    let _turn = turn("settings_are_the_systems");
    let (client, _) = socket();
    client.set_broadcast(true).unwrap();
    client.set_ttl(9).unwrap();
    client.set_multicast_ttl_v4(7).unwrap();
    client.set_multicast_loop_v4(false).unwrap();
    let group = Ipv4Addr::new(224, 0, 0, 251);
    client.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap();
    client.leave_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap();
    assert!(client.leave_multicast_v4(&group, &Ipv4Addr::LOCALHOST).is_err());
    let std = std::net::UdpSocket::from(client);
    assert!(std.broadcast().unwrap() && !std.multicast_loop_v4().unwrap());
    assert_eq!((std.ttl().unwrap(), std.multicast_ttl_v4().unwrap()), (9, 7));
}
