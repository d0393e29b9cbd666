//! Whole workloads, the same as in `go/main.go`; `benches/compare` runs the two side by side.
//!
//! `cargo bench --bench suite -- [pinned|migrate] [WORKLOAD …]` prints one line per workload: its name, nanoseconds per
//! operation. `GAGGLE_PROCS` sets the number of processors. Sums and counts are asserted.

use gaggle::sync::{Mutex, WaitGroup};
use gaggle::{chan, go, runtime, select};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

type Workload = (&'static str, u64, fn(u64));

/// Name, operations, what to do.
const WORKLOADS: &[Workload] = &[
    ("yield", 4_000_000, yields),
    ("ping-pong", 1_000_000, ping_pong),
    ("spsc unbuffered", 1_000_000, |n| spsc(n, 0)),
    ("spsc 128", 5_000_000, |n| spsc(n, 128)),
    ("mpmc 4x4 128", 2_000_000, mpmc),
    ("mpsc 1000x1 1024", 2_000_000, mpsc),
    ("select over 2", 1_000_000, select_two),
    ("select default", 20_000_000, select_default),
    ("fan-in of 8", 500_000, fan_in),
    ("ring of 503", 1_000_000, ring),
    ("prime sieve 1500", 1500, |n| prime_sieve(n as usize)),
    ("spawn and join", 300_000, spawn_join),
    ("spawn 100k", 500_000, spawn_many),
    ("mutex 8", 8_000_000, mutex),
    ("recursion 10k", 1_000_000, recursion),
];

fn yields(n: u64) {
    let all: Vec<_> = (0..4)
        .map(|_| {
            go!({
                for _ in 0..n / 4 {
                    runtime::yield_now();
                }
            })
        })
        .collect();
    all.into_iter().for_each(|g| g.join().unwrap());
}

fn ping_pong(n: u64) {
    let (ping, pinged) = chan::<u64>(0);
    let (pong, ponged) = chan::<u64>(0);
    let other = go!({
        for v in pinged {
            pong.send(v + 1).unwrap();
        }
    });
    for i in 0..n / 2 {
        ping.send(i).unwrap();
        assert_eq!(ponged.recv(), Some(i + 1));
    }
    drop(ping);
    other.join().unwrap();
}

fn spsc(n: u64, capacity: usize) {
    let (tx, rx) = chan::<u64>(capacity);
    let sum = go!({
        let mut sum = 0;
        for v in rx {
            sum += v;
        }
        sum
    });
    for i in 0..n {
        tx.send(i).unwrap();
    }
    drop(tx);
    assert_eq!(sum.join().unwrap(), n * (n - 1) / 2);
}

fn many(n: u64, senders: u64, receivers: u64, capacity: usize) {
    let (tx, rx) = chan::<u64>(capacity);
    for _ in 0..senders {
        let share = n / senders;
        go!(clone tx; {
            for i in 0..share {
                tx.send(i).unwrap();
            }
        });
    }
    drop(tx);
    let sums: Vec<_> = (0..receivers).map(|_| go!(clone rx; { rx.iter().sum::<u64>() })).collect();
    let sum: u64 = sums.into_iter().map(|s| s.join().unwrap()).sum();
    let share = n / senders;
    assert_eq!(sum, senders * (share * (share - 1) / 2));
}

fn mpmc(n: u64) {
    many(n, 4, 4, 128);
}

fn mpsc(n: u64) {
    many(n, 1000, 1, 1024);
}

fn select_two(n: u64) {
    let (a_tx, a) = chan::<u64>(0);
    let (b_tx, b) = chan::<u64>(0);
    go!({
        for i in 0..n / 2 {
            a_tx.send(i).unwrap();
            b_tx.send(i).unwrap();
        }
    });
    let mut sum = 0;
    for _ in 0..n {
        select! {
            v = <-a => sum += v.unwrap(),
            v = <-b => sum += v.unwrap(),
        }
    }
    assert_eq!(sum, n / 2 * (n / 2 - 1));
}

fn select_default(n: u64) {
    let (_tx, rx) = chan::<u64>(0);
    let mut empty = 0;
    for _ in 0..n {
        select! {
            v = <-rx => {
                black_box(v);
            },
            default => empty += 1,
        }
    }
    assert_eq!(empty, n);
}

fn fan_in(n: u64) {
    let channels: Vec<_> = (0..8).map(|_| chan::<u64>(0)).collect();
    // Senders that end must not close their channels: a closed one is always ready.
    let open: Vec<_> = channels.iter().map(|(tx, _)| tx.clone()).collect();
    let mut receivers = Vec::new();
    for (tx, rx) in channels {
        receivers.push(rx);
        go!({
            for i in 0..n / 8 {
                tx.send(i).unwrap();
            }
        });
    }
    let [a, b, c, d, e, f, g, h] = <[_; 8]>::try_from(receivers).unwrap();
    let mut sum = 0;
    for _ in 0..n / 8 * 8 {
        sum += select! {
            v = <-a => v.unwrap(),
            v = <-b => v.unwrap(),
            v = <-c => v.unwrap(),
            v = <-d => v.unwrap(),
            v = <-e => v.unwrap(),
            v = <-f => v.unwrap(),
            v = <-g => v.unwrap(),
            v = <-h => v.unwrap(),
        };
    }
    let share = n / 8;
    assert_eq!(sum, 8 * (share * (share - 1) / 2));
    drop(open);
}

fn ring(n: u64) {
    const LENGTH: usize = 503;
    let (first, mut rx) = chan::<u64>(0);
    for _ in 1..LENGTH {
        let (tx, next) = chan::<u64>(0);
        go!({
            for v in rx {
                tx.send(v + 1).unwrap();
            }
        });
        rx = next;
    }
    let mut token = 0;
    while token < n {
        // The ring is one goroutine short of closed: this one.
        let sender = go!(clone first; { first.send(token).unwrap() });
        token = rx.recv().unwrap() + 1;
        sender.join().unwrap();
    }
}

fn prime_sieve(primes: usize) {
    let (tx, mut rx) = chan::<u64>(0);
    go!({
        for n in 2.. {
            if tx.send(n).is_err() {
                return;
            }
        }
    });
    let mut last = 0;
    for _ in 0..primes {
        let prime = rx.recv().unwrap();
        last = prime;
        let (tx, filtered) = chan::<u64>(0);
        go!({
            for n in rx {
                if n % prime != 0 && tx.send(n).is_err() {
                    return;
                }
            }
        });
        rx = filtered;
    }
    assert!(last == 12553 || primes != 1500);
}

fn spawn_join(n: u64) {
    for i in 0..n {
        assert_eq!(go!({ i }).join().unwrap(), i);
    }
}

fn spawn_many(n: u64) {
    for _ in 0..n / 100_000 {
        let wg = WaitGroup::new();
        wg.add(100_000);
        for _ in 0..100_000 {
            go!(clone wg; { wg.done() });
        }
        wg.wait();
    }
}

fn mutex(n: u64) {
    let counter = Arc::new(Mutex::new(0u64));
    let all: Vec<_> = (0..8)
        .map(|_| {
            go!(clone counter; {
                for _ in 0..n / 8 {
                    *counter.lock().unwrap() += 1;
                }
            })
        })
        .collect();
    all.into_iter().for_each(|g| g.join().unwrap());
    assert_eq!(*counter.lock().unwrap(), n);
}

#[gaggle::growable]
fn descend(depth: u64) -> u64 {
    let frame = black_box([depth; 8]);
    if depth == 0 { frame[0] } else { 1 + descend(depth - 1) + (frame[7] - depth) }
}

/// Each in a new goroutine: nothing of its stack, and none of its segments, was there before.
fn recursion(n: u64) {
    for _ in 0..n / 10_000 {
        assert_eq!(go!({ descend(10_000) }).join().unwrap(), 10_000);
    }
}

fn measure(wanted: Vec<String>) {
    for (name, operations, run) in WORKLOADS {
        if !wanted.is_empty() && !wanted.iter().any(|w| name.contains(w.as_str())) {
            continue;
        }
        run(operations / 10);
        let start = Instant::now();
        run(*operations);
        println!("{name}\t{:.2}", start.elapsed().as_nanos() as f64 / *operations as f64);
    }
}

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).filter(|w| w != "--bench").collect();
    let pinned = words.iter().any(|w| w == "pinned");
    words.retain(|w| w != "pinned" && w != "migrate");
    if !pinned {
        // SAFETY: no workload holds a borrow of a thread local, or a value tied to a thread, across a park.
        unsafe { runtime::Builder::new().migrate() }.start().expect("nothing runs yet");
    }
    gaggle::run(move || measure(words));
}
