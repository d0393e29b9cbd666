//! go-lib: Go's scheduler and channels, and stacks that are copied when they grow.

use crate::harness::{self, Figure, Options, Run};
use crate::harness::{cpu_ms, expected_prime, memory, ms_since, parked_figures, sleep_figures, sleep_ns};
use crate::{LEFT_OUT, talk};
use go_lib::chan::{Sender, chan};
use go_lib::net::{TcpListener, TcpStream};
use go_lib::sync::WaitGroup;
use go_lib::{go, select};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

const FOUR_ARMS: &str = "select! takes four receives at most";
const NO_MUTEX: &str = "no mutex";

pub fn workload(name: &str) -> Run {
    match name {
        "yield" => Run::Timed(yields),
        "ping-pong" => Run::Timed(ping_pong),
        "spsc unbuffered" => Run::Timed(|n| spsc(n, 0)),
        "spsc 128" => Run::Timed(|n| spsc(n, 128)),
        "mpmc 4x4 128" => Run::Timed(|n| many(n, 4, 4, 128)),
        "mpsc 1000x1 1024" => Run::Timed(|n| many(n, 1000, 1, 1024)),
        "select over 2" => Run::Timed(select_two),
        "select default" => Run::Timed(select_default),
        "fan-in of 8" => Run::Missing(FOUR_ARMS),
        "ring of 503" => Run::Timed(ring),
        "prime sieve 1500" => Run::Timed(prime_sieve),
        "skynet" => Run::Timed(skynet),
        "spawn and join" => Run::Timed(spawn_join),
        "spawn 100k" => Run::Timed(spawn_many),
        "parked" => Run::Figures(parked),
        "sleeps" => Run::Figures(sleeps),
        "tcp echo 64" => Run::Timed(echoes),
        "tcp idle" => Run::Missing(LEFT_OUT),
        "recursion 10k" => Run::First(recursion),
        _ => Run::Missing(NO_MUTEX),
    }
}

#[go_lib::main]
pub fn run(options: Options, side: fn(&str) -> Run) {
    go_lib::set_gomaxprocs(crate::procs());
    harness::measure(&options, side);
}

/// Runs `work` in so many goroutines, and sums what they return.
fn sum_of(goroutines: u64, work: impl Fn() -> u64 + Clone + Send + 'static) -> u64 {
    let (tx, rx) = chan::<u64>(goroutines as usize);
    for _ in 0..goroutines {
        let (tx, work) = (tx.clone(), work.clone());
        go!(move || tx.send(work()));
    }
    (0..goroutines).map(|_| rx.recv().unwrap()).sum()
}

fn yields(n: u64) {
    let turns = n.div_ceil(4);
    let sum = sum_of(4, move || {
        (0..turns).for_each(|_| go_lib::gosched());
        turns
    });
    assert_eq!(sum, turns * 4);
}

fn ping_pong(n: u64) {
    let (ping, pinged) = chan::<u64>(0);
    let (pong, ponged) = chan::<u64>(0);
    go!(move || {
        while let Some(v) = pinged.recv() {
            pong.send(v + 1);
        }
    });
    for i in 0..n / 2 {
        ping.send(i);
        assert_eq!(ponged.recv(), Some(i + 1));
    }
    ping.close();
}

fn spsc(n: u64, capacity: usize) {
    let (tx, rx) = chan::<u64>(capacity);
    let (result, sum) = chan::<u64>(1);
    go!(move || {
        let mut sum = 0;
        while let Some(v) = rx.recv() {
            sum += v;
        }
        result.send(sum);
    });
    (0..n).for_each(|i| tx.send(i));
    tx.close();
    assert_eq!(sum.recv(), Some(n * (n - 1) / 2));
}

fn many(n: u64, senders: u64, receivers: u64, capacity: usize) {
    let share = (n / senders).max(1);
    let (tx, rx) = chan::<u64>(capacity);
    let sent = Arc::new(WaitGroup::new());
    sent.add(senders as i64);
    for _ in 0..senders {
        let (tx, sent) = (tx.clone(), sent.clone());
        go!(move || {
            (0..share).for_each(|i| tx.send(i));
            sent.done();
        });
    }
    go!(move || {
        sent.wait();
        tx.close();
    });
    let sum = sum_of(receivers, move || {
        let mut sum = 0;
        while let Some(v) = rx.recv() {
            sum += v;
        }
        sum
    });
    assert_eq!(sum, senders * (share * (share - 1) / 2));
}

fn select_two(n: u64) {
    let half = n.div_ceil(2);
    let (a_tx, a) = chan::<u64>(0);
    let (b_tx, b) = chan::<u64>(0);
    go!(move || {
        for i in 0..half {
            a_tx.send(i);
            b_tx.send(i);
        }
        std::mem::forget((a_tx, b_tx));
    });
    let mut sum = 0;
    for _ in 0..half * 2 {
        select! {
            recv(a) -> v => { sum += v.unwrap(); }
            recv(b) -> v => { sum += v.unwrap(); }
        }
    }
    assert_eq!(sum, half * (half - 1));
}

fn select_default(n: u64) {
    let (_tx, rx) = chan::<u64>(0);
    let mut empty = 0;
    for _ in 0..n {
        select! {
            recv(rx) -> v => { black_box(v); }
            default => { empty += 1; }
        }
    }
    assert_eq!(empty, n);
}

fn ring(n: u64) {
    const LENGTH: u64 = 503;
    let (first, mut rx) = chan::<u64>(0);
    for _ in 1..LENGTH {
        let (tx, next) = chan::<u64>(0);
        go!(move || {
            while let Some(v) = rx.recv() {
                tx.send(v + 1);
            }
        });
        rx = next;
    }
    let rounds = n.div_ceil(LENGTH);
    let mut token = 0;
    for _ in 0..rounds {
        first.send(token + 1);
        token = rx.recv().unwrap();
    }
    assert_eq!(token, rounds * LENGTH);
}

fn prime_sieve(primes: u64) {
    let (tx, mut rx) = chan::<u64>(0);
    go!(move || {
        for n in 2.. {
            tx.send(n);
        }
    });
    let mut last = 0;
    for _ in 0..primes {
        let prime = rx.recv().unwrap();
        last = prime;
        let (tx, filtered) = chan::<u64>(0);
        go!(move || {
            while let Some(n) = rx.recv() {
                if n % prime != 0 {
                    tx.send(n);
                }
            }
        });
        rx = filtered;
    }
    // A send on what nobody can receive from any more would panic: as in Go, the goroutines stay.
    std::mem::forget(rx);
    assert!(expected_prime(primes).is_none_or(|prime| last == prime));
}

fn node(parent: Sender<u64>, number: u64, leaves: u64) {
    if leaves == 1 {
        parent.send(number);
        return;
    }
    let (tx, rx) = chan::<u64>(0);
    let each = leaves / 10;
    for i in 0..10 {
        let tx = tx.clone();
        go!(move || node(tx, number + i * each, each));
    }
    parent.send((0..10).map(|_| rx.recv().unwrap()).sum());
}

fn skynet(leaves: u64) {
    let leaves = 10u64.pow(leaves.ilog10());
    let (tx, rx) = chan::<u64>(0);
    go!(move || node(tx, 0, leaves));
    assert_eq!(rx.recv(), Some(leaves * (leaves - 1) / 2));
}

fn spawn_join(n: u64) {
    for i in 0..n {
        let (tx, rx) = chan::<u64>(1);
        go!(move || tx.send(i));
        assert_eq!(rx.recv(), Some(i));
    }
}

fn spawn_many(n: u64) {
    let each = n.min(100_000);
    for _ in 0..n / each {
        let wg = Arc::new(WaitGroup::new());
        wg.add(each as i64);
        for _ in 0..each {
            let wg = wg.clone();
            go!(move || wg.done());
        }
        wg.wait();
    }
}

fn parked(n: u64) -> Vec<Figure> {
    let (started, finished) = (Arc::new(WaitGroup::new()), Arc::new(WaitGroup::new()));
    let (gate, closed) = chan::<()>(0);
    let before = memory();
    let start = Instant::now();
    started.add(n as i64);
    finished.add(n as i64);
    for _ in 0..n {
        let (started, finished, closed) = (started.clone(), finished.clone(), closed.clone());
        go!(move || {
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

fn sleeps(n: u64) -> Vec<Figure> {
    let cpu = cpu_ms();
    let (tx, rx) = chan::<u64>(n as usize);
    for i in 0..n {
        let tx = tx.clone();
        go!(move || {
            let (start, wanted) = (Instant::now(), Duration::from_nanos(sleep_ns(i)));
            go_lib::sleep(wanted);
            let slept = start.elapsed();
            assert!(slept >= wanted, "woken too early");
            tx.send((slept - wanted).as_nanos() as u64);
        });
    }
    let late = (0..n).map(|_| rx.recv().unwrap()).collect();
    sleep_figures(late, cpu_ms() - cpu)
}

fn echoes(n: u64) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    go!(move || {
        for _ in 0..talk::CONNECTIONS {
            let stream = listener.accept().unwrap();
            go!(move || talk::answer(stream));
        }
    });
    let clients = Arc::new(WaitGroup::new());
    clients.add(talk::CONNECTIONS as i64);
    for client in 0..talk::CONNECTIONS {
        let clients = clients.clone();
        go!(move || {
            talk::ask(TcpStream::connect(address).unwrap(), talk::share(n, client));
            clients.done();
        });
    }
    clients.wait();
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
    let (arrived, arrivals) = chan::<()>(0);
    let (gate, closed) = chan::<()>(0);
    let (result, results) = chan::<u64>((n / depth) as usize);
    for _ in 0..n / depth {
        let (arrived, closed, result) = (arrived.clone(), closed.clone(), result.clone());
        go!(move || {
            let bottom = || {
                arrived.send(());
                assert_eq!(closed.recv(), None);
            };
            result.send(descend(depth, &bottom));
        });
        arrivals.recv().unwrap();
    }
    gate.close();
    (0..n / depth).for_each(|_| assert_eq!(results.recv(), Some(depth)));
}
