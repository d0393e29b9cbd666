//! Rate limiting with a ticker: each request waits for a tick, and a bucket of saved ticks allows short bursts.
//!
//! The idea is the rate-limiting page of "Go by Example" (gobyexample.com).
//!
//! Pinned mode, the default: everything here waits for a channel.

use gaggle::time::Ticker;
use gaggle::{Receiver, chan, go};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(10);

/// A channel that yields `burst` permits at once, and from then on one per tick. It ends when nobody listens.
fn bursty(burst: usize) -> Receiver<()> {
    let (permit, permits) = chan(burst);
    for _ in 0..burst {
        permit.send(()).expect("there is room for them");
    }
    go!(name = "refill"; {
        let ticker = Ticker::new(TICK);
        // A full bucket makes the refill wait here, so that `burst` permits are saved and no more.
        while ticker.receiver().recv().is_some() && permit.send(()).is_ok() {}
    });
    permits
}

fn five_requests() -> Receiver<u32> {
    let (tx, rx) = chan(5);
    for n in 1..=5 {
        tx.send(n).expect("there is room for them");
    }
    rx
}

#[gaggle::main]
fn main() {
    let start = Instant::now();
    let ticker = Ticker::new(TICK);
    for request in five_requests() {
        ticker.receiver().recv();
        println!("request {request} [{:.0?}]", start.elapsed());
    }
    // The lower bound is what a limiter promises; the upper one is the machine's.
    println!("five requests took five ticks or more: {}", start.elapsed() >= 5 * TICK);

    let start = Instant::now();
    let permits = bursty(3);
    for request in five_requests() {
        permits.recv();
        println!("bursty request {request} [{:.0?}]", start.elapsed());
    }
    println!("a burst of three, and the other two took two ticks or more: {}", start.elapsed() >= 2 * TICK);
}
