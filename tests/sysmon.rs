//! The monitor: a goroutine that computes without end, or sits in a system call, keeps its thread and not the others.
//!
//! One test at a time, since each one sets the number of processors for the whole process. A test of this file that
//! fails by starvation does not assert: it hangs, as the starved goroutine never runs.

#![cfg(target_os = "linux")]

use gaggle::{chan, checkpoint, go, runtime, time};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

mod common;
use common::migrating;

/// Keeps the other tests away, and sets the number of processors.
fn alone_with(procs: usize) -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    runtime::set_max_procs(procs);
    guard
}

/// Computes until `done`, and asks nobody.
fn compute(done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        for n in 0..1000 {
            black_box(n);
        }
    }
}

/// Sits in system calls until `done`.
fn sit(done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A flag that ends hogs, also when the test fails.
#[derive(Clone, Default)]
struct Done(Arc<AtomicBool>);

impl Drop for Done {
    fn drop(&mut self) {
        if Arc::strong_count(&self.0) == 1 || std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

impl Done {
    fn say(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn new_goroutines_run_beside_hogs() {
    // What a hog has on its processor waits until it parks: for ever.
    for procs in [1, 2] {
        for hog in [compute, sit] {
            let _alone = alone_with(procs);
            let done = Done::default();
            // From a plain thread: a pinned goroutine may be at home on a hog's thread.
            let (started, starts) = chan(0);
            let hogs: Vec<_> = (0..3)
                .map(|_| {
                    go!(clone done, started; {
                        started.send(()).unwrap();
                        hog(&done.0)
                    })
                })
                .collect();
            for _ in 0..3 {
                starts.recv().unwrap();
            }
            for n in 0..50 {
                assert_eq!(go!({ n }).join().unwrap(), n);
            }
            done.say();
            hogs.into_iter().for_each(|g| g.join().unwrap());
        }
    }
}

#[test]
fn a_migrating_goroutine_wakes_up_beside_hogs() {
    // One that has run, and waits: it goes on wherever there is a thread, however many others are kept.
    for hog in [compute, sit] {
        let _alone = alone_with(1);
        migrating(move || {
            let done = Done::default();
            let hogs: Vec<_> = (0..4).map(|_| go!(clone done; { hog(&done.0) })).collect();
            for _ in 0..20 {
                time::sleep(Duration::from_millis(1));
            }
            done.say();
            hogs.into_iter().for_each(|g| g.join().unwrap());
        });
    }
}

#[test]
fn what_hogs_do_without_a_processor_is_not_lost() {
    // Started, woken, joined and freed by a goroutine whose processor is gone: each of them by another way.
    for procs in [1, 2, 8] {
        let _alone = alone_with(procs);
        for body in [gaggle::run, migrating] {
            body(|| {
                let hogs: Vec<_> = (0..4)
                    .map(|hog| {
                        go!({
                            for round in 0..10 {
                                let (tx, rx) = chan(1);
                                let until = Instant::now() + Duration::from_millis(13);
                                let echo = go!({ rx.recv().map(|n: u64| n + 1) });
                                while Instant::now() < until {
                                    black_box(hog);
                                }
                                // By now its processor has been taken, most often.
                                let inner: Vec<_> = (0..20).map(|n| go!(name = "inner", pinned; { n })).collect();
                                tx.send(round).unwrap();
                                if hog % 2 == 0 {
                                    runtime::yield_now();
                                }
                                assert_eq!(echo.join().unwrap(), Some(round + 1));
                                assert_eq!(inner.into_iter().map(|g| g.join().unwrap()).sum::<u64>(), 190);
                            }
                        })
                    })
                    .collect();
                hogs.into_iter().for_each(|g| g.join().unwrap());
            });
        }
    }
    let _alone = alone_with(2);
    // Nobody is counted twice, or never.
    while runtime::num_goroutines() != 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_hog_that_asks_yields_without_its_processor_too() {
    // A checkpoint whose mark nobody sets, or that leaves a worker without a processor where it was.
    let _alone = alone_with(1);
    for body in [gaggle::run, migrating] {
        body(|| {
            let left = Arc::new(AtomicUsize::new(2));
            let mut hogs = vec![go!(clone left; {
                // Asks all the time: without an answer the others never run, where this is their home.
                while left.load(Ordering::Relaxed) != 0 {
                    checkpoint();
                }
            })];
            for stretch in [5, 25] {
                hogs.push(go!(clone left; {
                    for _ in 0..5 {
                        // So long that the processor is gone, most often, before it asks.
                        let until = Instant::now() + Duration::from_millis(stretch);
                        while Instant::now() < until {
                            black_box(stretch);
                        }
                        checkpoint();
                    }
                    left.fetch_sub(1, Ordering::Relaxed);
                }));
            }
            hogs.into_iter().for_each(|g| g.join().unwrap());
        });
    }
}

#[test]
fn b29_a_guard_held_across_a_park_blocks_threads_and_not_the_others() {
    // Neighbours that wait for a std mutex keep all processors, and its holder cannot come back to unlock it.
    let _alone = alone_with(2);
    migrating(|| {
        let mutex = Arc::new(Mutex::new(0));
        let (tx, rx) = chan::<()>(0);
        let (locked, is_locked) = chan::<()>(0);
        let holder = go!(clone mutex; {
            // A migrating goroutine may not, as its guard would be dropped on another thread: so it stays.
            let _thread = runtime::lock_os_thread();
            let mut guard = mutex.lock().unwrap();
            locked.send(()).unwrap();
            rx.recv().unwrap();
            *guard += 1;
        });
        is_locked.recv().unwrap();
        let waiters: Vec<_> = (0..6).map(|_| go!(clone mutex; { *mutex.lock().unwrap() += 1 })).collect();
        // All threads are blocked soon, but for what the monitor does.
        for _ in 0..10 {
            time::sleep(Duration::from_millis(3));
        }
        tx.send(()).unwrap();
        holder.join().unwrap();
        waiters.into_iter().for_each(|g| g.join().unwrap());
        assert_eq!(*mutex.lock().unwrap(), 7);
    });
}

#[test]
fn a_park_while_panicking_gives_the_processor_to_others() {
    // The only processor stays with a thread whose goroutine waits in a destructor.
    struct Waits(gaggle::Receiver<()>);
    impl Drop for Waits {
        fn drop(&mut self) {
            assert!(std::thread::panicking());
            let until = Instant::now() + Duration::from_millis(30);
            while Instant::now() < until {
                black_box(());
            }
            assert_eq!(self.0.recv(), Some(()));
            assert!(std::thread::panicking(), "it went on on another thread");
        }
    }
    let _alone = alone_with(1);
    migrating(|| {
        let (tx, rx) = chan(0);
        let panics = go!({
            let _waits = Waits(rx);
            std::panic::resume_unwind(Box::new(()));
        });
        let other = go!({
            assert!(!std::thread::panicking());
            tx.send(()).unwrap();
            assert!(!std::thread::panicking());
        });
        other.join().unwrap();
        panics.join().unwrap_err();
    });
}
