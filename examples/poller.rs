//! Asks each of many servers again after the delay that the server names: one goroutine for each, in plain code.
//!
//! One of the goroutines calls `std::thread::sleep`, which keeps its thread. The others go on: the program says so.
//!
//! Migrating mode, Go's scheduler, so that the neighbours of the one that sleeps can leave its thread; no goroutine
//! here touches a thread local.

use gaggle::net::{SocketAddr, TcpListener, TcpStream};
use gaggle::sync::{Mutex, WaitGroup};
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
    for stream in listener.incoming() {
        match stream {
            // A client that has gone needs no answer.
            Ok(stream) => drop(writeln!(&stream, "again in {} ms", delay.as_millis())),
            // No descriptor is left, as a rule, until a question is answered.
            Err(_) => time::sleep(delay),
        }
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
    let (early, failure) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(None)));
    for number in 0..SERVERS {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let server = listener.local_addr()?;
        let delay = Duration::from_millis(10 + number % 7 * 10);
        go!(name = "server"; { serve(&listener, delay) });
        let (answers, early, failure) = (answers.clone(), early.clone(), failure.clone());
        pollers.go(move || {
            match poll(server, end, &answers) {
                Ok(asked) => {
                    // Nobody asks again before the delay is over.
                    let most = 1 + (RUN.as_millis() / delay.as_millis()) as usize;
                    early.fetch_add(usize::from(asked == 0 || asked > most), Ordering::Relaxed);
                }
                Err(error) => *failure.lock().expect("no poller panics") = Some(error),
            }
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
    if let Some(error) = failure.lock().expect("no poller panics").take() {
        return Err(error);
    }
    println!("{SERVERS} servers were asked, none too early: {}", early.load(Ordering::Relaxed) == 0);
    let seen = seen.load(Ordering::Relaxed);
    println!("while one goroutine slept on its thread, the others got answers: {} [{seen}]", seen > 0);
    Ok(())
}
