//! `src/sync/cond_test.go`. `TestCondCopy` is the compiler's business: a condition variable is not `Clone`.
//!
//! As in Go, and unlike `std`, a wait here ends only by a signal: the tests count on it, and would see one that does not.

use crate::support::{everywhere, scaled, turn};
use gaggle::runtime::yield_now;
use gaggle::sync::{Condvar, Mutex};
use gaggle::{TryRecvError, chan, go};
use std::sync::Arc;

/// A mutex with a condition of its own.
type Shared<T> = Arc<(Mutex<T>, Condvar)>;

fn shared<T>(value: T) -> Shared<T> {
    Arc::new((Mutex::new(value), Condvar::new()))
}

#[test]
fn test_cond_signal() {
    // A signal that wakes two, or none.
    let _turn = turn("test_cond_signal");
    everywhere(scaled(200), || {
        const N: usize = 2;
        let s = shared(());
        let ((running_tx, running), (awake_tx, awake)) = (chan(N), chan(N));
        for _ in 0..N {
            go!(clone s, running_tx, awake_tx; {
                let guard = s.0.lock().unwrap();
                running_tx.send(()).unwrap();
                let _guard = s.1.wait(guard).unwrap();
                awake_tx.send(()).unwrap();
            });
        }
        (0..N).for_each(|_| running.recv().unwrap());
        for _ in 0..N {
            assert_eq!(awake.try_recv(), Err(TryRecvError::Empty), "awake without a signal");
            let guard = s.0.lock().unwrap();
            s.1.notify_one();
            drop(guard);
            awake.recv().unwrap();
            yield_now();
            assert_eq!(awake.try_recv(), Err(TryRecvError::Empty), "one signal woke two");
        }
        s.1.notify_one();
    });
}

#[test]
fn test_cond_signal_generations() {
    // A signal that goes to who came later.
    let _turn = turn("test_cond_signal_generations");
    everywhere(scaled(20), || {
        const N: usize = 100;
        let s = shared(());
        let ((running_tx, running), (awake_tx, awake)) = (chan(N), chan(N));
        for i in 0..N {
            go!(clone s, running_tx, awake_tx; {
                let guard = s.0.lock().unwrap();
                running_tx.send(()).unwrap();
                let _guard = s.1.wait(guard).unwrap();
                awake_tx.send(i).unwrap();
            });
            if i > 0 {
                assert_eq!(awake.recv(), Some(i - 1), "the wrong one woke up");
            }
            running.recv().unwrap();
            let guard = s.0.lock().unwrap();
            s.1.notify_one();
            drop(guard);
        }
        assert_eq!(awake.recv(), Some(N - 1));
    });
}

#[test]
fn test_cond_broadcast() {
    // A broadcast that leaves one asleep, or wakes one twice.
    let _turn = turn("test_cond_broadcast");
    everywhere(1, || {
        let n = scaled(200);
        let s = shared(false);
        let ((running_tx, running), (awake_tx, awake)) = (chan(n), chan(n));
        let parties: Vec<_> = (0..n)
            .map(|g| {
                go!(clone s, running_tx, awake_tx; {
                    let mut exit = s.0.lock().unwrap();
                    while !*exit {
                        running_tx.send(()).unwrap();
                        exit = s.1.wait(exit).unwrap();
                        awake_tx.send(g).unwrap();
                    }
                })
            })
            .collect();
        for round in 0..n {
            (0..n).for_each(|_| running.recv().unwrap());
            if round == n - 1 {
                *s.0.lock().unwrap() = true;
            }
            assert_eq!(awake.try_recv(), Err(TryRecvError::Empty), "awake without a signal");
            let guard = s.0.lock().unwrap();
            s.1.notify_all();
            drop(guard);
            let mut seen: Vec<_> = awake.iter().take(n).collect();
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..n), "one woke up twice");
        }
        parties.into_iter().for_each(|g| g.join().unwrap());
        assert_eq!(running.try_recv(), Err(TryRecvError::Empty));
        s.1.notify_all();
    });
}

/// Waits, by polling, until the value is `wanted`, and then does `then`.
fn when(s: &Shared<i32>, wanted: i32, then: impl FnOnce(&mut i32)) {
    loop {
        let mut x = s.0.lock().unwrap();
        if *x == wanted {
            return then(&mut x);
        }
        drop(x);
        yield_now();
    }
}

#[test]
fn test_race() {
    // A value written under the lock that the woken does not see, or a signal lost between the three.
    let _turn = turn("test_race");
    everywhere(scaled(200), || {
        let s = shared(0);
        let first = go!(clone s; {
            let mut x = s.0.lock().unwrap();
            *x = 1;
            x = s.1.wait(x).unwrap();
            assert_eq!(*x, 2);
            *x = 3;
            s.1.notify_one();
        });
        let second = go!(clone s; {
            when(&s, 1, |x| {
                *x = 2;
                s.1.notify_one();
            });
        });
        // It waits if it comes in time, and finds everything done otherwise.
        let third = go!(clone s; {
            loop {
                let mut x = s.0.lock().unwrap();
                match *x {
                    2 => {
                        x = s.1.wait(x).unwrap();
                        assert_eq!(*x, 3);
                        break;
                    }
                    3 => break,
                    _ => drop(x),
                }
                yield_now();
            }
        });
        [first, second, third].into_iter().for_each(|g| g.join().unwrap());
    });
}

#[test]
fn test_cond_signal_stealing() {
    // A broadcast that reaches a waiter who came later in place of one who was there before.
    let _turn = turn("test_cond_signal_stealing");
    everywhere(scaled(500), || {
        let s = shared(false);
        let (tx, rx) = chan(0);
        go!(clone s; {
            let guard = s.0.lock().unwrap();
            tx.send(()).unwrap();
            drop(s.1.wait(guard).unwrap());
            tx.send(()).unwrap();
        });
        rx.recv().unwrap();
        // It held the lock when it said so: once we have had it, it waits.
        drop(s.0.lock().unwrap());
        go!(clone s; { s.1.notify_all() });
        let second = go!(clone s; {
            let mut done = s.0.lock().unwrap();
            while !*done {
                done = s.1.wait(done).unwrap();
            }
        });
        rx.recv().unwrap();
        *s.0.lock().unwrap() = true;
        s.1.notify_all();
        second.join().unwrap();
    });
}
