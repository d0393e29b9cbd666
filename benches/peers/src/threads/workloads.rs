//! The workloads of `../../suite/channels.rs` and `chains.rs`, a thread for each goroutine.

use super::channels::{Channel, Shared};
use std::thread;

pub fn ping_pong<C: Channel>(n: u64) {
    let (ping, pinged) = C::chan(0);
    let (pong, ponged) = C::chan(0);
    let other = thread::spawn(move || {
        while let Some(v) = C::recv(&pinged) {
            C::send(&pong, v + 1);
        }
    });
    for i in 0..n / 2 {
        C::send(&ping, i);
        assert_eq!(C::recv(&ponged), Some(i + 1));
    }
    drop(ping);
    other.join().unwrap();
}

pub fn spsc<C: Channel>(n: u64, capacity: usize) {
    let (tx, rx) = C::chan(capacity);
    let sum = thread::spawn(move || {
        let mut sum = 0;
        while let Some(v) = C::recv(&rx) {
            sum += v;
        }
        sum
    });
    (0..n).for_each(|i| C::send(&tx, i));
    drop(tx);
    assert_eq!(sum.join().unwrap(), n * (n - 1) / 2);
}

pub fn many<C: Shared>(n: u64, senders: u64, receivers: usize, capacity: usize) {
    let share = (n / senders).max(1);
    let (tx, rx) = C::chan(capacity);
    for _ in 0..senders {
        let tx = tx.clone();
        thread::spawn(move || (0..share).for_each(|i| C::send(&tx, i)));
    }
    drop(tx);
    let sums = C::copies(rx, receivers).into_iter().map(|rx| {
        thread::spawn(move || {
            let mut sum = 0;
            while let Some(v) = C::recv(&rx) {
                sum += v;
            }
            sum
        })
    });
    let sums: Vec<_> = sums.collect();
    let sum: u64 = sums.into_iter().map(|s| s.join().unwrap()).sum();
    assert_eq!(sum, senders * (share * (share - 1) / 2));
}

pub fn select_default<C: Channel>(n: u64) {
    let (_tx, rx) = C::chan(0);
    let empty = (0..n).filter(|_| C::is_empty(&rx)).count();
    assert_eq!(empty as u64, n);
}

pub fn ring<C: Channel>(n: u64) {
    const LENGTH: u64 = 503;
    let (first, mut rx) = C::chan(0);
    for _ in 1..LENGTH {
        let (tx, next) = C::chan(0);
        thread::spawn(move || {
            while let Some(v) = C::recv(&rx) {
                C::send(&tx, v + 1);
            }
        });
        rx = next;
    }
    let rounds = n.div_ceil(LENGTH);
    let mut token = 0;
    for _ in 0..rounds {
        C::send(&first, token + 1);
        token = C::recv(&rx).unwrap();
    }
    assert_eq!(token, rounds * LENGTH);
}
