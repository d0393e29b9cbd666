//! `test/chan`: select, select2, select4, select5, select6, select8.

use crate::bytes_in_use;
use crate::support::{everywhere, scaled, turn};
use gaggle::{Sender, chan, go, runtime, select};
use std::cell::{Cell, RefCell};

/// select.go's channels are set to nil as they are used up; here they are `Option`s.
struct Offers {
    evaluated: Cell<u32>,
    shift: Cell<u32>,
}

impl Offers {
    fn value(&self) -> u32 {
        self.evaluated.set(self.evaluated.get() + 1);
        1 << self.shift.get()
    }

    /// Sends to each channel once, as long as there is one; returns how often.
    fn send(&self, mut a: Option<&Sender<u32>>, mut b: Option<&Sender<u32>>) -> usize {
        let mut sent = 0;
        loop {
            select! {
                a <- self.value() => a = None,
                b <- self.value() => b = None,
                default => return sent,
            }
            sent += 1;
            self.shift.set(self.shift.get() + 1);
        }
    }
}

#[test]
fn select_go() {
    // A nil channel that is ready; a value that is not evaluated, or evaluated twice, because its arm does not win.
    let _turn = turn("select_go");
    everywhere(scaled(100), || {
        let offers = Offers { evaluated: Cell::new(0), shift: Cell::new(0) };
        let ((a_tx, a), (b_tx, b)) = (chan(1), chan(1));
        assert_eq!(offers.send(Some(&a_tx), Some(&b_tx)), 2);
        assert_eq!(a.recv().unwrap() | b.recv().unwrap(), 3);
        assert_eq!(offers.send(Some(&a_tx), None), 1);
        assert_eq!(a.recv(), Some(4));
        assert_eq!(offers.evaluated.get(), 10);
        assert_eq!(offers.send(None, None), 0);
        assert_eq!(offers.evaluated.get(), 12);
    });
}

/// Moves values one by one, one of the two sides by selects that wait on `quiet` too, where nothing ever moves: each of
/// them would leave a waiter behind there, were it forgotten.
fn chatter(rounds: usize) {
    let ((tx, rx), (quiet_tx, quiet_rx)) = (chan::<usize>(0), chan::<usize>(0));
    let plain = go!(clone tx, rx; {
        (0..rounds).for_each(|i| tx.send(i).unwrap());
        (0..rounds).for_each(|i| assert_eq!(rx.recv(), Some(i)));
    });
    for expected in 0..rounds {
        select! {
            v = <-rx => assert_eq!(v, Some(expected)),
            _ = <-quiet_rx => panic!("nobody sends there"),
        }
    }
    for i in 0..rounds {
        select! {
            quiet_tx <- i => panic!("nobody receives there"),
            tx <- i => {},
        }
    }
    plain.join().unwrap();
}

#[test]
fn select2() {
    // A losing arm's waiter that stays in its queue: the memory of a program that selects in a loop grows without bound.
    let _turn = turn("select2");
    runtime::set_max_procs(1);
    gaggle::run(|| {
        // What is kept for the next time is made in the first rounds.
        chatter(2_000);
        let before = bytes_in_use();
        chatter(scaled(200_000));
        let grown = bytes_in_use().saturating_sub(before);
        // Go allows 110,000 bytes.
        assert!(grown < 64 << 10, "{grown} bytes");
    });
}

/// In Go the place that is assigned to, `*f() = <-c`, is evaluated only if its arm wins. Here assigning is the body's
/// business, so it is the bodies that must not run.
#[test]
fn select4() {
    // The body of an arm that did not win.
    let _turn = turn("select4");
    everywhere(scaled(100), || {
        let place = || -> &'static Cell<i32> { panic!("the other arm's place was evaluated") };
        let assigned = Cell::new(0);
        let ((tx, rx), (_never, nothing)) = (chan(1), chan::<i32>(0));
        tx.send(42).unwrap();
        select! {
            v = <-nothing => place().set(v.unwrap()),
            v = <-rx => assigned.set(v.unwrap()),
        }
        assert_eq!(assigned.get(), 42);
    });
}

/// Says in which order its operands were asked for.
#[derive(Default)]
struct Trace(RefCell<Vec<&'static str>>);

impl Trace {
    fn note<T>(&self, name: &'static str, operand: T) -> T {
        self.0.borrow_mut().push(name);
        operand
    }

    fn take(&self) -> Vec<&'static str> {
        self.0.take()
    }
}

#[test]
fn select5() {
    // Operands evaluated in another order than they are written in, for one winner but not for another, or twice.
    let _turn = turn("select5");
    everywhere(scaled(50), || {
        let t = Trace::default();
        const ALL: [&str; 6] = ["c1", "c2", "v2", "c3", "c4", "v4"];
        for ready in 0..5 {
            let ((tx1, c1), (c2, rx2)) = (chan::<u8>(1), chan::<u8>(1));
            let ((tx3, c3), (c4, rx4)) = (chan::<u8>(1), chan::<u8>(1));
            // Everything is made not to be ready, but for one.
            for (number, full) in [(1, &c2), (3, &c4)] {
                if ready != number {
                    full.send(0).unwrap();
                }
            }
            for (number, empty) in [(0, &tx1), (2, &tx3)] {
                if ready == number {
                    empty.send(0).unwrap();
                }
            }
            let won = select! {
                _ = <-t.note("c1", &c1) => 0,
                t.note("c2", &c2) <- t.note("v2", 2) => 1,
                _ = <-t.note("c3", &c3) => 2,
                t.note("c4", &c4) <- t.note("v4", 4) => 3,
                default => 4,
            };
            assert_eq!(won, ready);
            assert_eq!(t.take(), ALL, "arm {ready} won");
            drop((rx2, rx4));
        }
    });
}

#[test]
fn b02_select6_receivers() {
    // Go's issue 2075: taking a losing arm out of a queue cuts off those who wait behind it, and they never wake up.
    let _turn = turn("b02_select6_receivers");
    everywhere(scaled(200), || {
        let ((c1_tx, c1), (c2_tx, c2), (c3_tx, c3)) = (chan(0), chan(0), chan(0));
        let first = go!(clone c1; c1.recv());
        let second = go!({
            select! {
                _ = <-c1 => panic!("nobody sends before the select is over"),
                v = <-c2 => c3_tx.send(v.unwrap()).unwrap(),
            }
            c1.recv()
        });
        go!(c2_tx.send(true));
        assert_eq!(c3.recv(), Some(true));
        c1_tx.send(1).unwrap();
        c1_tx.send(2).unwrap();
        assert_eq!(first.join().unwrap().unwrap() + second.join().unwrap().unwrap(), 3);
    });
}

#[test]
fn b02_select6_senders() {
    // The same, of those who wait to send.
    let _turn = turn("b02_select6_senders");
    everywhere(scaled(200), || {
        let ((c1, c1_rx), (c2_tx, c2), (c3_tx, c3)) = (chan(0), chan(0), chan(0));
        let first = go!(clone c1; c1.send(1));
        let second = go!({
            select! {
                c1 <- 4 => panic!("nobody receives before the select is over"),
                v = <-c2 => c3_tx.send(v.unwrap()).unwrap(),
            }
            c1.send(2)
        });
        go!(c2_tx.send(true));
        assert_eq!(c3.recv(), Some(true));
        assert_eq!(c1_rx.recv().unwrap() + c1_rx.recv().unwrap(), 3);
        first.join().unwrap().unwrap();
        second.join().unwrap().unwrap();
    });
}

/// In Go `break` ends the select; here it ends the loop around, as in any other expression, and a labelled block is
/// what a `break` leaves early.
#[test]
fn select8() {
    // A `break` that leaves too much, or too little: from inside an arm, from inside a nested select, with a value.
    let _turn = turn("select8");
    everywhere(scaled(50), || {
        let (tx, rx) = chan(1);
        tx.send(7).unwrap();
        let mut seen = 0;
        'select: {
            select! {
                v = <-rx => {
                    seen += 1;
                    if v == Some(7) {
                        break 'select;
                    }
                    seen += 100;
                },
                default => seen += 10,
            }
            seen += 100;
        }
        assert_eq!(seen, 1);
        // Fills the buffer, empties it, finds it empty and fills it again; then a nested arm ends the loop.
        let rounds = loop {
            seen += 1;
            select! {
                v = <-rx => {
                    assert_eq!(v, Some(8));
                    if seen > 4 {
                        break seen;
                    }
                },
                default => select! {
                    tx <- 8 => continue,
                    default => panic!("an empty buffer is full"),
                },
            }
        };
        assert_eq!(rounds, 5);
    });
}
