//! Asks each of many servers again after the delay that the server names: one goroutine for each, in plain code.
//!
//! One of the goroutines calls `std::thread::sleep`, which keeps its thread. The others go on: the program says so.
//!
//! Migrating mode, Go's scheduler, so that the neighbours of the one that sleeps can leave its thread; no goroutine
//! here touches a thread local.

use gaggle::net::{SocketAddr, TcpListener, TcpStream};
use gaggle::sync::WaitGroup;
use gaggle::{go, time};
use std::io::{self, BufRead, BufReader, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const SERVERS: u64 = 40;
const RUN: Duration = Duration::from_millis(600);
const RUDE: Duration = Duration::from_millis(300);

/// A server that has each client come back after `delay`.
fn serve(listener: &TcpListener, delay: Duration) {
    for stream in listener.incoming().map_while(Result::ok) {
        // A client that has gone needs no answer.
        let _ = writeln!(&stream, "again in {} ms", delay.as_millis());
    }
}

/// One question, and the delay that the answer names.
fn ask(server: SocketAddr) -> io::Result<Duration> {
    let mut answer = String::new();
    BufReader::new(TcpStream::connect(server)?).read_line(&mut answer)?;
    let number = answer.split(' ').nth(2).and_then(|word| word.parse().ok());
    number.map(Duration::from_millis).ok_or_else(|| io::Error::other(format!("what does {answer:?} mean?")))
}

/// Asks until `end`; returns how often.
fn poll(server: SocketAddr, end: Instant, answers: &AtomicUsize) -> io::Result<usize> {
    let mut asked = 0;
    while Instant::now() < end {
        let delay = ask(server)?;
        asked += 1;
        answers.fetch_add(1, Ordering::Relaxed);
        time::sleep(delay);
    }
    Ok(asked)
}

#[gaggle::main(unsafe(migrate))]
fn main() -> io::Result<()> {
    let (answers, pollers) = (Arc::new(AtomicUsize::new(0)), WaitGroup::new());
    let end = Instant::now() + RUN;
    let early = Arc::new(AtomicUsize::new(0));
    for number in 0..SERVERS {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let server = listener.local_addr()?;
        let delay = Duration::from_millis(10 + number % 7 * 10);
        go!(name = "server"; { serve(&listener, delay) });
        let (answers, early) = (answers.clone(), early.clone());
        pollers.go(move || {
            let asked = poll(server, end, &answers).expect("the server answers");
            // Nobody asks again before the delay is over.
            let most = 1 + (RUN.as_millis() / delay.as_millis()) as usize;
            early.fetch_add(usize::from(asked == 0 || asked > most), Ordering::Relaxed);
        });
    }
    let (rude, seen) = (WaitGroup::new(), Arc::new(AtomicUsize::new(0)));
    {
        let (answers, seen) = (answers.clone(), seen.clone());
        rude.go(move || {
            let before = answers.load(Ordering::Relaxed);
            std::thread::sleep(RUDE);
            seen.store(answers.load(Ordering::Relaxed) - before, Ordering::Relaxed);
        });
    }
    pollers.wait();
    rude.wait();
    println!("{SERVERS} servers were asked, none too early: {}", early.load(Ordering::Relaxed) == 0);
    let seen = seen.load(Ordering::Relaxed);
    println!("while one goroutine slept on its thread, the others got answers: {} [{seen}]", seen > 0);
    Ok(())
}
