//! The bugs of others: races between selects, sends, receives, closes and timeouts.

use crate::on::everywhere;
use gaggle::{chan, select};
use std::time::Duration;

#[test]
fn b01_face_to_face() {
    // Two selects, each ready to send and to receive on one unbuffered channel, wait for each other for ever; or a
    // select that meets itself (Go's TestSelfSelect).
    everywhere(|on| {
        for capacity in [0, 10] {
            let (tx, rx) = chan(capacity);
            let parties: Vec<_> = (0..2)
                .map(|p| {
                    let (tx, rx) = (tx.clone(), rx.clone());
                    on.go(move || {
                        for i in 0..300 {
                            let got = if p == 0 || i % 2 == 0 {
                                select! { tx <- p => None, v = <-rx => v }
                            } else {
                                select! { v = <-rx => v, tx <- p => None }
                            };
                            assert!(capacity != 0 || got != Some(p), "it received its own value");
                        }
                    })
                })
                .collect();
            // Each meeting is one turn of both; so both come to their end.
            parties.into_iter().for_each(|p| p.join());
        }
    });
}

#[test]
fn b02_losers_leave_the_queue() {
    // A select's losing arm stays in the queue and swallows the next value (Go's test/chan/select6.go).
    everywhere(|on| {
        let (atx, arx) = chan::<bool>(0);
        let (btx, brx) = chan::<bool>(0);
        let (ctx, crx) = chan::<bool>(0);
        let (dtx, drx) = chan::<bool>(0);
        let starter = on.go({
            let crx = crx.clone();
            move || crx.recv()
        });
        let first = on.go(move || {
            // Blocked on both; a wins, and its arm on b must go.
            select! {
                _ = <-arx => {},
                _ = <-brx => {},
            }
            dtx.send(true).unwrap();
            brx.recv()
        });
        ctx.send(true).unwrap();
        starter.join();
        atx.send(true).unwrap();
        assert_eq!(drx.recv(), Some(true));
        btx.send(true).unwrap();
        assert_eq!(first.join(), Some(true));
    });
}

#[test]
fn b03_duplicate_channels() {
    // One channel in several arms: it is locked twice, or the wrong node leaves the queue.
    everywhere(|on| {
        let (tx, rx) = chan(0);
        let (_never, other) = chan::<usize>(0);
        let sender = on.go(move || (0..600).for_each(|i| tx.send(i).unwrap()));
        let mut arms = [0; 4];
        for i in 0..600 {
            let (arm, v) = select! {
                v = <-rx => (0, v),
                v = <-other => (3, v),
                v = <-rx => (1, v),
                v = <-rx => (2, v),
            };
            assert_eq!(v, Some(i));
            arms[arm] += 1;
        }
        assert_eq!(arms[3], 0);
        sender.join();
        assert_eq!(select! { v = <-rx => v, v = <-rx => v }, None);
    });
}

#[test]
fn b04_wakeup_consumed_by_a_waiter_already_satisfied() {
    // Values sent while selects win elsewhere go to arms that have lost, and are gone.
    everywhere(|on| {
        const EACH: usize = 400;
        let channels: Vec<_> = (0..3).map(|_| chan(0)).collect();
        let senders: Vec<_> = channels
            .iter()
            .map(|(tx, _)| {
                let tx = tx.clone();
                on.go(move || (0..EACH).for_each(|_| tx.send(1usize).unwrap()))
            })
            .collect();
        let receivers: Vec<_> = (0..3)
            .map(|_| {
                let rxs: Vec<_> = channels.iter().map(|(_, rx)| rx.clone()).collect();
                on.go(move || {
                    (0..EACH)
                        .map(|_| {
                            select! {
                                v = <-rxs[0] => v.unwrap(),
                                v = <-rxs[1] => v.unwrap(),
                                v = <-rxs[2] => v.unwrap(),
                            }
                        })
                        .sum::<usize>()
                })
            })
            .collect();
        assert_eq!(receivers.into_iter().map(|r| r.join()).sum::<usize>(), 3 * EACH);
        senders.into_iter().for_each(|s| s.join());
    });
}

#[test]
fn b05_close_against_send() {
    // A select that is closed on and sent to at the same time loses the value, or takes part twice.
    everywhere(|on| {
        for i in 0..200 {
            let (atx, arx) = chan::<i32>(0);
            let (btx, brx) = chan::<i32>(0);
            let closer = on.go(move || atx.close());
            let sender = on.go(move || btx.send(i));
            let closed = select! {
                v = <-arx => {
                    assert_eq!(v, None);
                    true
                },
                v = <-brx => {
                    assert_eq!(v, Some(i));
                    false
                },
            };
            if closed {
                assert_eq!(brx.recv(), Some(i));
            }
            assert_eq!((closer.join(), sender.join()), (true, Ok(())));
        }
    });
}

#[test]
fn b09_b10_timeout_against_delivery() {
    // A timeout that races with a hand-over loses the value, or doubles it.
    everywhere(|on| {
        let (tx, rx) = chan(0);
        let sender = on.go(move || {
            let mut sent = 0;
            for _ in 0..300 {
                select! {
                    tx <- Box::new(1) => sent += 1,
                    after(Duration::from_micros(15)) => {},
                }
            }
            sent
        });
        let mut got = 0;
        loop {
            select! {
                v = <-rx => match v {
                    Some(v) => got += *v,
                    None => break,
                },
                after(Duration::from_micros(20)) => {},
            }
        }
        assert_eq!(sender.join(), got);
    });
}

#[test]
fn stress() {
    // Sends, receives and selects over four channels in each other's way; the sums must come out (after Go's
    // TestSelectStress).
    everywhere(|on| {
        const N: usize = 300;
        let channels: Vec<_> = [0, 0, 2, 3].map(chan::<usize>).into();
        let mut parties = vec![];
        for (tx, rx) in &channels {
            let (tx, rx) = (tx.clone(), rx.clone());
            parties.push(on.go(move || (0..N).for_each(|_| tx.send(0).unwrap())));
            parties.push(on.go(move || (0..N).for_each(|_| assert_eq!(rx.recv(), Some(0)))));
        }
        let ends = || channels.iter().cloned().unzip::<_, _, Vec<_>, Vec<_>>();
        let (txs, _) = ends();
        parties.push(on.go(move || {
            let mut left = [N; 4];
            for _ in 0..4 * N {
                let sent = select! {
                    txs[3] <- 0 if left[3] > 0 => 3,
                    txs[2] <- 0 if left[2] > 0 => 2,
                    txs[0] <- 0 if left[0] > 0 => 0,
                    txs[1] <- 0 if left[1] > 0 => 1,
                };
                left[sent] -= 1;
            }
        }));
        let (_, rxs) = ends();
        parties.push(on.go(move || {
            let mut left = [N; 4];
            for _ in 0..4 * N {
                let got = select! {
                    _ = <-rxs[0] if left[0] > 0 => 0,
                    _ = <-rxs[1] if left[1] > 0 => 1,
                    _ = <-rxs[2] if left[2] > 0 => 2,
                    _ = <-rxs[3] if left[3] > 0 => 3,
                };
                left[got] -= 1;
            }
        }));
        parties.into_iter().for_each(|p| p.join());
        assert!(channels.iter().all(|(tx, _)| tx.is_empty()));
    });
}
