//! A port scanner for the loopback: one goroutine for each port, a limit on how many connect at once, and a timeout for
//! ports that do not answer.
//!
//! It opens some ports itself, and says whether it found them; how many others are open on this machine stands in brackets.
//!
//! Pinned mode, the default: a connection under way keeps no thread.

use gaggle::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use gaggle::sync::Semaphore;
use gaggle::{Receiver, chan, go};
use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

const AT_ONCE: usize = 200;
const TIMEOUT: Duration = Duration::from_secs(1);
/// How far around the ports that it knows of it looks.
const AROUND: u16 = 500;

fn is_open(port: u16) -> io::Result<bool> {
    match TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), TIMEOUT) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::TimedOut) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The open ones among `ports`, as they are found.
fn scan(ports: impl IntoIterator<Item = u16>) -> Receiver<(u16, io::Result<bool>)> {
    let (found, results) = chan(AT_ONCE);
    let limit = Arc::new(Semaphore::new(AT_ONCE));
    for port in ports {
        go!(clone found, limit; {
            limit.acquire(1);
            let open = is_open(port);
            limit.release(1);
            // Who scans reads to the end.
            let _ = found.send((port, open));
        });
    }
    results
}

#[gaggle::main]
fn main() -> io::Result<()> {
    let doors: Vec<_> = (0..5).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<io::Result<_>>()?;
    let known: BTreeSet<_> = doors.iter().map(|door| Ok(door.local_addr()?.port())).collect::<io::Result<_>>()?;

    let around = |port: &u16| port.saturating_sub(AROUND).max(1)..=port.saturating_add(AROUND);
    let ports: BTreeSet<u16> = known.iter().flat_map(around).collect();
    let scanned = ports.len();
    let (mut open, mut answers) = (BTreeSet::new(), 0);
    for (port, answer) in scan(ports) {
        answers += 1;
        if answer? {
            open.insert(port);
        }
    }
    println!("every port was asked: {} [{scanned} of them]", answers == scanned);
    let others = open.difference(&known).count();
    println!("the {} open doors were found: {} [and {others} others]", known.len(), open.is_superset(&known));
    Ok(())
}
