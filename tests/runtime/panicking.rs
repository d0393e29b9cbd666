//! Parking while panicking (B21): a destructor that runs during unwinding uses a channel.

use crate::support::{everywhere, everywhere_migrating, scaled, thread_number, turn, yields};
use gaggle::runtime::yield_now;
use gaggle::{Receiver, chan, spawn};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use std::thread::panicking;

/// Receives when it is dropped, and checks what must hold around that.
struct ReceivesOnDrop {
    from: Receiver<usize>,
    sum: Arc<Mutex<usize>>,
    stays: bool,
}

impl Drop for ReceivesOnDrop {
    fn drop(&mut self) {
        assert!(panicking());
        let here = thread_number();
        let mut sum = 0;
        for v in &self.from {
            sum += v;
            yield_now();
            assert!(panicking(), "the panic went astray");
            assert!(!self.stays || thread_number() == here, "moved while panicking");
        }
        // A std guard dropped while panicking poisons: so read the sum only with that in mind.
        *self.sum.lock().unwrap_or_else(|p| p.into_inner()) += sum;
    }
}

fn panics_and_receives(from: &Receiver<usize>, sum: &Arc<Mutex<usize>>) -> gaggle::JoinHandle<()> {
    let held = ReceivesOnDrop { from: from.clone(), sum: sum.clone(), stays: true };
    spawn(move || {
        let _held = held;
        // Not `panic!`: the hook would print; it counts as a panic all the same.
        resume_unwind(Box::new(7usize));
    })
}

#[test]
fn b21_a_destructor_may_wait_during_unwinding() {
    // A park that waits for a neighbour on the very thread that it blocks: deadlock.
    let _turn = turn("b21_a_destructor_may_wait_during_unwinding");
    everywhere(scaled(100), || {
        let (tx, rx) = chan::<usize>(0);
        let sum = Arc::new(Mutex::new(0));
        let panicking: Vec<_> = (0..8).map(|_| panics_and_receives(&rx, &sum)).collect();
        let senders: Vec<_> = (0..4)
            .map(|_| {
                let tx = tx.clone();
                spawn(move || (0..10).for_each(|n| tx.send(n).unwrap()))
            })
            .collect();
        drop(tx);
        senders.into_iter().for_each(|g| g.join().unwrap());
        for g in panicking {
            assert_eq!(g.join().unwrap_err().downcast_ref(), Some(&7usize));
        }
        assert_eq!(*sum.lock().unwrap_or_else(|p| p.into_inner()), 4 * 45);
        assert!(!std::thread::panicking(), "the count of panics was left behind");
    });
}

#[test]
fn b21_migrating_neighbours_never_see_a_panic() {
    // The count of panics leaks to innocents: a healthy guard poisons its mutex, a real panic poisons none.
    let _turn = turn("b21_migrating_neighbours_never_see_a_panic");
    everywhere_migrating(scaled(100), || {
        let (tx, rx) = chan::<usize>(0);
        let sum = Arc::new(Mutex::new(0));
        let ends: Vec<_> = (0..4).map(|_| panics_and_receives(&rx, &sum)).collect();
        let healthy = Arc::new(Mutex::new(0));
        let neighbours: Vec<_> = (0..8)
            .map(|n| {
                let (healthy, tx) = (healthy.clone(), tx.clone());
                spawn(move || {
                    for _ in 0..10 {
                        assert!(!panicking(), "a neighbour's panic is seen here");
                        *healthy.lock().expect("poisoned by an innocent") += 1;
                        yield_now();
                    }
                    tx.send(n).unwrap();
                    assert!(!panicking());
                })
            })
            .collect();
        drop(tx);
        neighbours.into_iter().for_each(|g| g.join().unwrap());
        ends.into_iter().for_each(|g| assert!(g.join().is_err()));
        assert_eq!(*healthy.lock().unwrap(), 80);
    });
}

#[test]
fn b21_two_panics_on_one_thread_are_two_panics() {
    // A goroutine that panics while a neighbour is parked in its unwinding is taken for a double panic, and aborts.
    let _turn = turn("b21_two_panics_on_one_thread_are_two_panics");
    everywhere(scaled(100), || {
        let (tx, rx) = chan::<usize>(0);
        let sum = Arc::new(Mutex::new(0));
        let first = panics_and_receives(&rx, &sum);
        yields(2);
        let second = spawn(|| resume_unwind(Box::new("second")));
        assert_eq!(second.join().unwrap_err().downcast_ref(), Some(&"second"));
        let third = std::panic::catch_unwind(|| resume_unwind(Box::new("third")));
        assert_eq!(third.unwrap_err().downcast_ref(), Some(&"third"));
        tx.send(1).unwrap();
        drop(tx);
        assert!(first.join().is_err());
        assert!(!panicking());
    });
}

#[test]
fn a_caught_panic_gives_the_thread_back() {
    // A home set for the time of a panic that outlives it: the thread is shut to everybody else for ever.
    let _turn = turn("a_caught_panic_gives_the_thread_back");
    everywhere(scaled(100), || {
        let all: Vec<_> = (0..8)
            .map(|_| {
                spawn(|| {
                    for n in 0..5 {
                        let (tx, rx) = chan::<usize>(0);
                        let sender = spawn(move || tx.send(n).unwrap());
                        let sum = Arc::new(Mutex::new(0));
                        let held = ReceivesOnDrop { from: rx, sum: sum.clone(), stays: true };
                        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                            let _held = held;
                            resume_unwind(Box::new(()));
                        }));
                        assert!(caught.is_err());
                        yield_now();
                        sender.join().unwrap();
                        assert_eq!(*sum.lock().unwrap_or_else(|p| p.into_inner()), n);
                    }
                })
            })
            .collect();
        all.into_iter().for_each(|g| g.join().unwrap());
        // Not before the end: pinned neighbours on one thread see each other's panics.
        assert!(!panicking());
    });
}

#[test]
fn locking_the_thread_and_panicking_do_not_undo_each_other() {
    // Two reasons to stay on a thread kept in one place: the end of the one ends the other.
    let _turn = turn("locking_the_thread_and_panicking_do_not_undo_each_other");
    everywhere(scaled(100), || {
        let busy: Vec<_> = (0..4).map(|_| spawn(|| yields(30))).collect();
        spawn(|| {
            let guard = gaggle::runtime::lock_os_thread();
            let here = thread_number();
            let (tx, rx) = chan::<usize>(0);
            let sender = spawn(move || tx.send(3).unwrap());
            let held = ReceivesOnDrop { from: rx, sum: Arc::default(), stays: true };
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                let _held = held;
                resume_unwind(Box::new(()));
            }));
            assert!(caught.is_err());
            yields(5);
            assert_eq!(thread_number(), here, "the panic's end gave the locked thread back");
            drop(guard);
            sender.join().unwrap();
        })
        .join()
        .unwrap();
        busy.into_iter().for_each(|g| g.join().unwrap());
    });
}
