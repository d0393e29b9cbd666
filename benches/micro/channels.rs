//! Channels and selects that need not wait.

use crate::Piece;
use gaggle::{Receiver, Select, Sender, chan, select, unbounded};
use std::hint::black_box;
use std::time::Duration;

pub const PIECES: &[Piece] = &[
    ("channel: send and recv, capacity 1", |n| send_recv(n, chan(1))),
    ("channel: send and recv, capacity 128", |n| send_recv(n, chan(128))),
    ("channel: send and recv, unbounded", |n| send_recv(n, unbounded())),
    ("channel: try_send and try_recv", try_both),
    ("channel: try_recv in vain", try_in_vain),
    ("channel: recv_timeout of what is there", recv_timeout),
    ("channel: make and drop, capacity 0", |n| make(n, 0)),
    ("channel: make and drop, capacity 128", |n| make(n, 128)),
    ("channel: clone and drop a sender", clone),
    ("select!: 2 receives, one ready; and the send", select_two),
    ("select!: 8 receives, one ready; and the send", select_eight),
    ("select!: default", select_default),
    ("Select: 2 receives, one ready; and the send", select_dynamic),
];

fn send_recv(n: u64, (tx, rx): (Sender<u64>, Receiver<u64>)) {
    for i in 0..n {
        tx.send(i).unwrap();
        assert_eq!(rx.recv(), Some(i));
    }
}

fn try_both(n: u64) {
    let (tx, rx) = chan::<u64>(1);
    for i in 0..n {
        tx.try_send(i).unwrap();
        assert_eq!(rx.try_recv().unwrap(), i);
    }
}

fn try_in_vain(n: u64) {
    let (_tx, rx) = chan::<u64>(1);
    let empty = (0..n).filter(|_| black_box(&rx).try_recv().is_err()).count();
    assert_eq!(empty as u64, n);
}

fn recv_timeout(n: u64) {
    let (tx, rx) = chan::<u64>(1);
    for i in 0..n {
        tx.send(i).unwrap();
        assert_eq!(rx.recv_timeout(Duration::from_secs(1)).unwrap(), i);
    }
}

fn make(n: u64, capacity: usize) {
    for _ in 0..n {
        black_box(chan::<u64>(capacity));
    }
}

fn clone(n: u64) {
    let (tx, _rx) = chan::<u64>(0);
    for _ in 0..n {
        black_box(tx.clone());
    }
}

fn select_two(n: u64) {
    let (a_tx, a) = chan::<u64>(1);
    let (_b_tx, b) = chan::<u64>(1);
    for i in 0..n {
        a_tx.send(i).unwrap();
        select! {
            v = <-a => assert_eq!(v, Some(i)),
            _ = <-b => unreachable!(),
        }
    }
}

fn select_eight(n: u64) {
    let [(tx, a), (_b, b), (_c, c), (_d, d), (_e, e), (_f, f), (_g, g), (_h, h)] =
        std::array::from_fn(|_| chan::<u64>(1));
    for i in 0..n {
        tx.send(i).unwrap();
        let v = select! {
            v = <-a => v,
            v = <-b => v,
            v = <-c => v,
            v = <-d => v,
            v = <-e => v,
            v = <-f => v,
            v = <-g => v,
            v = <-h => v,
        };
        assert_eq!(v, Some(i));
    }
}

fn select_default(n: u64) {
    let (_tx, rx) = chan::<u64>(1);
    for _ in 0..n {
        select! {
            _ = <-rx => unreachable!(),
            default => {},
        }
    }
}

fn select_dynamic(n: u64) {
    let (a_tx, a) = chan::<u64>(1);
    let (_b_tx, b) = chan::<u64>(1);
    let mut cases = Select::new();
    cases.recv(&a);
    cases.recv(&b);
    for i in 0..n {
        a_tx.send(i).unwrap();
        assert_eq!(cases.select().recv(&a), Some(i));
    }
}
