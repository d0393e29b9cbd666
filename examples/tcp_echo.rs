//! A TCP echo server, and clients that check what comes back: one goroutine for each connection on either side, in
//! plain blocking code.
//!
//! With an address as its argument it serves until it is interrupted; `nc` is client enough:
//!
//! ```text
//! cargo run --release --example tcp_echo -- 127.0.0.1:7000
//! nc 127.0.0.1 7000
//! ```
//!
//! Without one it has clients of its own, and ends.
//!
//! Pinned mode, the default: who waits for a socket waits for the poller, and keeps no thread.

use gaggle::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use gaggle::{go, spawn, time};
use std::env;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::process::ExitCode;
use std::time::Duration;

const CLIENTS: usize = 50;
const LINES: usize = 40;

/// Echoes each connection until its client has said all it has to say, then closes. Returns when the listener is closed.
fn serve(listener: &TcpListener) -> usize {
    let mut connections = 0;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                connections += 1;
                go!(name = "echo"; {
                    // A client that has gone is none of the server's business.
                    let _ = io::copy(&mut &stream, &mut &stream);
                });
            }
            Err(error) if error.kind() == ErrorKind::NotConnected => return connections,
            Err(error) => {
                // No descriptor is left, as a rule, until a connection ends.
                eprintln!("tcp_echo: accept: {error}");
                time::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// How many lines came back as they were sent. Reads in one goroutine what another one writes.
fn client(address: SocketAddr, number: usize) -> io::Result<usize> {
    let stream = TcpStream::connect(address)?;
    let writing = stream.try_clone()?;
    let writer = spawn(move || {
        for line in 0..LINES {
            writeln!(&writing, "client {number}, line {line}")?;
        }
        writing.shutdown(Shutdown::Write)
    });
    let lines = BufReader::new(&stream).lines().enumerate();
    let right = lines.filter(|(n, line)| line.as_ref().is_ok_and(|line| *line == format!("client {number}, line {n}")));
    let right = right.count();
    writer.join().expect("the writer does not panic")?;
    Ok(right)
}

/// Serves clients of its own, and checks what they hear.
fn demonstrate() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let accepting = listener.try_clone()?;
    let server = go!(name = "server"; { serve(&accepting) });
    println!("listening [{address}]");

    let clients: Vec<_> = (0..CLIENTS).map(|number| go!(client(address, number))).collect();
    let mut right = 0;
    for client in clients {
        right += client.join().expect("a client does not panic")?;
    }
    listener.close();
    let connections = server.join().expect("the server does not panic");
    println!("{connections} connections; {right} of {} lines came back", CLIENTS * LINES);
    Ok(())
}

#[gaggle::main]
fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (address, None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: tcp_echo [ADDRESS]");
        return ExitCode::from(2);
    };
    let done = match &address {
        None => demonstrate(),
        Some(address) => TcpListener::bind(address).and_then(|listener| {
            println!("listening on {}", listener.local_addr()?);
            serve(&listener);
            Ok(())
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tcp_echo: {}: {error}", address.as_deref().unwrap_or("a client"));
            ExitCode::FAILURE
        }
    }
}
