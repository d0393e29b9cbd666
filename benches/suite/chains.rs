//! Goroutines in a chain, in a ring, in a tree.

use crate::harness::expected_prime;
use gaggle::{Sender, chan, go};

/// One token goes round for `n` hops; this goroutine is the 503rd.
pub fn ring(n: u64) {
    const LENGTH: u64 = 503;
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
    let rounds = n.div_ceil(LENGTH);
    let mut token = 0;
    for _ in 0..rounds {
        first.send(token + 1).unwrap();
        token = rx.recv().unwrap();
    }
    assert_eq!(token, rounds * LENGTH);
}

/// Each prime that comes out adds a filter to the chain.
pub fn prime_sieve(primes: u64) {
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
    assert!(expected_prime(primes).is_none_or(|prime| last == prime));
}

fn node(parent: Sender<u64>, number: u64, leaves: u64) {
    if leaves == 1 {
        parent.send(number).unwrap();
        return;
    }
    let (tx, rx) = chan::<u64>(0);
    let each = leaves / 10;
    for i in 0..10 {
        go!(node(tx.clone(), number + i * each, each));
    }
    let sum = (0..10).map(|_| rx.recv().unwrap()).sum();
    parent.send(sum).unwrap();
}

/// A tree of goroutines, ten children each, `leaves` at the bottom; sums come up.
pub fn skynet(leaves: u64) {
    let leaves = 10u64.pow(leaves.ilog10());
    let (tx, rx) = chan::<u64>(0);
    go!(node(tx, 0, leaves));
    assert_eq!(rx.recv(), Some(leaves * (leaves - 1) / 2));
}
