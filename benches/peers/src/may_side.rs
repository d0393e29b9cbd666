//! may: stackful coroutines that move between threads, channels without a bound.

use crate::harness::{self, Figure, Options, Run};
use crate::harness::{cpu_ms, memory, ms_since, parked_figures, sleep_figures, sleep_ns};
use crate::{LEFT_OUT, talk};
use may::coroutine::{self, Builder};
use may::go;
use may::net::{TcpListener, TcpStream};
use may::sync::{Mutex, WaitGroup, mpmc, mpsc};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

const UNBOUNDED: &str = "channels have no bound";
const FIXED: &str = "stacks of a fixed size, here 4 MiB";
const NOT_ANSWERED: &str = "its select! starts a coroutine for each arm on each turn: left out";

pub fn workload(name: &str) -> Run {
    match name {
        "yield" => Run::Timed(yields),
        "ping-pong" => Run::But(UNBOUNDED, Box::new(Run::Timed(ping_pong))),
        "select default" => Run::Timed(select_default),
        "select over 2" | "fan-in of 8" => Run::Missing(NOT_ANSWERED),
        "ring of 503" => Run::But(UNBOUNDED, Box::new(Run::Timed(ring))),
        "skynet" => Run::But(UNBOUNDED, Box::new(Run::Timed(skynet))),
        "spawn and join" => Run::Timed(spawn_join),
        "spawn 100k" => Run::Timed(spawn_many),
        "parked" => Run::Figures(parked),
        "sleeps" => Run::Figures(sleeps),
        "mutex 8" => Run::Timed(mutex),
        "tcp echo 64" => Run::Timed(echoes),
        "tcp idle" => Run::Missing(LEFT_OUT),
        "recursion 10k" => Run::But(FIXED, Box::new(Run::First(recursion))),
        _ => Run::Missing(UNBOUNDED),
    }
}

/// Everything in one coroutine, as all sides do.
pub fn run(options: Options, side: fn(&str) -> Run) {
    may::config().set_workers(crate::procs());
    // SAFETY: no workload holds a value tied to a thread, and 1 MiB is more than they use of the stack.
    let all = unsafe { Builder::new().stack_size(128 << 10).spawn(move || harness::measure(&options, side)) };
    all.unwrap().join().unwrap();
}

fn yields(n: u64) {
    let turns = n.div_ceil(4);
    let all: Vec<_> = (0..4)
        .map(|_| {
            go!(move || {
                (0..turns).for_each(|_| coroutine::yield_now());
                turns
            })
        })
        .collect();
    let sum: u64 = all.into_iter().map(|c| c.join().unwrap()).sum();
    assert_eq!(sum, turns * 4);
}

fn ping_pong(n: u64) {
    let (ping, pinged) = mpsc::channel::<u64>();
    let (pong, ponged) = mpsc::channel::<u64>();
    let other = go!(move || {
        while let Ok(v) = pinged.recv() {
            pong.send(v + 1).unwrap();
        }
    });
    for i in 0..n / 2 {
        ping.send(i).unwrap();
        assert_eq!(ponged.recv(), Ok(i + 1));
    }
    drop(ping);
    other.join().unwrap();
}

fn select_default(n: u64) {
    let (_tx, rx) = mpsc::channel::<u64>();
    let empty = (0..n).filter(|_| rx.try_recv().is_err()).count();
    assert_eq!(empty as u64, n);
}

fn ring(n: u64) {
    const LENGTH: u64 = 503;
    let (first, mut rx) = mpsc::channel::<u64>();
    for _ in 1..LENGTH {
        let (tx, next) = mpsc::channel::<u64>();
        go!(move || {
            while let Ok(v) = rx.recv() {
                tx.send(v + 1).unwrap();
            }
        });
        rx = next;
    }
    let rounds = n.div_ceil(LENGTH);
    let mut token = 0;
    for _ in 0..rounds {
        first.send(token + 1).unwrap();
        token = rx.recv().unwrap();
    }
    assert_eq!(token, rounds * LENGTH);
}

fn node(parent: mpsc::Sender<u64>, number: u64, leaves: u64) {
    if leaves == 1 {
        parent.send(number).unwrap();
        return;
    }
    let (tx, rx) = mpsc::channel::<u64>();
    let each = leaves / 10;
    for i in 0..10 {
        let tx = tx.clone();
        go!(move || node(tx, number + i * each, each));
    }
    let sum = (0..10).map(|_| rx.recv().unwrap()).sum();
    parent.send(sum).unwrap();
}

fn skynet(leaves: u64) {
    let leaves = 10u64.pow(leaves.ilog10());
    let (tx, rx) = mpsc::channel::<u64>();
    go!(move || node(tx, 0, leaves));
    assert_eq!(rx.recv(), Ok(leaves * (leaves - 1) / 2));
}

fn spawn_join(n: u64) {
    for i in 0..n {
        assert_eq!(go!(move || i).join().unwrap(), i);
    }
}

fn spawn_many(n: u64) {
    let each = n.min(100_000);
    for _ in 0..n / each {
        let wg = WaitGroup::new();
        for _ in 0..each {
            let wg = wg.clone();
            go!(move || drop(wg));
        }
        wg.wait();
    }
}

fn mutex(n: u64) {
    let share = n.div_ceil(8);
    let counter = Arc::new(Mutex::new(0u64));
    let all: Vec<_> = (0..8)
        .map(|_| {
            let counter = counter.clone();
            go!(move || (0..share).for_each(|_| *counter.lock().unwrap() += 1))
        })
        .collect();
    all.into_iter().for_each(|c| c.join().unwrap());
    assert_eq!(*counter.lock().unwrap(), share * 8);
}

fn parked(n: u64) -> Vec<Figure> {
    let (started, finished) = (WaitGroup::new(), WaitGroup::new());
    let (gate, closed) = mpmc::channel::<()>();
    let before = memory();
    let start = Instant::now();
    for _ in 0..n {
        let (started, finished, closed) = (started.clone(), finished.clone(), closed.clone());
        go!(move || {
            drop(started);
            assert!(closed.recv().is_err());
            drop(finished);
        });
    }
    started.wait();
    let spawn = ms_since(start);
    let bytes = memory().saturating_sub(before);
    let start = Instant::now();
    drop(gate);
    finished.wait();
    parked_figures(n, bytes, spawn, ms_since(start))
}

fn sleeps(n: u64) -> Vec<Figure> {
    let cpu = cpu_ms();
    let all: Vec<_> = (0..n)
        .map(|i| {
            go!(move || {
                let (start, wanted) = (Instant::now(), Duration::from_nanos(sleep_ns(i)));
                coroutine::sleep(wanted);
                let slept = start.elapsed();
                assert!(slept >= wanted, "woken too early");
                (slept - wanted).as_nanos() as u64
            })
        })
        .collect();
    let late = all.into_iter().map(|c| c.join().unwrap()).collect();
    sleep_figures(late, cpu_ms() - cpu)
}

fn echoes(n: u64) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = go!(move || {
        for _ in 0..talk::CONNECTIONS {
            let (stream, _) = listener.accept().unwrap();
            go!(move || talk::answer(stream));
        }
    });
    let clients: Vec<_> = (0..talk::CONNECTIONS)
        .map(|client| go!(move || talk::ask(TcpStream::connect(address).unwrap(), talk::share(n, client))))
        .collect();
    clients.into_iter().for_each(|c| c.join().unwrap());
    server.join().unwrap();
}

fn descend(depth: u64, bottom: &dyn Fn()) -> u64 {
    let frame = black_box([depth; 8]);
    if depth == 0 {
        bottom();
        frame[0]
    } else {
        1 + descend(depth - 1, bottom) + (frame[7] - depth)
    }
}

fn recursion(n: u64) {
    let depth = n.min(10_000);
    let (arrived, arrivals) = mpsc::channel::<()>();
    let (gate, closed) = mpmc::channel::<()>();
    let mut all = Vec::new();
    for _ in 0..n / depth {
        let (arrived, closed) = (arrived.clone(), closed.clone());
        let dive = move || {
            descend(depth, &|| {
                arrived.send(()).unwrap();
                assert!(closed.recv().is_err());
            })
        };
        // The size is in words.
        all.push(go!(Builder::new().stack_size(512 << 10), dive).unwrap());
        arrivals.recv().unwrap();
    }
    drop(gate);
    all.into_iter().for_each(|c| assert_eq!(c.join().unwrap(), depth));
}
