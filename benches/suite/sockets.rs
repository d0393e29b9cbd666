//! Connections on the loopback, client and server in one process.

use crate::harness::{Figure, idle_figures, memory};
use gaggle::net::{TcpListener, TcpStream};
use gaggle::sync::WaitGroup;
use gaggle::{chan, go};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

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

/// What a process does that only makes connections, so that both ends need not fit into one table of descriptors:
/// `hold ADDRESS N`. It ends when its standard input does.
pub fn hold(address: &str, n: usize) {
    let held: Vec<_> = (0..n).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
    let _ = std::io::stdin().read(&mut [0]);
    drop(held);
}

/// `n` connections whose goroutines wait for a byte that never comes; what they take, and whether others notice.
pub fn idle(n: u64) -> Vec<Figure> {
    const CONNECTIONS: u64 = 64;
    let timed = || {
        let start = Instant::now();
        echoes(100_000, CONNECTIONS);
        start.elapsed().as_nanos() as f64 / 1e5
    };
    timed();
    let alone = timed();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut command = Command::new(std::env::current_exe().unwrap());
    let before = memory();
    let mut holder = command.args(["hold", &address, &n.to_string()]).stdin(Stdio::piped()).spawn().unwrap();
    let (wait, gone) = chan(0);
    for stream in listener.incoming().take(n as usize) {
        let mut stream = stream.unwrap();
        go!(clone wait; {
            assert_eq!(stream.read(&mut [0]).unwrap(), 0);
            let _ = wait.send(());
        });
    }
    drop(wait);
    let beside = timed();
    let bytes = memory().saturating_sub(before);
    drop(holder.stdin.take());
    assert_eq!(gone.iter().count() as u64, n);
    holder.wait().unwrap();
    idle_figures(n, bytes, alone, beside)
}
