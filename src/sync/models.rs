//! The primitives under loom. Each model names the mutations that it was seen to catch.
//!
//! Three parties at most, with one or two operations each: `LOOM_MAX_PREEMPTIONS=3` explores all of them in a minute or
//! two. A mutation that is no mistake survives, and rightly: QUEUED left set with an empty queue (an unlock looks in
//! vain), `read_unlock_contended` waking at `departing <= 0` (a writer that has registered is above zero).

use super::patience;
use super::{Barrier, Condvar, Mutex, Once, RwLock, Semaphore, WaitGroup};
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

/// Mutations seen to fail here: `set_locked` Relaxed; `unlock` Relaxed; the compare-and-swaps of `lock_or_announce`
/// and `compete` Relaxed; `unlock` not minding STARVING.
#[test]
fn mutex_two_parties_twice() {
    // Two holders at once; a waiter that nobody wakes; a lock that is handed over and taken as well.
    hammer(2, 2);
}

/// Mutations seen to fail here: `wake_first` waking although WOKEN is set; the new holder clearing LOCKED instead
/// of STARVING.
#[test]
fn mutex_three_parties() {
    // A waiter behind one that is woken, overtaken and put back; the ways into and out of the starving mode.
    hammer(3, 1);
}

/// Mutations seen to fail here: QUEUED not announced; `unlock` waking nobody; `compete` leaving WOKEN set;
/// `hand_over` leaving STARVING set with an empty queue.
#[test]
fn mutex_is_never_handed_to_two() {
    // A newcomer that gets in while the lock is being handed over; a starving mode that outlives its queue, whether or
    // not the one that is served ends it.
    for stays_over in [false, true] {
        patience::set_stays_over(stays_over);
        loom::model(|| {
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
}

/// Mutations seen to fail here: `Finish` Relaxed, or waking nobody; `is_completed` Relaxed; a run that forgets
/// QUEUED; a waiter that does not set it.
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

/// Mutations seen to fail here: `wait` looking Relaxed.
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

/// Mutations seen to fail here: `add` without Release, or without Acquire; `wait` queueing at zero; a wake list
/// that wakes its first only.
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

/// Mutations seen to fail here: `end_generation` that wakes nobody.
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

/// Mutations seen to fail here: generations that do not count up; `end_generation` that wakes those of later ones.
#[test]
fn wait_group_a_late_end_wakes_only_its_own() {
    // The end of the first use, carried out late, wakes a waiter of the second use, which begins meanwhile. Two
    // preemptions are enough to get there, and three take a minute.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.map(|bound| bound.min(2));
    model.check(|| {
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

/// Mutations seen to fail here: `read` Relaxed; admissions for readers on their way lost; a writer that waits for
/// readers who have left; `departing` overwritten rather than added to.
#[test]
fn rw_lock_a_writer_against_two_readers() {
    // A writer inside together with a reader; a reader or the writer that nobody lets in; a torn view.
    loom::model(|| {
        let lock = Arc::new(RwLock::new((0usize, 0usize)));
        let readers: [_; 2] = core::array::from_fn(|_| {
            let lock = lock.clone();
            thread::spawn(move || {
                let pair = lock.read().unwrap();
                assert_eq!(pair.0, pair.1);
            })
        });
        {
            let mut pair = lock.write().unwrap();
            pair.0 += 1;
            pair.1 += 1;
        }
        for t in readers {
            t.join().unwrap();
        }
        assert_eq!(*lock.read().unwrap(), (1, 1));
    });
}

/// Mutations seen to fail here: `write` Relaxed; `read_unlock` Relaxed; `leave` Relaxed.
#[test]
fn rw_lock_two_writers_and_a_reader() {
    // Two writers at once; a reader admitted by one writer, and counted wrongly by the next.
    loom::model(|| {
        let lock = Arc::new(RwLock::new(0usize));
        let writer = {
            let lock = lock.clone();
            thread::spawn(move || *lock.write().unwrap() += 1)
        };
        let reader = {
            let lock = lock.clone();
            thread::spawn(move || assert!(*lock.read().unwrap() <= 2))
        };
        *lock.write().unwrap() += 1;
        writer.join().unwrap();
        reader.join().unwrap();
        assert_eq!(*lock.read().unwrap(), 2);
    });
}

/// Mutations seen to fail here: a downgrade that does not count its reader.
#[test]
fn rw_lock_downgrade_lets_no_writer_in() {
    // A writer between the two halves of a downgrade, or readers that it leaves outside.
    loom::model(|| {
        let lock = Arc::new(RwLock::new(0usize));
        let mut guard = lock.write().unwrap();
        let writer = {
            let lock = lock.clone();
            thread::spawn(move || *lock.write().unwrap() += 1)
        };
        let reader = {
            let lock = lock.clone();
            thread::spawn(move || assert!(*lock.read().unwrap() >= 1))
        };
        *guard = 1;
        let guard = super::RwLockWriteGuard::downgrade(guard);
        assert_eq!(*guard, 1);
        drop(guard);
        writer.join().unwrap();
        reader.join().unwrap();
        assert_eq!(*lock.read().unwrap(), 2);
    });
}

/// Mutations seen to fail here: `try_read` Relaxed; `try_write` Relaxed, or keeping `writers` when it fails.
#[test]
fn rw_lock_tries_against_a_writer() {
    // A try that gets in beside another, does not see what the other did, or leaves the lock held when it fails. The
    // tries are made by the spawned thread, so that the writer goes first to begin with (see the wait group's quick
    // path).
    loom::model(|| {
        let lock = Arc::new(RwLock::new(0usize));
        let trying = {
            let lock = lock.clone();
            thread::spawn(move || {
                let read = lock.try_read().map(|guard| *guard);
                assert!(read.is_err() || matches!(read, Ok(0 | 1)));
                lock.try_write().map(|mut guard| *guard += 1).is_ok()
            })
        };
        *lock.write().unwrap() += 1;
        assert!(*lock.read().unwrap() >= 1);
        let expected = 1 + usize::from(trying.join().unwrap());
        assert_eq!(*lock.write().unwrap(), expected);
    });
}

/// Mutations seen to fail here: `release` Relaxed, or serving nobody; QUEUED not set, not cleared, or not minded by
/// newcomers; `grant` that serves one only.
#[test]
fn semaphore_never_gives_more_than_it_has() {
    // Two parties with one permit; a permit that is lost between a release and a waiter that is about to queue.
    loom::model(|| {
        let shared = Arc::new((Semaphore::new(1), Payload::new()));
        let others: [_; 2] = core::array::from_fn(|_| {
            let shared = shared.clone();
            thread::spawn(move || {
                let _permit = shared.0.permit(1);
                shared.1.bump();
            })
        });
        {
            let _permit = shared.0.permit(1);
            shared.1.bump();
        }
        for t in others {
            t.join().unwrap();
        }
        assert!(shared.0.try_acquire(1));
        assert_eq!(shared.1.get(), 3);
    });
}

/// Mutations seen to fail here: `grant` looking Relaxed.
#[test]
fn semaphore_serves_a_large_request_and_those_behind_it() {
    // A large request that is overtaken for ever, or that is served without waking the small one behind it.
    loom::model(|| {
        let shared = Arc::new((Semaphore::new(2), Payload::new()));
        shared.0.acquire(1);
        let large = {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.0.acquire(2);
                shared.1.bump();
                shared.0.release(2);
            })
        };
        let small = {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.0.acquire(1);
                shared.0.release(1);
            })
        };
        shared.1.bump();
        shared.0.release(1);
        large.join().unwrap();
        small.join().unwrap();
        assert!(shared.0.try_acquire(2));
        assert_eq!(shared.1.get(), 2);
    });
}

/// Mutations seen to fail here: a release that serves the first waiter only.
#[test]
fn semaphore_serves_all_that_it_can() {
    // Two waiters for two permits that come at once: the second sleeps beside a free one, and nobody releases again.
    loom::model(|| {
        let sem = Arc::new(Semaphore::new(2));
        sem.acquire(2);
        let waiters: [_; 2] = core::array::from_fn(|_| {
            let sem = sem.clone();
            thread::spawn(move || sem.acquire(1))
        });
        sem.release(2);
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        assert!(!sem.try_acquire(1));
    });
}

/// Mutations seen to fail here: a waiter that does not publish `waiting`; one that returns without the mutex.
#[test]
fn condvar_loses_no_notification() {
    // A notification between the look at the condition and the wait; a quick path that overlooks a waiter.
    loom::model(|| {
        let shared = Arc::new((Mutex::new(0usize), Condvar::new()));
        let others: [_; 2] = core::array::from_fn(|_| {
            let shared = shared.clone();
            thread::spawn(move || {
                *shared.0.lock().unwrap() += 1;
                shared.1.notify_one();
            })
        });
        let mut count = shared.0.lock().unwrap();
        while *count < 2 {
            count = shared.1.wait(count).unwrap();
        }
        drop(count);
        for t in others {
            t.join().unwrap();
        }
    });
}

/// Mutations seen to fail here: `notify_all` waking one; a wake list that loses its links.
#[test]
fn condvar_notify_all_reaches_everybody() {
    // A waiter that is left behind.
    loom::model(|| {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let waiters: [_; 2] = core::array::from_fn(|_| {
            let shared = shared.clone();
            thread::spawn(move || {
                let ready = shared.1.wait_while(shared.0.lock().unwrap(), |ready| !*ready).unwrap();
                assert!(*ready);
            })
        });
        *shared.0.lock().unwrap() = true;
        shared.1.notify_all();
        for t in waiters {
            t.join().unwrap();
        }
    });
}

/// Mutations seen to fail here: a count that is not started anew.
#[test]
fn barrier_rounds_do_not_mix() {
    // A party let through early, one left behind when the next round begins, or two leaders.
    loom::model(|| {
        let shared = Arc::new((Barrier::new(2), [Payload::new(), Payload::new()]));
        let other = {
            let shared = shared.clone();
            thread::spawn(move || {
                shared.1[0].bump();
                let first = shared.0.wait().is_leader();
                assert_eq!(shared.1[1].get(), 1);
                (first, shared.0.wait().is_leader())
            })
        };
        shared.1[1].bump();
        let first = shared.0.wait().is_leader();
        assert_eq!(shared.1[0].get(), 1);
        let second = shared.0.wait().is_leader();
        let theirs = other.join().unwrap();
        assert!(first != theirs.0 && second != theirs.1);
    });
}
