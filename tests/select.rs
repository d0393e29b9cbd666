//! `select!` and `Select`, seen from outside.
#![cfg(all(not(loom), feature = "macros"))]

#[path = "select/dynamic.rs"]
mod dynamic;
mod on;
#[path = "select/races.rs"]
mod races;

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
