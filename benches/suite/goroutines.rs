//! Starting goroutines, switching between them, and what they do without channels.

use gaggle::sync::{Mutex, WaitGroup};
use gaggle::{chan, go, runtime};
use std::hint::black_box;
use std::sync::Arc;

/// Four goroutines that do nothing but give way.
pub fn yields(n: u64) {
    let turns = n.div_ceil(4);
    let all: Vec<_> = (0..4)
        .map(|_| {
            go!({
                for _ in 0..turns {
                    runtime::yield_now();
                }
                turns
            })
        })
        .collect();
    let sum: u64 = all.into_iter().map(|g| g.join().unwrap()).sum();
    assert_eq!(sum, turns * 4);
}

pub fn spawn_join(n: u64) {
    for i in 0..n {
        assert_eq!(go!({ i }).join().unwrap(), i);
    }
}

/// A hundred thousand at a time, under one `WaitGroup`.
pub fn spawn_many(n: u64) {
    let each = n.min(100_000);
    for _ in 0..n / each {
        let wg = WaitGroup::new();
        wg.add(each as usize);
        for _ in 0..each {
            go!(clone wg; { wg.done() });
        }
        wg.wait();
    }
}

/// Eight goroutines, one counter.
pub fn mutex(n: u64) {
    let share = n.div_ceil(8);
    let counter = Arc::new(Mutex::new(0u64));
    let all: Vec<_> = (0..8)
        .map(|_| {
            go!(clone counter; {
                for _ in 0..share {
                    *counter.lock().unwrap() += 1;
                }
            })
        })
        .collect();
    all.into_iter().for_each(|g| g.join().unwrap());
    assert_eq!(*counter.lock().unwrap(), share * 8);
}

#[gaggle::growable]
fn descend(depth: u64, bottom: &dyn Fn()) -> u64 {
    let frame = black_box([depth; 8]);
    if depth == 0 {
        bottom();
        frame[0]
    } else {
        1 + descend(depth - 1, bottom) + (frame[7] - depth)
    }
}

/// Each goroutine goes 10,000 levels deep and waits there, so that the next one finds no memory that was used before.
pub fn recursion(n: u64) {
    let depth = n.min(10_000);
    let (arrived, arrivals) = chan::<()>(0);
    let (gate, closed) = chan::<()>(0);
    let mut all = Vec::new();
    for _ in 0..n / depth {
        all.push(go!(clone arrived, closed; {
            descend(depth, &|| {
                arrived.send(()).unwrap();
                closed.recv();
            })
        }));
        arrivals.recv().unwrap();
    }
    gate.close();
    all.into_iter().for_each(|g| assert_eq!(g.join().unwrap(), depth));
}
