//! The dynamic form.

use crate::SHORT;
use crate::on::everywhere;
use gaggle::{Select, SendError, chan};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn dynamic_select_is_reusable() {
    // Arms that stop taking part, or indices that move, when a Select is used again.
    everywhere(|on| {
        let (atx, arx) = chan(0);
        let (btx, brx) = chan(0);
        let (ctx, crx) = chan(0);
        let senders = [
            on.go(move || (0..100).for_each(|i| atx.send(i).unwrap())),
            on.go(move || (0..100).for_each(|i| btx.send(i).unwrap())),
        ];
        let receiver = on.go(move || crx.iter().sum::<u32>());
        let mut s = Select::new();
        let (a, b) = (s.recv(&arx), s.recv(&brx));
        let mut c = Some(s.send(&ctx, 1));
        let (mut from_a, mut from_b, mut sent) = (0, 0, 0);
        while from_a < 100 || from_b < 100 || sent < 100 {
            let op = s.select();
            let index = op.index();
            if index == a {
                match op.recv(&arx) {
                    Some(i) => {
                        assert_eq!(i, from_a);
                        from_a += 1;
                    }
                    None => s.remove(a),
                }
            } else if index == b {
                match op.recv(&brx) {
                    Some(i) => {
                        assert_eq!(i, from_b);
                        from_b += 1;
                    }
                    None => s.remove(b),
                }
            } else {
                assert_eq!(Some(index), c);
                op.send(&ctx).unwrap();
                sent += 1;
                c = (sent < 100).then(|| s.send(&ctx, 1));
            }
        }
        drop(s);
        drop(ctx);
        assert_eq!(receiver.join(), 100);
        senders.into_iter().for_each(|s| s.join());
    });
}

#[test]
fn dynamic_select_gives_values_back() {
    // A value that is stuck in a Select, taken as another type, or dropped in silence.
    let (tx, rx) = chan::<String>(0);
    let (ntx, nrx) = chan::<u32>(1);
    let mut s = Select::new();
    let a = s.send(&tx, "kept".into());
    let b = s.recv(&nrx);
    assert!(s.try_select().is_none());
    assert!(s.select_timeout(SHORT).is_none());
    assert_eq!(s.take::<String>(a), "kept");
    // A received value whose operation is dropped is the next to be reported, before anything else.
    ntx.send(1).unwrap();
    drop(s.select());
    ntx.send(2).unwrap();
    assert_eq!(s.select().recv(&nrx), Some(1));
    assert_eq!(s.try_select().unwrap().recv(&nrx), Some(2));
    // A send that failed gives its value back, to the operation or, if that is dropped, to `take`.
    drop(rx);
    let c = s.send(&tx, "first".into());
    assert_ne!(c, a);
    assert_eq!(s.select().send(&tx), Err(SendError("first".into())));
    let d = s.send(&tx, "second".into());
    assert_eq!(s.select().index(), d);
    assert_eq!(s.take::<String>(d), "second");
    assert!(s.try_select().is_none());
    s.remove(c);
    s.remove(b);
    assert!(s.try_select().is_none());
}

#[test]
fn dynamic_select_refuses_what_is_not_its_own() {
    // A value read as another type, because the wrong channel or type was named.
    fn message<R: std::fmt::Debug>(f: impl FnOnce() -> R) -> String {
        *catch_unwind(AssertUnwindSafe(f)).unwrap_err().downcast::<String>().unwrap()
    }
    let (tx, rx) = chan(1);
    let (other_tx, other_rx) = chan::<u64>(1);
    let mut s = Select::new();
    let a = s.recv(&rx);
    tx.send(5u32).unwrap();
    assert!(message(|| s.select().recv(&other_rx)).contains("is not a receive from this channel"));
    assert!(message(|| s.select().send(&other_tx)).contains("is not a send on this channel"));
    assert!(message(|| s.take::<u32>(a)).contains("it has no value to take back"));
    assert_eq!(s.select().recv(&rx), Some(5), "what was received is still there");
    let b = s.send(&other_tx, 7);
    assert!(message(|| s.take::<u32>(b)).contains("is a u64, not a u32"));
    assert_eq!(s.select().index(), b);
    assert!(message(|| s.take::<u64>(b)).contains("no arm"));
    assert!(message(|| s.remove(99)).contains("no arm 99"));
    assert_eq!(other_rx.recv(), Some(7));
}

#[test]
fn dynamic_select_over_many_channels() {
    // More arms than fit the space that is kept on the stack.
    everywhere(|on| {
        const N: usize = 100;
        let channels: Vec<_> = (0..N).map(|_| chan(0)).collect();
        let senders: Vec<_> = channels
            .iter()
            .enumerate()
            .map(|(i, (tx, _))| {
                let tx = tx.clone();
                on.go(move || tx.send(i).unwrap())
            })
            .collect();
        let mut s = Select::new();
        for (_, rx) in &channels {
            s.recv(rx);
        }
        let mut seen = [false; N];
        for _ in 0..N {
            let op = s.select();
            let index = op.index();
            assert_eq!(op.recv(&channels[index].1), Some(index));
            assert!(!std::mem::replace(&mut seen[index], true));
        }
        senders.into_iter().for_each(|s| s.join());
        assert!(s.try_select().is_none());
    });
}
