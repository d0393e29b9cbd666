//! Timers, locks and locals.

use crate::Piece;
use gaggle::sync::{Mutex, Once, RwLock, Semaphore, WaitGroup};
use gaggle::time::{Timer, after};
use std::cell::Cell;
use std::hint::black_box;
use std::sync::OnceLock;
use std::time::Duration;

pub const PIECES: &[Piece] = &[
    ("timer: new and stop", timer),
    ("timer: reset", reset),
    ("timer: after, dropped", after_dropped),
    ("Mutex: lock and unlock", mutex),
    ("RwLock: read and release", rw_lock),
    ("Semaphore: a permit, and back", semaphore),
    ("WaitGroup: add and done", wait_group),
    ("Once: call_once, done before", once),
    ("goroutine_local!: get and set", local),
    // Last: the others stay.
    ("timer: new and stop, beside 10,000 others", timer_in_crowd),
];

const HOUR: Duration = Duration::from_secs(3600);

fn timer(n: u64) {
    let stopped = (0..n).filter(|_| Timer::new(HOUR).stop()).count();
    assert_eq!(stopped as u64, n);
}

fn timer_in_crowd(n: u64) {
    static OTHERS: OnceLock<Vec<Timer>> = OnceLock::new();
    // Due in an order of their own, as timeouts are.
    let start = || (0..10_000).map(|i| Timer::new(2 * HOUR + Duration::from_millis(i * 7919 % 10_007))).collect();
    OTHERS.get_or_init(start);
    timer(n);
}

fn reset(n: u64) {
    let timer = Timer::new(HOUR);
    let active = (0..n).filter(|i| timer.reset(HOUR + Duration::from_millis(i % 100))).count();
    assert_eq!(active as u64, n);
    timer.stop();
}

fn after_dropped(n: u64) {
    for _ in 0..n {
        black_box(after(HOUR));
    }
}

fn mutex(n: u64) {
    let counter = Mutex::new(0);
    (0..n).for_each(|_| *counter.lock().unwrap() += 1);
    assert_eq!(counter.into_inner().unwrap(), n);
}

fn rw_lock(n: u64) {
    let one = RwLock::new(1);
    let sum: u64 = (0..n).map(|_| *one.read().unwrap()).sum();
    assert_eq!(sum, n);
}

fn semaphore(n: u64) {
    let permits = Semaphore::new(1);
    for _ in 0..n {
        drop(black_box(permits.permit(1)));
    }
}

fn wait_group(n: u64) {
    let wg = WaitGroup::new();
    for _ in 0..n {
        wg.add(1);
        wg.done();
    }
    wg.wait();
}

fn once(n: u64) {
    let once = Once::new();
    let mut calls = 0;
    (0..n).for_each(|_| once.call_once(|| calls += 1));
    assert_eq!(calls, 1);
}

gaggle::goroutine_local! {
    static COUNT: Cell<u64> = Cell::new(0);
}

fn local(n: u64) {
    COUNT.with(|count| count.set(0));
    (0..n).for_each(|_| COUNT.with(|count| count.set(count.get() + 1)));
    assert_eq!(COUNT.with(Cell::get), n);
}
