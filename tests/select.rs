//! `select!` and `Select`, seen from outside.
#![cfg(all(not(loom), feature = "macros"))]

mod on;

use gaggle::__private::select as hidden;
use gaggle::{Receiver, Select, SendError, Sender, chan, select};
use on::everywhere;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(5);

// ---- which arm wins

/// The chi-square statistic of counts that should be even.
fn chi_square(counts: &[u32]) -> f64 {
    let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
    counts.iter().map(|c| (f64::from(*c) - expected).powi(2) / expected).sum()
}

#[test]
fn b26_ready_arms_win_evenly() {
    // One of several ready arms always wins, or wins more often: within one party, and over the first choice of
    // each of many.
    everywhere(|on| {
        const ARMS: usize = 3;
        let closed: Vec<_> = (0..ARMS).map(|_| chan::<()>(0).1).collect();
        let choose = |rxs: &[Receiver<()>]| {
            select! {
                _ = <-rxs[0] => 0,
                _ = <-rxs[1] => 1,
                _ = <-rxs[2] => 2,
            }
        };
        let mut counts = [0; ARMS];
        (0..30_000).for_each(|_| counts[choose(&closed)] += 1);
        // 2 degrees of freedom: 30 is beyond anything but a bug.
        assert!(chi_square(&counts) < 30.0, "within one party: {counts:?}");

        let mut counts = [0; ARMS];
        for _ in 0..30 {
            let parties: Vec<_> = (0..10)
                .map(|_| {
                    let rxs = closed.clone();
                    on.go(move || choose(&rxs))
                })
                .collect();
            parties.into_iter().for_each(|p| counts[p.join()] += 1);
        }
        assert!(chi_square(&counts) < 30.0, "over first choices: {counts:?}");
    });
}

#[test]
fn b26_arms_of_both_kinds_and_of_a_dynamic_select_win_evenly() {
    // A send arm, or the arm added last, at a disadvantage.
    let (tx, rx) = chan(1);
    let mut counts = [0; 2];
    let (_never, other) = chan::<()>(0);
    for _ in 0..10_000 {
        // One send is possible, and one receive from a channel that is never empty.
        let (full_tx, full_rx) = chan(1);
        full_tx.send(()).unwrap();
        select! {
            tx <- () => {
                counts[0] += 1;
                rx.recv().unwrap();
            },
            _ = <-full_rx => counts[1] += 1,
            _ = <-other => unreachable!(),
        }
    }
    assert!(chi_square(&counts) < 40.0, "{counts:?}");

    let closed: Vec<_> = (0..11).map(|_| chan::<()>(0).1).collect();
    let mut s = Select::new();
    for rx in &closed {
        s.recv(rx);
    }
    let mut counts = [0; 11];
    for _ in 0..22_000 {
        let op = s.select();
        let index = op.index();
        assert_eq!(op.recv(&closed[index]), None);
        counts[index] += 1;
    }
    assert!(chi_square(&counts) < 60.0, "{counts:?}");
}

#[test]
fn biased_takes_the_first_that_is_ready() {
    // An order that is not kept.
    let (tx, rx) = chan(4);
    let nil: Option<Receiver<i32>> = None;
    (0..4).for_each(|i| tx.send(i).unwrap());
    for i in 0..4 {
        select! {
            biased;
            _ = <-nil => unreachable!(),
            v = <-rx => assert_eq!(v, Some(i)),
            tx <- 9 => unreachable!(),
        }
    }
    let mut s = Select::new_biased();
    let a = s.recv(&rx);
    let b = s.send(&tx, 7);
    assert_eq!(s.select().index(), b, "the receive is not ready");
    assert_eq!(s.select().index(), a, "now it is");
}

#[test]
fn default_only_when_nothing_is_ready() {
    // A default taken although an arm is ready; or an arm taken that is not.
    everywhere(|_| {
        let (tx, rx) = chan(1);
        let poll = |tx: &Sender<u8>, rx: &Receiver<u8>, send: bool| {
            select! {
                v = <-rx => v.map(u32::from),
                tx <- 1 if send => Some(100),
                default => Some(200),
            }
        };
        assert_eq!(poll(&tx, &rx, false), Some(200));
        assert_eq!(poll(&tx, &rx, true), Some(100));
        assert_eq!(poll(&tx, &rx, true), Some(1));
        tx.close();
        assert_eq!(poll(&tx, &rx, false), None);
    });
}

#[test]
fn b12_select_race() {
    // A poll over two channels, looked at one after the other, finds neither, although at every instant one of them
    // is ready (Go's TestNonblockSelectRace and its sibling).
    everywhere(|on| {
        for i in 0..400 {
            let (atx, arx) = chan(1);
            let (btx, brx) = chan(1);
            atx.send(1).unwrap();
            let (a, b) = (arx.clone(), brx.clone());
            let poller = on.go(move || {
                select! {
                    _ = <-a => true,
                    _ = <-b => true,
                    default => false,
                }
            });
            if i % 2 == 0 {
                btx.send(1).unwrap();
            } else {
                btx.close();
            }
            let _ = arx.try_recv();
            assert!(poller.join(), "no channel was ready");
        }
    });
}

#[test]
fn timeout_arm() {
    // A select that returns before its time, or never; a timeout that beats an arm that is ready.
    everywhere(|on| {
        let (tx, rx) = chan::<u8>(0);
        let start = Instant::now();
        let timed_out = select! {
            _ = <-rx => false,
            after(SHORT) => true,
        };
        assert!(timed_out && start.elapsed() >= SHORT);
        let sender = on.go(move || tx.send(5));
        let got = select! {
            v = <-rx => v,
            after(Duration::MAX) => None,
        };
        assert_eq!(got, Some(5));
        assert_eq!(sender.join(), Ok(()));
        let closed = select! {
            v = <-rx => v.is_none(),
            after(Duration::ZERO) => false,
        };
        assert!(closed);
    });
}

#[test]
fn never_ready() {
    // A nil channel, or an arm whose guard is false, that wins.
    let nil_rx: Option<&Receiver<u8>> = None;
    let nil_tx: Option<Sender<u8>> = None;
    let (tx, rx) = chan(1);
    let n = select! {
        _ = <-nil_rx => 1,
        nil_tx <- 5 => 2,
        tx <- 6 if false => 3,
        _ = <-rx => 4,
        after(SHORT) => 5,
    };
    assert_eq!(n, 5);
    assert!(tx.is_empty());
    // Pointers and references to channels are as good as channels.
    let boxed: Option<Box<Rc<Arc<&Receiver<u8>>>>> = Some(Box::new(Rc::new(Arc::new(&rx))));
    tx.send(8).unwrap();
    assert_eq!(select! { v = <-boxed => v, default => None }, Some(8));
}

// ---- the bugs of others

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

// ---- values

#[test]
fn losing_values_are_dropped_once() {
    // The value of a losing send arm is leaked, sent anyway, or dropped twice; so is a received one.
    everywhere(|on| {
        let alive = Arc::new(());
        let (atx, arx) = chan(0);
        let (btx, brx) = chan(0);
        let receiver = on.go(move || (0..100).map(|_| arx.recv().unwrap()).map(drop).count());
        for _ in 0..100 {
            select! {
                atx <- alive.clone() => {},
                btx <- alive.clone() => unreachable!(),
            }
        }
        receiver.join();
        assert_eq!(Arc::strong_count(&alive), 1);
        let mut arm = hidden::send_arm(&btx, alive.clone(), true);
        assert_eq!(hidden::poll(&mut [arm.case()], false), None);
        drop(arm);
        // A received value that nobody finishes is dropped with its arm.
        let sender = on.go({
            let alive = alive.clone();
            move || btx.send(alive)
        });
        let mut arm = hidden::recv_arm(&brx, true);
        assert_eq!(hidden::block(&mut [arm.case()], false), 0);
        sender.join().unwrap();
        assert_eq!(Arc::strong_count(&alive), 2);
        drop(arm);
        assert_eq!(Arc::strong_count(&alive), 1);
    });
}

#[test]
fn send_on_closed() {
    // A bare send arm that passes over a closed channel in silence; a result arm that panics or loses the value.
    everywhere(|on| {
        let (tx, rx) = chan(0);
        drop(rx);
        let payload = catch_unwind(AssertUnwindSafe(|| select! { tx <- 5 => {} })).unwrap_err();
        assert_eq!(*payload.downcast::<&str>().unwrap(), "send on closed channel");
        select! { r = tx <- 6 => assert_eq!(r, Err(SendError(6))) }

        // Closed while it waits.
        let (tx, rx) = chan(0);
        let (_keep, never) = chan::<()>(0);
        let selector = on.go(move || {
            select! {
                r = tx <- String::from("back") => r.unwrap_err().into_inner(),
                _ = <-never => unreachable!(),
            }
        });
        drop(rx);
        assert_eq!(selector.join(), "back");
    });
}

// ---- the dynamic form

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
