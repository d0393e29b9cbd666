//! Fairness: whatever is runnable runs, however busy its neighbours are. One test at a time, since each one sets the
//! number of processors for the whole process.
//!
//! A test of this file that fails hangs as a rule, as the starved goroutine never runs, until `alone_with` ends it.

use gaggle::runtime::{self, lock_os_thread};
use gaggle::time::Ticker;
use gaggle::{Receiver, Sender, chan, spawn};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

mod support;
use support::{alone_with, migrating};

/// Says that somebody has run.
#[derive(Clone, Default)]
struct Flag(Arc<AtomicBool>);

impl Flag {
    fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_up(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What one of a pair holds: a way to wake the other, and one to be woken.
type End = (Sender<()>, Receiver<()>);

/// Two ends of a pair that wakes each other for ever.
fn pair() -> (End, End) {
    let ((there, there_end), (back, back_end)) = (chan(0), chan(0));
    ((there, back_end), (back, there_end))
}

/// Plays ping until `done`; then hangs up.
fn ping((tx, rx): (Sender<()>, Receiver<()>), done: &Flag) {
    while !done.is_up() {
        tx.send(()).unwrap();
        rx.recv().unwrap();
    }
}

fn pong((tx, rx): (Sender<()>, Receiver<()>)) {
    while rx.recv().is_some() {
        tx.send(()).unwrap();
    }
}

#[test]
fn b15_a_pair_at_home_does_not_starve_what_it_started() {
    // A new goroutine waits to run next on the processor, and the pair's wake-ups always come before it.
    for procs in [1, 2] {
        let _alone = alone_with(procs);
        gaggle::run(|| {
            let (ours, theirs) = pair();
            let other = spawn(move || pong(theirs));
            ours.0.send(()).unwrap();
            ours.1.recv().unwrap();
            let done = Flag::default();
            let started = spawn({
                let done = done.clone();
                move || done.raise()
            });
            ping(ours, &done);
            started.join().unwrap();
            other.join().unwrap();
        });
    }
}

#[test]
fn b15_a_pair_on_a_locked_thread_does_not_starve_its_neighbour() {
    // A locked worker that always runs what was woken last never comes to those who wait longer.
    let _alone = alone_with(1);
    gaggle::run(|| {
        let (ours, theirs) = pair();
        let other = spawn(move || pong(theirs));
        let done = Flag::default();
        let neighbour = spawn({
            let done = done.clone();
            move || {
                runtime::yield_now();
                done.raise();
            }
        });
        // All three have run now, so this is their home.
        ours.0.send(()).unwrap();
        ours.1.recv().unwrap();
        let _locked = lock_os_thread();
        ping(ours, &done);
        neighbour.join().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn yielding_goroutines_at_home_do_not_starve_new_ones() {
    // The two queues are asked in turn; if the turn is bound to a number that the goroutines advance in step, one
    // queue's turn never comes.
    let _alone = alone_with(1);
    gaggle::run(|| {
        let done = Flag::default();
        let (tx, rx) = chan::<()>(0);
        let helper = spawn(move || while rx.recv().is_some() {});
        let mut yielders = Vec::new();
        for _ in 0..3 {
            let (tx, done) = (tx.clone(), done.clone());
            yielders.push(spawn(move || {
                // Each turn takes two picks: the helper's, and the next yielder's.
                while !done.is_up() {
                    tx.send(()).unwrap();
                    runtime::yield_now();
                }
            }));
        }
        drop(tx);
        runtime::yield_now();
        let late: Vec<_> = (0..3)
            .map(|_| {
                let done = done.clone();
                spawn(move || done.raise())
            })
            .collect();
        for g in yielders.into_iter().chain(late) {
            g.join().unwrap();
        }
        helper.join().unwrap();
    });
}

#[test]
fn yielding_goroutines_do_not_starve_what_is_started_from_outside() {
    // An injector that is looked at only when the queues are empty, which these never are.
    starts_soon_beside_yielders(|| ());
}

#[test]
fn an_injector_has_its_turn_though_deadlines_pass_all_the_time() {
    // A worker that goes to its root each time that the injector's turn has come, and forgets about the injector there.
    starts_soon_beside_yielders(|| Ticker::new(Duration::from_nanos(1)));
}

/// Checks that a goroutine that is started from outside, while others yield and `disturbance` is alive, begins soon. The
/// monitor comes by, as it does on a busy machine: so the turns are counted that the others have meanwhile.
fn starts_soon_beside_yielders<D: 'static>(disturbance: fn() -> D) {
    const MANY: usize = 1_000_000;
    const FEW: usize = 1_000;
    let _alone = alone_with(1);
    migrating(move || {
        let _disturbance = disturbance();
        let turns = Arc::new(AtomicUsize::new(0));
        let give_up_at = Arc::new(AtomicUsize::new(usize::MAX));
        let ran_at = Arc::new(AtomicUsize::new(usize::MAX));
        let (tx, running) = chan(3);
        let yielders: Vec<_> = (0..3)
            .map(|_| {
                let (tx, turns, give_up_at, ran_at) = (tx.clone(), turns.clone(), give_up_at.clone(), ran_at.clone());
                spawn(move || {
                    tx.send(()).unwrap();
                    while ran_at.load(Relaxed) == usize::MAX && turns.fetch_add(1, Relaxed) < give_up_at.load(Relaxed) {
                        runtime::yield_now();
                    }
                })
            })
            .collect();
        (0..3).for_each(|_| running.recv().unwrap());
        let outside = {
            let (turns, give_up_at, ran_at) = (turns.clone(), give_up_at.clone(), ran_at.clone());
            std::thread::spawn(move || {
                let now = turns.clone();
                let late = spawn(move || ran_at.store(now.load(Relaxed), Relaxed));
                let queued_at = turns.load(Relaxed);
                give_up_at.store(queued_at + MANY, Relaxed);
                late.join().unwrap();
                queued_at
            })
        };
        yielders.into_iter().for_each(|g| g.join().unwrap());
        let waited = ran_at.load(Relaxed).min(turns.load(Relaxed)).saturating_sub(outside.join().unwrap());
        assert!(waited < FEW, "the others had {waited} turns meanwhile");
    });
}

#[test]
fn a_locked_thread_is_not_sent_to_look_for_work() {
    // A processor that is offered to a sleeping locked worker, which runs nobody else: it comes back at once, is
    // offered to the same worker again, and what was to run there waits for ever.
    let _alone = alone_with(2);
    migrating(|| {
        let (tx, rx) = chan::<()>(0);
        let mut locked = Vec::new();
        for _ in 0..4 {
            let rx = rx.clone();
            locked.push(spawn(move || {
                let _locked = lock_os_thread();
                rx.recv()
            }));
        }
        for _ in 0..200 {
            runtime::yield_now();
        }
        let ran = Flag::default();
        spawn({
            let ran = ran.clone();
            move || ran.raise()
        });
        // Keeps its processor: somebody else has to take the new goroutine.
        while !ran.is_up() {
            std::hint::spin_loop();
        }
        drop(tx);
        for g in locked {
            assert_eq!(g.join().unwrap(), None);
        }
    });
}

#[test]
fn a_pair_of_locked_threads_does_not_starve_the_others() {
    // Two locked workers that hand the only processor to each other, past those who could run the rest.
    let _alone = alone_with(1);
    migrating(|| {
        let (ours, theirs) = pair();
        let other = spawn(move || {
            let _locked = lock_os_thread();
            pong(theirs);
        });
        let done = Flag::default();
        let main = spawn({
            let done = done.clone();
            move || {
                let _locked = lock_os_thread();
                ping(ours, &done);
            }
        });
        for _ in 0..200 {
            runtime::yield_now();
        }
        done.raise();
        main.join().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn a_guard_of_another_goroutine_unlocks_nobody() {
    // A guard left in a thread local and dropped by a neighbour: a count of locks that wraps around.
    thread_local! {
        static LEFT: std::cell::Cell<Option<runtime::OsThreadGuard>> = const { std::cell::Cell::new(None) };
    }
    let _alone = alone_with(1);
    gaggle::run(|| {
        let (tx, rx) = chan::<()>(0);
        let neighbour = spawn(move || {
            assert_eq!(rx.recv(), Some(()));
            drop(LEFT.take());
            runtime::yield_now();
            std::thread::current().id()
        });
        // It waits now, and is at home on this thread.
        runtime::yield_now();
        LEFT.set(Some(lock_os_thread()));
        tx.send(()).unwrap();
        assert_eq!(neighbour.join().unwrap(), std::thread::current().id());
    });
}
