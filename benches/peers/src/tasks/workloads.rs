//! The workloads of `../../suite`, a task for each goroutine.

use super::channels::Channel;
use crate::harness::expected_prime;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task;

pub async fn ping_pong<C: Channel>(n: u64) {
    let (ping, mut pinged) = C::chan(0);
    let (pong, mut ponged) = C::chan(0);
    let other = tokio::spawn(async move {
        while let Some(v) = C::recv(&mut pinged).await {
            assert!(C::send(&pong, v + 1).await);
        }
    });
    for i in 0..n / 2 {
        assert!(C::send(&ping, i).await);
        assert_eq!(C::recv(&mut ponged).await, Some(i + 1));
    }
    drop(ping);
    other.await.unwrap();
}

async fn sum<C: Channel>(mut rx: C::Rx) -> u64 {
    let mut sum = 0;
    while let Some(v) = C::recv(&mut rx).await {
        sum += v;
    }
    sum
}

pub async fn spsc<C: Channel>(n: u64, capacity: usize) {
    let (tx, rx) = C::chan(capacity);
    let sum = tokio::spawn(sum::<C>(rx));
    for i in 0..n {
        assert!(C::send(&tx, i).await);
    }
    drop(tx);
    assert_eq!(sum.await.unwrap(), n * (n - 1) / 2);
}

pub async fn many<C: Channel>(n: u64, senders: u64, receivers: usize, capacity: usize) {
    let share = (n / senders).max(1);
    let (tx, rx) = C::chan(capacity);
    for _ in 0..senders {
        let tx = tx.clone();
        tokio::spawn(async move {
            for i in 0..share {
                assert!(C::send(&tx, i).await);
            }
        });
    }
    drop(tx);
    let sums: Vec<_> = C::copies(rx, receivers).into_iter().map(|rx| tokio::spawn(sum::<C>(rx))).collect();
    let mut total = 0;
    for sum in sums {
        total += sum.await.unwrap();
    }
    assert_eq!(total, senders * (share * (share - 1) / 2));
}

pub async fn ring<C: Channel>(n: u64) {
    const LENGTH: u64 = 503;
    let (first, mut rx) = C::chan(0);
    for _ in 1..LENGTH {
        let (tx, next) = C::chan(0);
        tokio::spawn(async move {
            while let Some(v) = C::recv(&mut rx).await {
                assert!(C::send(&tx, v + 1).await);
            }
        });
        rx = next;
    }
    let rounds = n.div_ceil(LENGTH);
    let mut token = 0;
    for _ in 0..rounds {
        assert!(C::send(&first, token + 1).await);
        token = C::recv(&mut rx).await.unwrap();
    }
    assert_eq!(token, rounds * LENGTH);
}

pub async fn prime_sieve<C: Channel>(primes: u64) {
    let (tx, mut rx) = C::chan(0);
    tokio::spawn(async move {
        let mut n = 2;
        while C::send(&tx, n).await {
            n += 1;
        }
    });
    let mut last = 0;
    for _ in 0..primes {
        let prime = C::recv(&mut rx).await.unwrap();
        last = prime;
        let (tx, filtered) = C::chan(0);
        tokio::spawn(async move {
            while let Some(n) = C::recv(&mut rx).await {
                if n % prime != 0 && !C::send(&tx, n).await {
                    return;
                }
            }
        });
        rx = filtered;
    }
    assert!(expected_prime(primes).is_none_or(|prime| last == prime));
}

type Node = Pin<Box<dyn Future<Output = ()> + Send>>;

fn node<C: Channel>(parent: C::Tx, number: u64, leaves: u64) -> Node {
    Box::pin(async move {
        if leaves == 1 {
            assert!(C::send(&parent, number).await);
            return;
        }
        let (tx, mut rx) = C::chan(0);
        let each = leaves / 10;
        for i in 0..10 {
            tokio::spawn(node::<C>(tx.clone(), number + i * each, each));
        }
        let mut sum = 0;
        for _ in 0..10 {
            sum += C::recv(&mut rx).await.unwrap();
        }
        assert!(C::send(&parent, sum).await);
    })
}

pub async fn skynet<C: Channel>(leaves: u64) {
    let leaves = 10u64.pow(leaves.ilog10());
    let (tx, mut rx) = C::chan(0);
    tokio::spawn(node::<C>(tx, 0, leaves));
    assert_eq!(C::recv(&mut rx).await, Some(leaves * (leaves - 1) / 2));
}

pub async fn yields(n: u64) {
    let turns = n.div_ceil(4);
    let all: Vec<_> = (0..4)
        .map(|_| {
            tokio::spawn(async move {
                for _ in 0..turns {
                    task::yield_now().await;
                }
                turns
            })
        })
        .collect();
    let mut sum = 0;
    for task in all {
        sum += task.await.unwrap();
    }
    assert_eq!(sum, turns * 4);
}

pub async fn spawn_join(n: u64) {
    for i in 0..n {
        assert_eq!(tokio::spawn(async move { i }).await.unwrap(), i);
    }
}

/// Under a `TaskTracker`'s like: each task holds an end of a channel, and the last one to end closes it.
pub async fn spawn_many(n: u64) {
    let each = n.min(100_000);
    for _ in 0..n / each {
        let (done, mut all_done) = tokio::sync::mpsc::channel::<()>(1);
        for _ in 0..each {
            let done = done.clone();
            tokio::spawn(async move { drop(done) });
        }
        drop(done);
        assert_eq!(all_done.recv().await, None);
    }
}

pub async fn mutex(n: u64) {
    let share = n.div_ceil(8);
    let counter = Arc::new(Mutex::new(0u64));
    let all: Vec<_> = (0..8)
        .map(|_| {
            let counter = counter.clone();
            tokio::spawn(async move {
                for _ in 0..share {
                    *counter.lock().await += 1;
                }
            })
        })
        .collect();
    for task in all {
        task.await.unwrap();
    }
    assert_eq!(*counter.lock().await, share * 8);
}
