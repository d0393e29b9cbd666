//! The primitives under loom. Each model names the mutations that it was seen to catch.

use super::{Mutex, Once, WaitGroup};
use crate::primitives::cell::UnsafeCell;
use crate::primitives::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// A plain value, to be guarded by what the model is about: loom reports any race on it.
struct Payload(UnsafeCell<usize>);

/// Shared between loom threads.
///
/// # Safety
/// Accessed as the primitive under test allows; that it allows no race is what loom checks.
unsafe impl Sync for Payload {}
/// As above.
///
/// # Safety
/// As above.
unsafe impl Send for Payload {}

impl Payload {
    fn new() -> Self {
        Self(UnsafeCell::new(0))
    }

    fn bump(&self) {
        // SAFETY: checked by loom, see the type.
        self.0.with_mut(|p| unsafe { *p += 1 });
    }

    fn get(&self) -> usize {
        // SAFETY: checked by loom, see the type.
        self.0.with(|p| unsafe { *p })
    }
}

fn hammer(threads: usize, rounds: usize) {
    loom::model(move || {
        let m = Arc::new(Mutex::new(0usize));
        let work = move |m: &Mutex<usize>| {
            for _ in 0..rounds {
                *m.lock().unwrap() += 1;
            }
        };
        let others: Vec<_> = (1..threads)
            .map(|_| {
                let m = m.clone();
                thread::spawn(move || work(&m))
            })
            .collect();
        work(&m);
        for t in others {
            t.join().unwrap();
        }
        assert_eq!(*m.lock().unwrap(), threads * rounds);
    });
}

#[test]
fn mutex_two_parties_twice() {
    // Two holders at once; a waiter that nobody wakes; a lock that is handed over and taken as well.
    hammer(2, 2);
}

#[test]
fn mutex_three_parties() {
    // A waiter behind one that is woken, overtaken and put back; the ways into and out of the starving mode.
    hammer(3, 1);
}

#[test]
fn mutex_is_never_handed_to_two() {
    // A newcomer that gets in while the lock is being handed over; a hand-over that forgets the holder before. To
    // get there one party must overtake twice, which takes more preemptions than the other models need.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.map(|bound| bound.max(4));
    model.check(|| {
        let m = Arc::new(Mutex::new(0usize));
        let guard = m.lock().unwrap();
        let lockers = [1, 2].map(|rounds| {
            let m = m.clone();
            thread::spawn(move || (0..rounds).for_each(|_| *m.lock().unwrap() += 1))
        });
        drop(guard);
        let mut expected = 3;
        if let Ok(mut guard) = m.try_lock() {
            *guard += 1;
            expected += 1;
        }
        for t in lockers {
            t.join().unwrap();
        }
        assert_eq!(*m.lock().unwrap(), expected);
    });
}

#[test]
fn once_runs_once_and_publishes() {
    // Two runs; a caller that returns before the run is over; one that sleeps for ever.
    loom::model(|| {
        let shared = Arc::new((Once::new(), Payload::new()));
        let callers: Vec<_> = (0..2)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || {
                    shared.0.call_once(|| shared.1.bump());
                    assert_eq!(shared.1.get(), 1);
                })
            })
            .collect();
        shared.0.wait();
        assert_eq!(shared.1.get(), 1);
        for t in callers {
            t.join().unwrap();
        }
    });
}

#[test]
fn wait_group_publishes_on_the_quick_path() {
    // Work that is not visible after a `wait` that finds zero at its first look. The waiter is the spawned thread:
    // loom forgets a load as a point to come back to when the other side loads before it writes, so with the roles
    // exchanged it never lets the worker go first.
    loom::model(|| {
        let (wg, work) = (WaitGroup::new(), Arc::new(Payload::new()));
        wg.add(1);
        let waiter = {
            let (wg, work) = (wg.clone(), work.clone());
            thread::spawn(move || {
                wg.wait();
                assert_eq!(work.get(), 1);
            })
        };
        work.bump();
        wg.done();
        waiter.join().unwrap();
    });
}

#[test]
fn wait_group_waits_for_all_and_publishes() {
    // A wake-up that is lost, or comes before the last `done`; work that is not visible after `wait`.
    loom::model(|| {
        let wg = WaitGroup::new();
        wg.add(2);
        let work: [_; 2] = core::array::from_fn(|_| Arc::new(Payload::new()));
        let workers: Vec<_> = work
            .iter()
            .map(|payload| {
                let (payload, wg) = (payload.clone(), wg.clone());
                thread::spawn(move || {
                    payload.bump();
                    wg.done();
                })
            })
            .collect();
        wg.wait();
        assert!(work.iter().all(|payload| payload.get() == 1));
        for t in workers {
            t.join().unwrap();
        }
    });
}

#[test]
fn wait_group_reuse_keeps_the_generations_apart() {
    // A waiter of the second use woken by the end of the first, or one of the first that is never woken.
    loom::model(|| {
        let wg = WaitGroup::new();
        let second = Arc::new(Payload::new());
        wg.add(1);
        let waiter = {
            let wg = wg.clone();
            thread::spawn(move || wg.wait())
        };
        let worker = {
            let (wg, second) = (wg.clone(), second.clone());
            thread::spawn(move || {
                wg.done();
                wg.add(1);
                second.bump();
                wg.done();
            })
        };
        waiter.join().unwrap();
        worker.join().unwrap();
        wg.wait();
        assert_eq!(second.get(), 1);
    });
}

#[test]
fn wait_group_a_late_end_wakes_only_its_own() {
    // The end of the first use, carried out late, wakes a waiter of the second use, which begins meanwhile.
    loom::model(|| {
        let wg = WaitGroup::new();
        let finished = Arc::new(AtomicUsize::new(0));
        wg.add(1);
        let first = {
            let wg = wg.clone();
            thread::spawn(move || wg.wait())
        };
        let worker = {
            let wg = wg.clone();
            thread::spawn(move || wg.done())
        };
        wg.wait();
        wg.add(1);
        let second = {
            let (wg, finished) = (wg.clone(), finished.clone());
            thread::spawn(move || {
                finished.store(1, Ordering::Relaxed);
                wg.done();
            })
        };
        wg.wait();
        assert_eq!(finished.load(Ordering::Relaxed), 1);
        for t in [first, worker, second] {
            t.join().unwrap();
        }
    });
}
