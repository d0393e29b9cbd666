//! Connections on the loopback, client and server in one process.

use gaggle::go;
use gaggle::net::{TcpListener, TcpStream};
use gaggle::sync::WaitGroup;
use std::io::{Read, Write};

/// How many bytes a message has.
const MESSAGE: usize = 64;

fn echo(mut stream: TcpStream) {
    let mut message = [0; MESSAGE];
    while stream.read_exact(&mut message).is_ok() {
        stream.write_all(&message).unwrap();
    }
}

/// `n` messages go to and fro, as many on each of the connections.
pub fn echoes(n: u64, connections: u64) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = go!({
        for stream in listener.incoming().take(connections as usize) {
            let stream = stream.unwrap();
            go!(echo(stream));
        }
    });
    let clients = WaitGroup::new();
    for client in 0..connections {
        let messages = n / connections + u64::from(client < n % connections);
        clients.go(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            for i in 0..messages {
                let sent = [i as u8; MESSAGE];
                stream.write_all(&sent).unwrap();
                let mut back = [0; MESSAGE];
                stream.read_exact(&mut back).unwrap();
                assert_eq!(back, sent);
            }
        });
    }
    clients.wait();
    server.join().unwrap();
}
