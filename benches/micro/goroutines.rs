//! Starting, switching, growing.

use crate::Piece;
use gaggle::{chan, go, runtime, stack};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub const PIECES: &[Piece] = &[
    ("switch: two that give way in turn", switch),
    ("switch: giving way to nobody", yield_alone),
    ("switch: park and wake, unbuffered channel", hand_over),
    ("switch: 1,000 hand-overs across threads", between_threads),
    ("spawn, run, end; in batches", spawn),
    ("spawn, run, end; 200 bytes captured", spawn_large),
    ("spawn and join", spawn_join),
    ("checkpoint", checkpoint),
    ("growth check: a call without", call),
    ("growth check: a call with", growable_call),
    ("growth: a call on a cached segment", on_segment),
];

/// Two goroutines: each turn of one is a switch to the other.
fn switch(n: u64) {
    let other = go!({ (0..n / 2).for_each(|_| runtime::yield_now()) });
    (0..n / 2).for_each(|_| runtime::yield_now());
    other.join().unwrap();
}

fn yield_alone(n: u64) {
    (0..n).for_each(|_| runtime::yield_now());
}

fn hand_over(n: u64) {
    let (tx, rx) = chan::<u64>(0);
    let consumer = go!({ rx.iter().count() as u64 });
    (0..n).for_each(|i| tx.send(i).unwrap());
    drop(tx);
    assert_eq!(consumer.join().unwrap(), n);
}

/// The same with consumer and producer at home on two threads, and a processor for each.
fn between_threads(n: u64) {
    let n = n * 1000;
    let before = runtime::set_max_procs(2);
    let (tx, rx) = chan::<u64>(0);
    let apart = Arc::new(AtomicBool::new(false));
    let producer = go!(name = "producer", pinned; {
        let consumer = go!(name = "consumer", pinned, clone apart; {
            apart.store(true, Ordering::Relaxed);
            rx.iter().count() as u64
        });
        // Keeps its thread until the consumer has begun elsewhere.
        while !apart.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
        (0..n).for_each(|i| tx.send(i).unwrap());
        drop(tx);
        consumer.join().unwrap()
    });
    assert_eq!(producer.join().unwrap(), n);
    runtime::set_max_procs(before);
}

fn batches(n: u64, start: impl Fn()) {
    const BATCH: u64 = 100;
    for _ in 0..n / BATCH {
        (0..BATCH).for_each(|_| start());
        // First come, first served: all of them have run when our turn comes again.
        runtime::yield_now();
    }
}

fn spawn(n: u64) {
    batches(n, || {
        go!({});
    });
}

fn spawn_large(n: u64) {
    let large = [1_u64; 25];
    batches(n, || {
        go!({
            black_box(large);
        });
    });
}

fn spawn_join(n: u64) {
    for i in 0..n {
        assert_eq!(go!({ i }).join().unwrap(), i);
    }
}

fn checkpoint(n: u64) {
    (0..n).for_each(|_| gaggle::checkpoint());
}

#[inline(never)]
fn plain(n: u64) -> u64 {
    black_box(n)
}

fn call(n: u64) {
    let sum: u64 = (0..n).map(|_| plain(1)).sum();
    assert_eq!(sum, n);
}

#[gaggle::growable]
#[inline(never)]
fn growable(n: u64) -> u64 {
    black_box(n)
}

fn growable_call(n: u64) {
    let sum: u64 = (0..n).map(|_| growable(1)).sum();
    assert_eq!(sum, n);
}

/// In a goroutine whose stack is too short for it, so that each call goes to the segment and back.
fn on_segment(n: u64) {
    let sum = go!({
        let room = stack::remaining() + 1;
        (0..n).map(|_| stack::with_room(room, || black_box(1))).sum::<u64>()
    });
    assert_eq!(sum.join().unwrap(), n);
}
