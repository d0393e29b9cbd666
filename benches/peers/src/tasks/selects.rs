//! Waiting on several channels, with `tokio::select!`.

use super::channels::{Channel, Kanal};
use std::pin::pin;

/// A producer that feeds two channels in turn, `half` numbers each.
fn producer<C: Channel>(half: u64) -> (C::Rx, C::Rx) {
    let (a_tx, a) = C::chan(0);
    let (b_tx, b) = C::chan(0);
    tokio::spawn(async move {
        for i in 0..half {
            assert!(C::send(&a_tx, i).await);
            assert!(C::send(&b_tx, i).await);
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
        tokio::spawn(async move {
            for i in 0..share {
                assert!(C::send(&tx, i).await);
            }
            std::mem::forget(tx);
        });
        rx
    })
}

pub async fn two<C: Channel>(n: u64) {
    let half = n.div_ceil(2);
    let (mut a, mut b) = producer::<C>(half);
    let mut sum = 0;
    for _ in 0..half * 2 {
        sum += tokio::select! {
            v = C::recv(&mut a) => v.unwrap(),
            v = C::recv(&mut b) => v.unwrap(),
        };
    }
    assert_eq!(sum, half * (half - 1));
}

/// Without dropping a receive: one that is dropped may take a value with it.
pub async fn two_kept(n: u64) {
    let half = n.div_ceil(2);
    let (a, b) = producer::<Kanal>(half);
    let (mut from_a, mut from_b) = (pin!(a.recv()), pin!(b.recv()));
    let mut sum = 0;
    for _ in 0..half * 2 {
        tokio::select! {
            v = &mut from_a => { sum += v.unwrap(); from_a.set(a.recv()) },
            v = &mut from_b => { sum += v.unwrap(); from_b.set(b.recv()) },
        }
    }
    assert_eq!(sum, half * (half - 1));
}

pub async fn default<C: Channel>(n: u64) {
    let (_tx, mut rx) = C::chan(0);
    let empty = (0..n).filter(|_| C::is_empty(&mut rx)).count();
    assert_eq!(empty as u64, n);
}

pub async fn fan_in<C: Channel>(n: u64) {
    let share = n.div_ceil(8);
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = eight::<C>(share);
    let mut sum = 0;
    for _ in 0..share * 8 {
        sum += tokio::select! {
            v = C::recv(&mut a) => v.unwrap(),
            v = C::recv(&mut b) => v.unwrap(),
            v = C::recv(&mut c) => v.unwrap(),
            v = C::recv(&mut d) => v.unwrap(),
            v = C::recv(&mut e) => v.unwrap(),
            v = C::recv(&mut f) => v.unwrap(),
            v = C::recv(&mut g) => v.unwrap(),
            v = C::recv(&mut h) => v.unwrap(),
        };
    }
    assert_eq!(sum, 8 * (share * (share - 1) / 2));
}

pub async fn fan_in_kept(n: u64) {
    let share = n.div_ceil(8);
    let all = eight::<Kanal>(share);
    let [a, b, c, d, e, f, g, h] = &all;
    let (mut a1, mut b1, mut c1, mut d1) = (pin!(a.recv()), pin!(b.recv()), pin!(c.recv()), pin!(d.recv()));
    let (mut e1, mut f1, mut g1, mut h1) = (pin!(e.recv()), pin!(f.recv()), pin!(g.recv()), pin!(h.recv()));
    let mut sum = 0;
    for _ in 0..share * 8 {
        tokio::select! {
            v = &mut a1 => { sum += v.unwrap(); a1.set(a.recv()) },
            v = &mut b1 => { sum += v.unwrap(); b1.set(b.recv()) },
            v = &mut c1 => { sum += v.unwrap(); c1.set(c.recv()) },
            v = &mut d1 => { sum += v.unwrap(); d1.set(d.recv()) },
            v = &mut e1 => { sum += v.unwrap(); e1.set(e.recv()) },
            v = &mut f1 => { sum += v.unwrap(); f1.set(f.recv()) },
            v = &mut g1 => { sum += v.unwrap(); g1.set(g.recv()) },
            v = &mut h1 => { sum += v.unwrap(); h1.set(h.recv()) },
        }
    }
    assert_eq!(sum, 8 * (share * (share - 1) / 2));
}
