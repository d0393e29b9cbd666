//! Selects. `rand_below` is 0 in models, so arms are tried in one fixed order.

use super::{Census, model, spawn};
use gaggle::__private::select::{block, poll, recv_arm, send_arm};
use gaggle::{Receiver, chan};

/// Receives from whichever of the two is first, and says which.
fn recv_either<T>(a: &Receiver<T>, b: &Receiver<T>) -> (usize, Option<T>) {
    let (mut a, mut b) = (recv_arm(a, true), recv_arm(b, true));
    match block(&mut [a.case(), b.case()], false) {
        0 => (0, a.finish()),
        _ => (1, b.finish()),
    }
}

/// Mutations caught: `settle` leaving the losers linked; `take_waiter` ignoring a lost claim.
#[test]
fn losing_send_arm_keeps_its_value() {
    // A value that is delivered although its arm lost, or lost with it.
    model(|| {
        let (atx, arx) = chan(0);
        let (btx, brx) = chan(0);
        let census = Census::new();
        let (one, two) = (census.token(1), census.token(2));
        let selector = spawn(move || {
            let (mut a, mut b) = (send_arm(&atx, one, true), send_arm(&btx, two, true));
            let winner = block(&mut [a.case(), b.case()], false);
            match winner {
                0 => a.finish_or_panic(),
                _ => b.finish_or_panic(),
            }
            winner
        });
        let other = spawn(move || brx.recv().map(|token| token.number()));
        let first = arx.recv().map(|token| token.number());
        let second = other.join().unwrap();
        match selector.join().unwrap() {
            0 => assert_eq!((first, second), (Some(1), None)),
            _ => assert_eq!((first, second), (None, Some(2))),
        }
        assert_eq!(census.alive(), 0);
    });
}

/// Mutations caught: the locks given up for a moment between `look` and `enqueue`.
#[test]
fn b01_face_to_face() {
    // Two selects that both send and receive on one channel wait for each other for ever.
    model(|| {
        let (tx, rx) = chan(0);
        let (other_tx, other_rx) = (tx.clone(), rx.clone());
        let both = |tx: gaggle::Sender<u32>, rx: Receiver<u32>, mine: u32| {
            let (mut s, mut r) = (send_arm(&tx, mine, true), recv_arm(&rx, true));
            match block(&mut [s.case(), r.case()], false) {
                0 => {
                    s.finish_or_panic();
                    None
                }
                _ => r.finish(),
            }
        };
        let there = spawn(move || both(other_tx, other_rx, 2));
        let here = both(tx, rx, 1);
        match (here, there.join().unwrap()) {
            (Some(2), None) | (None, Some(1)) => {}
            got => panic!("one sends, the other receives; got {got:?}"),
        }
    });
}

/// Mutations caught: `take_waiter` ignoring a lost claim.
#[test]
fn b02_losing_arm_left_in_the_queue() {
    // The next waiter's value goes to an arm that lost long ago.
    model(|| {
        let (atx, arx) = chan(0);
        let (btx, brx) = chan(0);
        let sender = spawn(move || {
            atx.send(1).unwrap();
            btx.send(2).unwrap();
        });
        let (winner, first) = recv_either(&arx, &brx);
        assert_eq!((winner, first), (0, Some(1)));
        assert_eq!(brx.recv(), Some(2));
        sender.join().unwrap();
    });
}

/// Mutations caught: `lock_all` locking a channel once per arm; `settle` leaving the losers linked.
#[test]
fn b03_same_channel_in_several_arms() {
    // Two arms of one channel: it is locked twice, or the wrong node is taken out.
    model(|| {
        let (tx, rx) = chan(0);
        let (utx, urx) = chan::<u32>(0);
        let sender = spawn(move || {
            tx.send(1).unwrap();
            tx.send(2).unwrap();
        });
        for expected in [1, 2] {
            let (mut a, mut b, mut c) = (recv_arm(&rx, true), recv_arm(&rx, true), recv_arm(&urx, true));
            let got = match block(&mut [a.case(), b.case(), c.case()], false) {
                0 => a.finish(),
                1 => b.finish(),
                _ => c.finish(),
            };
            assert_eq!(got, Some(expected));
        }
        sender.join().unwrap();
        drop(utx);
    });
}

/// Mutations caught: `take_waiter` giving up at the first waiter whose claim fails.
#[test]
fn b04_wakeup_consumed_by_a_waiter_already_satisfied() {
    // A select that has won elsewhere still stands in the queue, and swallows what the next waiter was to get.
    model(|| {
        let (atx, arx) = chan(0);
        let (btx, brx) = chan(0);
        let next = arx.clone();
        let selector = spawn(move || recv_either(&arx, &brx));
        let waiter = spawn(move || next.recv());
        btx.send(2).unwrap();
        atx.send(1).unwrap();
        drop(atx);
        assert_eq!(selector.join().unwrap(), (1, Some(2)));
        assert_eq!(waiter.join().unwrap(), Some(1));
    });
}

/// Mutations caught: close ending waits without claiming.
#[test]
fn b05_close_against_send() {
    // A select that is both closed on and sent to reports one, and loses the other's value.
    model(|| {
        let (atx, arx) = chan::<u32>(0);
        let (btx, brx) = chan::<u32>(0);
        let closer = spawn(move || atx.close());
        let sender = spawn(move || btx.send(2));
        match recv_either(&arx, &brx) {
            (0, None) => assert_eq!(brx.recv(), Some(2)),
            (1, Some(2)) => {}
            got => panic!("got {got:?}"),
        }
        closer.join().unwrap();
        sender.join().unwrap().unwrap();
    });
}

/// Mutations caught: `poll_many` trusting the glance.
#[test]
fn b12_poll_misses_what_was_always_there() {
    // At every instant one of the two channels is ready, yet `default` runs: in the order in which the one that is still
    // empty is looked at first.
    for a_comes_first in [false, true] {
        a_poll_beside_a_move(a_comes_first);
    }
}

fn a_poll_beside_a_move(a_comes_first: bool) {
    model(move || {
        let (atx, arx) = chan(1);
        let (btx, brx) = chan(1);
        atx.send(1).unwrap();
        let (other_arx, other_brx) = (arx.clone(), brx.clone());
        let poller = spawn(move || {
            let (mut a, mut b) = (recv_arm(&other_arx, true), recv_arm(&other_brx, true));
            let mut cases = [a.case(), b.case()];
            if !a_comes_first {
                cases.reverse();
            }
            poll(&mut cases, true).is_some()
        });
        btx.send(1).unwrap();
        let _ = arx.try_recv();
        assert!(poller.join().unwrap());
    });
}

/// Mutations caught: `lock_all` locking in the order of the arms.
#[test]
fn selects_in_opposite_order() {
    // Two selects that lock the same two channels in opposite order wait for each other's locks.
    model(|| {
        let (atx, arx) = chan(0);
        let (btx, brx) = chan(0);
        let sender = spawn(move || {
            let (mut b, mut a) = (send_arm(&btx, 2, true), send_arm(&atx, 1, true));
            match block(&mut [b.case(), a.case()], false) {
                0 => b.finish_or_panic(),
                _ => a.finish_or_panic(),
            }
        });
        let got = recv_either(&arx, &brx);
        assert!(got == (0, Some(1)) || got == (1, Some(2)), "got {got:?}");
        sender.join().unwrap();
    });
}
