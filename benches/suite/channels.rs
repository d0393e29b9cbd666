//! One channel, or two: a message one way is an operation.

use gaggle::{chan, go};

/// Two goroutines, two channels.
pub fn ping_pong(n: u64) {
    let (ping, pinged) = chan::<u64>(0);
    let (pong, ponged) = chan::<u64>(0);
    let other = go!({
        for v in pinged {
            pong.send(v + 1).unwrap();
        }
    });
    for i in 0..n / 2 {
        ping.send(i).unwrap();
        assert_eq!(ponged.recv(), Some(i + 1));
    }
    drop(ping);
    other.join().unwrap();
}

/// One producer, one consumer.
pub fn spsc(n: u64, capacity: usize) {
    let (tx, rx) = chan::<u64>(capacity);
    let sum = go!({
        let mut sum = 0;
        for v in rx {
            sum += v;
        }
        sum
    });
    for i in 0..n {
        tx.send(i).unwrap();
    }
    drop(tx);
    assert_eq!(sum.join().unwrap(), n * (n - 1) / 2);
}

/// Several producers with equal shares, several consumers, one channel.
pub fn many(n: u64, senders: u64, receivers: u64, capacity: usize) {
    let share = (n / senders).max(1);
    let (tx, rx) = chan::<u64>(capacity);
    for _ in 0..senders {
        go!(clone tx; {
            for i in 0..share {
                tx.send(i).unwrap();
            }
        });
    }
    drop(tx);
    let sums: Vec<_> = (0..receivers).map(|_| go!(clone rx; { rx.iter().sum::<u64>() })).collect();
    let sum: u64 = sums.into_iter().map(|s| s.join().unwrap()).sum();
    assert_eq!(sum, senders * (share * (share - 1) / 2));
}
