//! Nothing freezes: what a goroutine that wants to run every ten milliseconds notices of neighbours that compute
//! without end, sleep in the system, or come in crowds.
//!
//! `cargo run --release --example hogs [SCENE]`: each scene is a process of its own, and prints its numbers. All of
//! them take five minutes on two processors, nearly all of it the crowd's.
//!
//! Migrating mode, Go's scheduler; no goroutine here touches a thread local.

use gaggle::sync::WaitGroup;
use gaggle::{go, runtime, time};
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_millis(10);

/// A scene: its name, with how many processors, and what happens.
const SCENES: [(&str, usize, fn()); 3] = [("endless", 1, endless), ("asleep", 2, asleep), ("crowd", 2, crowd)];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (wanted, None) = (arguments.next(), arguments.next()) else { return usage() };
    let Some(wanted) = wanted else { return each_by_itself() };
    let Some((_, procs, scene)) = SCENES.into_iter().find(|(name, ..)| *name == wanted) else { return usage() };
    // SAFETY: no goroutine here holds a borrow of a thread local, or a value tied to a thread, across a wait.
    unsafe { runtime::Builder::new().max_procs(procs).migrate() }.start().unwrap();
    gaggle::run(scene);
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: hogs [{}]", SCENES.map(|(name, ..)| name).join(" | "));
    ExitCode::from(2)
}

/// The number of processors is that of a process, and is set once.
fn each_by_itself() -> ExitCode {
    for (name, ..) in SCENES {
        let started = std::env::current_exe().and_then(|hogs| Command::new(hogs).arg(name).status());
        match started {
            Ok(status) if status.success() => {}
            Ok(status) => {
                eprintln!("hogs: {name}: {status}");
                return ExitCode::FAILURE;
            }
            Err(error) => {
                eprintln!("hogs: {name}: cannot be started: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Computes, and never asks whether others want to.
fn compute(until: impl Fn() -> bool) {
    while !until() {
        for n in 0..1000 {
            black_box(n);
        }
    }
}

/// How late a goroutine is that wants to run every ten milliseconds: median, 99th percentile, most.
fn lateness(ticks: u32) -> [Duration; 3] {
    let start = Instant::now();
    let mut late: Vec<_> = (1..=ticks)
        .map(|n| {
            let due = start + PERIOD * n;
            time::sleep(due.saturating_duration_since(Instant::now()));
            due.elapsed()
        })
        .collect();
    late.sort();
    [late[late.len() / 2], late[late.len() * 99 / 100], late[late.len() - 1]]
}

fn endless() {
    for _ in 0..4 {
        go!(compute(|| false));
    }
    // Until each of them has had its slice, and lost the processor.
    let [.., first] = lateness(20);
    let [median, p99, most] = lateness(500);
    println!("1 processor, 4 endless hogs: late by {median:.2?} (median), {p99:.2?} (p99), {most:.2?} (most)");
    println!("  while the hogs were new: {first:.2?}");
}

fn asleep() {
    let sleepers: Vec<_> = (0..8).map(|_| go!(std::thread::sleep(Duration::from_secs(1)))).collect();
    let tickers: Vec<_> = (0..1000).map(|_| go!(lateness(120))).collect();
    let mut medians: Vec<_> = tickers.into_iter().map(|g| g.join().unwrap()[0]).collect();
    medians.sort();
    sleepers.into_iter().for_each(|g| g.join().unwrap());
    let typical = medians[medians.len() / 2];
    let worst = medians[medians.len() - 1];
    println!("2 processors, 8 goroutines in a system call: 1,000 others late by {typical:.2?}, at worst {worst:.2?}");
}

fn crowd() {
    const CROWD: usize = 10_000;
    let wg = WaitGroup::new();
    let done = Arc::new(AtomicBool::new(false));
    let most = {
        let done = done.clone();
        std::thread::spawn(move || {
            let mut most = 0;
            while !done.load(Ordering::Relaxed) {
                most = most.max(threads());
                std::thread::sleep(PERIOD);
            }
            most
        })
    };
    let start = Instant::now();
    // Every hog needs the same time of a CPU, however many share it.
    let rounds = calibrate();
    for _ in 0..CROWD {
        wg.add(1);
        go!(clone wg; {
            work(rounds);
            wg.done();
        });
    }
    wg.wait();
    done.store(true, Ordering::Relaxed);
    let (most, took) = (most.join().unwrap(), start.elapsed());
    println!("2 processors, {CROWD} goroutines that compute for 50 ms: {most} threads at most, {took:.1?}");
}

fn work(rounds: u64) {
    for n in 0..rounds {
        black_box(n);
    }
}

/// Rounds of [`work`] that take 50 ms.
fn calibrate() -> u64 {
    const SOME: u64 = 10_000_000;
    let best = (0..5).map(|_| {
        let start = Instant::now();
        work(SOME);
        start.elapsed()
    });
    let best = best.min().unwrap();
    (SOME as f64 * 0.050 / best.as_secs_f64()) as u64
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}
