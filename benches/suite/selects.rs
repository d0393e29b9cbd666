//! Waiting on several channels: a value received, or a look in vain, is an operation.

use gaggle::{chan, go, select};
use std::hint::black_box;

/// One producer feeds two unbuffered channels in turn.
pub fn two(n: u64) {
    let (a_tx, a) = chan::<u64>(0);
    let (b_tx, b) = chan::<u64>(0);
    let half = n.div_ceil(2);
    let producer = go!({
        for i in 0..half {
            a_tx.send(i).unwrap();
            b_tx.send(i).unwrap();
        }
        // Kept to here: a channel that has closed is always ready.
        (a_tx, b_tx)
    });
    let mut sum = 0;
    for _ in 0..half * 2 {
        select! {
            v = <-a => sum += v.unwrap(),
            v = <-b => sum += v.unwrap(),
        }
    }
    assert_eq!(sum, half * (half - 1));
    producer.join().unwrap();
}

/// A channel on which nothing ever comes.
pub fn default(n: u64) {
    let (_tx, rx) = chan::<u64>(0);
    let mut empty = 0;
    for _ in 0..n {
        select! {
            v = <-rx => {
                black_box(v);
            },
            default => empty += 1,
        }
    }
    assert_eq!(empty, n);
}

/// Eight producers, an unbuffered channel each, one consumer.
pub fn fan_in(n: u64) {
    let share = n.div_ceil(8);
    let channels: Vec<_> = (0..8).map(|_| chan::<u64>(0)).collect();
    // Producers that end must not close their channels: a closed one is always ready.
    let open: Vec<_> = channels.iter().map(|(tx, _)| tx.clone()).collect();
    let mut receivers = Vec::new();
    for (tx, rx) in channels {
        receivers.push(rx);
        go!({
            for i in 0..share {
                tx.send(i).unwrap();
            }
        });
    }
    let [a, b, c, d, e, f, g, h] = <[_; 8]>::try_from(receivers).unwrap();
    let mut sum = 0;
    for _ in 0..share * 8 {
        sum += select! {
            v = <-a => v.unwrap(),
            v = <-b => v.unwrap(),
            v = <-c => v.unwrap(),
            v = <-d => v.unwrap(),
            v = <-e => v.unwrap(),
            v = <-f => v.unwrap(),
            v = <-g => v.unwrap(),
            v = <-h => v.unwrap(),
        };
    }
    assert_eq!(sum, 8 * (share * (share - 1) / 2));
    drop(open);
}
