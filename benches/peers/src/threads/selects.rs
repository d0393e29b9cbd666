//! Waiting on several channels: each library has its own way.

use super::channels::{Channel, Crossbeam, Flume};
use crossfire::MTx;
use crossfire::select::{Multiplex, Mux};
use flume::Selector;
use std::thread;

/// A producer that feeds two channels in turn, `half` numbers each.
fn two<C: Channel>(half: u64) -> (C::Rx, C::Rx) {
    let (a_tx, a) = C::chan(0);
    let (b_tx, b) = C::chan(0);
    thread::spawn(move || {
        for i in 0..half {
            C::send(&a_tx, i);
            C::send(&b_tx, i);
        }
        // A channel that has closed is always ready: these are left open.
        std::mem::forget((a_tx, b_tx));
    });
    (a, b)
}

/// Eight producers, `share` numbers each.
fn eight<C: Channel>(share: u64) -> [C::Rx; 8] {
    std::array::from_fn(|_| {
        let (tx, rx) = C::chan(0);
        thread::spawn(move || {
            (0..share).for_each(|i| C::send(&tx, i));
            std::mem::forget(tx);
        });
        rx
    })
}

fn check_two(half: u64, turn: impl FnMut(u64) -> u64) {
    let sum: u64 = (0..half * 2).map(turn).sum();
    assert_eq!(sum, half * (half - 1));
}

fn check_eight(share: u64, turn: impl FnMut(u64) -> u64) {
    let sum: u64 = (0..share * 8).map(turn).sum();
    assert_eq!(sum, 8 * (share * (share - 1) / 2));
}

pub fn crossbeam_two(n: u64) {
    let half = n.div_ceil(2);
    let (a, b) = two::<Crossbeam>(half);
    check_two(half, |_| {
        crossbeam_channel::select! {
            recv(a) -> v => v.unwrap(),
            recv(b) -> v => v.unwrap(),
        }
    });
}

pub fn crossbeam_fan_in(n: u64) {
    let share = n.div_ceil(8);
    let [a, b, c, d, e, f, g, h] = eight::<Crossbeam>(share);
    check_eight(share, |_| {
        crossbeam_channel::select! {
            recv(a) -> v => v.unwrap(),
            recv(b) -> v => v.unwrap(),
            recv(c) -> v => v.unwrap(),
            recv(d) -> v => v.unwrap(),
            recv(e) -> v => v.unwrap(),
            recv(f) -> v => v.unwrap(),
            recv(g) -> v => v.unwrap(),
            recv(h) -> v => v.unwrap(),
        }
    });
}

pub fn flume_two(n: u64) {
    let half = n.div_ceil(2);
    let (a, b) = two::<Flume>(half);
    check_two(half, |_| Selector::new().recv(&a, |v| v.unwrap()).recv(&b, |v| v.unwrap()).wait());
}

pub fn flume_fan_in(n: u64) {
    let share = n.div_ceil(8);
    let all = eight::<Flume>(share);
    check_eight(share, |_| all.iter().fold(Selector::new(), |all, rx| all.recv(rx, |v| v.unwrap())).wait());
}

type MuxTx = MTx<Mux<crossfire::mpsc::Array<u64>>>;

pub fn crossfire_two(n: u64) {
    let half = n.div_ceil(2);
    let mut both = Multiplex::<crossfire::mpsc::Array<u64>>::new();
    let (a, b): (MuxTx, MuxTx) = (both.bounded_tx(1), both.bounded_tx(1));
    thread::spawn(move || {
        for i in 0..half {
            a.send(i).unwrap();
            b.send(i).unwrap();
        }
    });
    check_two(half, |_| both.recv().unwrap());
}

pub fn crossfire_fan_in(n: u64) {
    let share = n.div_ceil(8);
    let mut all = Multiplex::<crossfire::mpsc::Array<u64>>::new();
    for _ in 0..8 {
        let tx: MuxTx = all.bounded_tx(1);
        thread::spawn(move || (0..share).for_each(|i| tx.send(i).unwrap()));
    }
    check_eight(share, |_| all.recv().unwrap());
}
