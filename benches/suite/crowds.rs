//! Very many goroutines at once, which wait.

use crate::harness::{Figure, cpu_ms, memory, ms_since, parked_figures, sleep_figures, sleep_ns};
use gaggle::sync::WaitGroup;
use gaggle::{chan, go, time};
use std::time::{Duration, Instant};

/// That is what this class is for.
pub const SMALL: &str = "stacks of the smallest class, `go!(stack = 64 << 10; …)`";

/// They wait on one channel, which is then closed.
pub fn parked(n: u64) -> Vec<Figure> {
    let (started, finished) = (WaitGroup::new(), WaitGroup::new());
    let (gate, closed) = chan::<()>(0);
    let before = memory();
    let start = Instant::now();
    started.add(n as usize);
    finished.add(n as usize);
    for _ in 0..n {
        go!(stack = 64 << 10, clone started, finished, closed; {
            started.done();
            assert_eq!(closed.recv(), None);
            finished.done();
        });
    }
    started.wait();
    let spawn = ms_since(start);
    let bytes = memory().saturating_sub(before);
    let start = Instant::now();
    gate.close();
    finished.wait();
    parked_figures(n, bytes, spawn, ms_since(start))
}

/// Each sleeps once, for a random time of up to a second, and says how late it woke.
pub fn sleeps(n: u64) -> Vec<Figure> {
    let cpu = cpu_ms();
    let all: Vec<_> = (0..n)
        .map(|i| {
            go!({
                let (start, wanted) = (Instant::now(), Duration::from_nanos(sleep_ns(i)));
                time::sleep(wanted);
                let slept = start.elapsed();
                assert!(slept >= wanted, "woken too early");
                (slept - wanted).as_nanos() as u64
            })
        })
        .collect();
    let late = all.into_iter().map(|g| g.join().unwrap()).collect();
    sleep_figures(late, cpu_ms() - cpu)
}
