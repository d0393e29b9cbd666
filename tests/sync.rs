//! Locks and meeting points, from goroutines in both modes, from plain threads, and from both at once.
//!
//! Several of these follow the ideas of the tests of Go's `sync` and `x/sync/semaphore`.

use gaggle::runtime::yield_now;
use gaggle::sync::{
    Barrier, Condvar, Mutex, Once, OnceLock, PoisonError, RwLock, RwLockWriteGuard, Semaphore, TryLockError, WaitGroup,
};
use gaggle::time::sleep;
use gaggle::{chan, go, spawn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

mod common;
use common::in_both_modes;

const HANG: Duration = Duration::from_secs(30);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Runs `f(n)` for each `n` below `parties`, every fourth on a thread and the others in goroutines, and waits.
fn mixed(parties: usize, f: impl Fn(usize) + Send + Sync + Clone + 'static) {
    let mut threads = Vec::new();
    let wg = WaitGroup::new();
    for n in 0..parties {
        let f = f.clone();
        if n % 4 == 3 {
            threads.push(thread::spawn(move || f(n)));
        } else {
            wg.go(move || f(n));
        }
    }
    wg.wait();
    threads.into_iter().for_each(|t| t.join().unwrap());
}

/// Whether `f` panics with a message that contains `text`.
fn panics_with<T>(text: &str, f: impl FnOnce() -> T) -> bool {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else { return false };
    let message = payload.downcast_ref::<String>().map(String::as_str);
    message.or(payload.downcast_ref::<&str>().copied()).is_some_and(|message| message.contains(text))
}

mod mutex {
    use super::*;

    #[test]
    fn hammer() {
        // Two holders at once, or a waiter that nobody wakes.
        in_both_modes(|| {
            let count = Arc::new(Mutex::new(0u64));
            let total = count.clone();
            mixed(8, move |_| {
                for n in 0..1000 {
                    match count.try_lock() {
                        Ok(mut guard) if n % 3 == 0 => *guard += 1,
                        tried => {
                            drop(tried);
                            *count.lock().unwrap() += 1;
                        }
                    }
                }
            });
            assert_eq!(*total.lock().unwrap(), 8000);
        });
    }

    #[test]
    fn b29_a_guard_may_be_held_across_a_park() {
        // Neighbours on the holder's thread block that thread, and the holder cannot come back.
        in_both_modes(|| {
            let shared = Arc::new(Mutex::new(0));
            let inside = Arc::new(AtomicBool::new(false));
            let wg = WaitGroup::new();
            for _ in 0..20 {
                let (shared, inside) = (shared.clone(), inside.clone());
                wg.go(move || {
                    let mut guard = shared.lock().unwrap();
                    assert!(!inside.swap(true, Ordering::SeqCst));
                    let before = *guard;
                    yield_now();
                    sleep(Duration::from_micros(100));
                    *guard = before + 1;
                    assert!(inside.swap(false, Ordering::SeqCst));
                });
            }
            wg.wait();
            assert_eq!(*shared.lock().unwrap(), 20);
        });
    }

    #[test]
    fn fairness() {
        // One party that takes the lock again and again keeps another out for ever.
        in_both_modes(|| {
            let (shared, stop) = (Arc::new(Mutex::new(())), Arc::new(AtomicBool::new(false)));
            let hog = {
                let (shared, stop) = (shared.clone(), stop.clone());
                spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let _guard = shared.lock().unwrap();
                        sleep(Duration::from_micros(100));
                    }
                })
            };
            for _ in 0..10 {
                sleep(Duration::from_micros(100));
                drop(shared.lock().unwrap());
            }
            stop.store(true, Ordering::Relaxed);
            hog.join().unwrap();
        });
    }

    #[test]
    fn waiters_behind_a_long_holder_are_all_served() {
        // The starving mode: the lock is handed on, and the mode ends.
        in_both_modes(|| {
            let order = Arc::new(Mutex::new(Vec::new()));
            let guard = order.lock().unwrap();
            let wg = WaitGroup::new();
            for n in 0..30 {
                let order = order.clone();
                wg.go(move || {
                    let mut guard = order.lock().unwrap();
                    guard.push(n);
                    // Everybody behind has waited for more than a millisecond by now.
                    sleep(Duration::from_micros(300));
                });
            }
            sleep(ms(3));
            drop(guard);
            wg.wait();
            let mut order = order.lock().unwrap().clone();
            order.sort_unstable();
            assert_eq!(order, (0..30).collect::<Vec<_>>());
        });
    }

    #[test]
    fn try_lock_fails_while_held_and_only_then() {
        // A try that waits, or that gets in beside the holder, or fails on a free lock.
        let m = Mutex::new(1);
        let guard = m.try_lock().unwrap();
        assert!(matches!(m.try_lock(), Err(TryLockError::WouldBlock)));
        assert_eq!(format!("{m:?}"), "Mutex { data: <locked>, poisoned: false, .. }");
        drop(guard);
        assert_eq!(*m.try_lock().unwrap(), 1);
        assert_eq!(format!("{m:?}"), "Mutex { data: 1, poisoned: false, .. }");
    }

    #[test]
    fn a_panic_poisons_and_the_value_can_be_had_all_the_same() {
        // A broken invariant that the next holder does not hear of; or a lock that stays held.
        in_both_modes(|| {
            let m = Arc::new(Mutex::new(1));
            let other = m.clone();
            let ended = spawn(move || {
                *other.lock().unwrap() = 2;
                let _guard = other.lock().unwrap();
                panic!("with the lock held: expected in this test's output");
            })
            .join();
            assert!(ended.is_err() && m.is_poisoned());
            assert_eq!(*m.lock().unwrap_err().into_inner(), 2);
            assert!(matches!(m.try_lock(), Err(TryLockError::Poisoned(_))));
            m.clear_poison();
            assert_eq!(*m.lock().unwrap(), 2);
        });
    }

    #[test]
    fn a_guard_made_while_unwinding_does_not_poison() {
        // A destructor that locks while its goroutine unwinds poisons a lock that nothing is wrong with.
        struct Locks(Arc<Mutex<u32>>);
        impl Drop for Locks {
            fn drop(&mut self) {
                *self.0.lock().unwrap() += 1;
            }
        }
        let m = Arc::new(Mutex::new(0));
        let locks = Locks(m.clone());
        assert!(panics_with("expected", move || {
            let _locks = locks;
            panic!("expected in this test's output");
        }));
        assert!(!m.is_poisoned());
        assert_eq!(*m.lock().unwrap(), 1);
    }

    #[test]
    fn the_rest_of_stds_interface() {
        // A port from std that does not compile or differs.
        static STATIC: Mutex<i32> = Mutex::new(5);
        assert_eq!(*STATIC.lock().unwrap(), 5);
        let mut m: Mutex<String> = Mutex::default();
        m.get_mut().unwrap().push('x');
        assert_eq!(m.into_inner().unwrap(), "x");
        let unsized_: Box<Mutex<[i32]>> = Box::new(Mutex::new([1, 2, 3]));
        assert_eq!(unsized_.lock().unwrap().len(), 3);
        assert_eq!(format!("{} {0:?}", Mutex::from(3).lock().unwrap()), "3 3");
        fn is_sync<T: Sync>(_: &T) {}
        is_sync(&STATIC.lock().unwrap());
    }
}

mod rw_lock {
    use super::*;

    #[test]
    fn hammer() {
        // A reader beside a writer, two writers at once, or somebody left outside (Go's TestRWMutex).
        in_both_modes(|| {
            let (lock, activity) = (Arc::new(RwLock::new((0u64, 0u64))), Arc::new(AtomicI64::new(0)));
            let total = lock.clone();
            mixed(10, move |party| {
                for n in 0..200 {
                    if (n + party) % 5 == 0 {
                        let mut pair = lock.write().unwrap();
                        assert_eq!(activity.fetch_add(10_000, Ordering::SeqCst), 0);
                        pair.0 += 1;
                        if n % 10 == 0 {
                            yield_now();
                        }
                        pair.1 += 1;
                        activity.fetch_sub(10_000, Ordering::SeqCst);
                    } else {
                        let pair = lock.read().unwrap();
                        assert!(activity.fetch_add(1, Ordering::SeqCst) < 10_000);
                        assert_eq!(pair.0, pair.1);
                        if n % 10 == 0 {
                            yield_now();
                        }
                        activity.fetch_sub(1, Ordering::SeqCst);
                    }
                }
            });
            assert_eq!(*total.read().unwrap(), (400, 400));
        });
    }

    #[test]
    fn readers_are_inside_together() {
        // Readers that exclude each other: each waits here for all the others, with its guard held.
        in_both_modes(|| {
            let shared = Arc::new((RwLock::new(()), Barrier::new(5)));
            mixed(5, move |_| {
                let _guard = shared.0.read().unwrap();
                shared.1.wait();
            });
        });
    }

    #[test]
    fn a_waiting_writer_keeps_new_readers_out_and_they_come_next() {
        // Readers that follow each other for ever starve a writer; or writers starve them.
        in_both_modes(|| {
            let lock = Arc::new(RwLock::new(Vec::new()));
            let reader = lock.read().unwrap();
            let writer = |name: &'static str| {
                let lock = lock.clone();
                spawn(move || lock.write().unwrap().push(name))
            };
            let first = writer("first");
            while lock.try_read().is_ok() {
                yield_now();
            }
            // A writer waits: readers from now on stand behind it, and before the next writer.
            let readers: Vec<_> = (0..3)
                .map(|_| {
                    let lock = lock.clone();
                    spawn(move || assert!(!lock.read().unwrap().is_empty()))
                })
                .collect();
            let second = writer("second");
            drop(reader);
            for t in readers {
                t.join().unwrap();
            }
            first.join().unwrap();
            second.join().unwrap();
            assert_eq!(lock.read().unwrap().len(), 2);
        });
    }

    #[test]
    fn downgrade_lets_waiting_readers_in_and_writers_not() {
        // Readers left outside, or a writer in between.
        in_both_modes(|| {
            let lock = Arc::new(RwLock::new(0));
            let mut guard = lock.write().unwrap();
            let (tx, rx) = chan(0);
            for _ in 0..3 {
                let (lock, tx) = (lock.clone(), tx.clone());
                spawn(move || tx.send(*lock.read().unwrap()).unwrap());
            }
            *guard = 7;
            let guard = RwLockWriteGuard::downgrade(guard);
            for _ in 0..3 {
                assert_eq!(rx.recv_timeout(HANG), Ok(7));
            }
            assert!(lock.try_write().is_err());
            assert_eq!(*guard, 7);
            drop(guard);
            *lock.write().unwrap() = 8;
        });
    }

    #[test]
    fn a_writer_that_panics_poisons_and_a_reader_does_not() {
        // Readers cannot break anything; a writer can.
        let lock = Arc::new(RwLock::new(0));
        let reader = lock.clone();
        let ended = spawn(move || {
            let _guard = reader.read().unwrap();
            panic!("a reader: expected in this test's output");
        });
        assert!(ended.join().is_err() && !lock.is_poisoned());
        let writer = lock.clone();
        let ended = spawn(move || {
            let _guard = writer.write().unwrap();
            panic!("a writer: expected in this test's output");
        });
        assert!(ended.join().is_err() && lock.is_poisoned());
        assert!(lock.read().is_err() && lock.write().is_err());
        assert!(matches!(lock.try_read(), Err(TryLockError::Poisoned(_))));
        drop(lock.try_write().map_err(|error| match error {
            TryLockError::Poisoned(error) => error.into_inner(),
            TryLockError::WouldBlock => panic!("the lock is free"),
        }));
        lock.clear_poison();
        assert_eq!(*lock.read().unwrap(), 0);
    }

    #[test]
    fn the_rest_of_stds_interface() {
        // A port from std that does not compile or differs.
        static STATIC: RwLock<i32> = RwLock::new(5);
        assert_eq!(*STATIC.read().unwrap(), 5);
        let mut lock: RwLock<String> = RwLock::default();
        lock.get_mut().unwrap().push('x');
        assert_eq!(format!("{lock:?}"), "RwLock { data: \"x\", poisoned: false, .. }");
        assert_eq!(lock.into_inner().unwrap(), "x");
        let lock = RwLock::from(1);
        let guard = lock.write().unwrap();
        assert!(lock.try_read().is_err() && lock.try_write().is_err());
        assert_eq!(format!("{lock:?} {guard} {guard:?}"), "RwLock { data: <locked>, poisoned: false, .. } 1 1");
    }
}

mod condvar {
    use super::*;

    #[test]
    fn signal_wakes_one_each() {
        // A signal that wakes two, or none (Go's TestCondSignal).
        in_both_modes(|| {
            const N: usize = 6;
            let shared = Arc::new((Mutex::new(0usize), Condvar::new()));
            let (running_tx, running) = chan(N);
            let (awake_tx, awake) = chan(N);
            for _ in 0..N {
                let (shared, running_tx, awake_tx) = (shared.clone(), running_tx.clone(), awake_tx.clone());
                spawn(move || {
                    let mut guard = shared.0.lock().unwrap();
                    running_tx.send(()).unwrap();
                    guard = shared.1.wait(guard).unwrap();
                    *guard += 1;
                    drop(guard);
                    awake_tx.send(()).unwrap();
                });
            }
            for _ in 0..N {
                running.recv().unwrap();
            }
            for n in 1..=N {
                assert!(awake.is_empty(), "somebody woke without a signal");
                let guard = shared.0.lock().unwrap();
                shared.1.notify_one();
                drop(guard);
                awake.recv_timeout(HANG).unwrap();
                assert!(awake.is_empty(), "one signal woke two");
                assert_eq!(*shared.0.lock().unwrap(), n);
            }
            shared.1.notify_one();
        });
    }

    #[test]
    fn signals_go_in_the_order_of_waiting() {
        // A later waiter that takes an earlier one's signal (Go's TestCondSignalGenerations).
        in_both_modes(|| {
            let shared = Arc::new((Mutex::new(()), Condvar::new()));
            let (running_tx, running) = chan(1);
            let (awake_tx, awake) = chan(1);
            for n in 0..50 {
                let (shared_, running_tx, awake_tx) = (shared.clone(), running_tx.clone(), awake_tx.clone());
                spawn(move || {
                    let guard = shared_.0.lock().unwrap();
                    running_tx.send(()).unwrap();
                    drop(shared_.1.wait(guard).unwrap());
                    awake_tx.send(n).unwrap();
                });
                if n > 0 {
                    assert_eq!(awake.recv_timeout(HANG), Ok(n - 1));
                }
                running.recv().unwrap();
                drop(shared.0.lock().unwrap());
                shared.1.notify_one();
            }
        });
    }

    #[test]
    fn broadcast_wakes_all() {
        // Somebody left behind (Go's TestCondBroadcast).
        in_both_modes(|| {
            let shared = Arc::new((Mutex::new((0usize, false)), Condvar::new()));
            let (waiting, wg) = (shared.clone(), WaitGroup::new());
            for _ in 0..200 {
                let shared = shared.clone();
                wg.go(move || {
                    let mut guard = shared.0.lock().unwrap();
                    guard.0 += 1;
                    let guard = shared.1.wait_while(guard, |state| !state.1).unwrap();
                    assert!(guard.1);
                });
            }
            while waiting.0.lock().unwrap().0 < 200 {
                yield_now();
            }
            waiting.0.lock().unwrap().1 = true;
            waiting.1.notify_all();
            wg.wait();
        });
    }

    #[test]
    fn a_timeout_gives_up_and_a_notification_is_not_lost_to_it() {
        // The node of a waiter that gave up stays queued and swallows the next notification.
        in_both_modes(|| {
            let shared = Arc::new((Mutex::new(false), Condvar::new()));
            let start = Instant::now();
            let (guard, result) = shared.1.wait_timeout(shared.0.lock().unwrap(), ms(3)).unwrap();
            assert!(result.timed_out() && start.elapsed() >= ms(3) && !*guard);
            drop(guard);
            let other = shared.clone();
            let waiter = spawn(move || {
                let guard = other.0.lock().unwrap();
                let (guard, result) = other.1.wait_timeout_while(guard, HANG, |ready| !*ready).unwrap();
                assert!(*guard && !result.timed_out());
            });
            *shared.0.lock().unwrap() = true;
            shared.1.notify_one();
            waiter.join().unwrap();
            let (guard, result) = shared.1.wait_timeout_while(shared.0.lock().unwrap(), ms(1), |ready| *ready).unwrap();
            assert!(*guard && result.timed_out());
        });
    }

    #[test]
    fn timeouts_race_with_notifications() {
        // A waiter that is claimed by both, or by neither: a queue that is corrupted, or a count that is off.
        in_both_modes(|| {
            let shared = Arc::new((Mutex::new(0usize), Condvar::new()));
            let wg = WaitGroup::new();
            for party in 0..6 {
                let shared = shared.clone();
                wg.go(move || {
                    for n in 0..100 {
                        if party < 4 {
                            let guard = shared.0.lock().unwrap();
                            drop(shared.1.wait_timeout(guard, Duration::from_micros(n % 40)).unwrap());
                        } else {
                            *shared.0.lock().unwrap() += 1;
                            if n % 2 == 0 { shared.1.notify_one() } else { shared.1.notify_all() }
                        }
                    }
                });
            }
            wg.wait();
            assert_eq!(*shared.0.lock().unwrap(), 200);
        });
    }

    #[test]
    fn a_poisoned_mutex_is_reported_with_its_guard() {
        // A waiter that wakes up to a broken value and is not told.
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let other = shared.clone();
        let waiter = spawn(move || other.1.wait_while(other.0.lock().unwrap(), |n| *n == 0).is_err());
        let breaker = shared.clone();
        spawn(move || {
            let mut guard = breaker.0.lock().unwrap();
            *guard = 1;
            panic!("with the lock held: expected in this test's output");
        })
        .join()
        .unwrap_err();
        shared.1.notify_all();
        // The waiter came before the panic, or found the mutex poisoned and its own `unwrap` failed.
        assert!(waiter.join().unwrap_or(true));
        assert_eq!(*shared.0.lock().unwrap_or_else(PoisonError::into_inner), 1);
        let guard = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        let error = shared.1.wait_timeout(guard, ms(1)).unwrap_err();
        assert!(error.into_inner().1.timed_out());
    }
}

mod wait_group {
    use super::*;

    #[test]
    fn waits_for_all_again_and_again() {
        // A group that lets its waiter through early, or never; or only once (Go's TestWaitGroup).
        in_both_modes(|| {
            let (forth, back) = (WaitGroup::new(), WaitGroup::new());
            for _ in 0..8 {
                let (tx, rx) = chan(16);
                forth.add(16);
                back.add(16u8);
                for _ in 0..16 {
                    go!(clone forth, back, tx; {
                        forth.done();
                        back.wait();
                        tx.send(()).unwrap();
                    });
                }
                forth.wait();
                for _ in 0..16 {
                    assert!(rx.is_empty(), "released too early");
                    back.done();
                }
                drop(tx);
                assert_eq!(rx.iter().count(), 16);
            }
        });
    }

    #[test]
    fn misuse_panics_as_in_go_and_changes_nothing() {
        // A count below zero goes unnoticed (Go's TestWaitGroupMisuse).
        let wg = WaitGroup::new();
        wg.add(1);
        wg.done();
        assert!(panics_with("sync: negative WaitGroup counter", || wg.done()));
        assert!(panics_with("sync: negative WaitGroup counter", || wg.add(-2)));
        assert!(panics_with("sync: WaitGroup counter overflow", || wg.add(u64::MAX)));
        assert!(panics_with("sync: WaitGroup counter overflow", || wg.add(1u64 << 40)));
        wg.wait();
        wg.add(2usize);
        wg.add(-1i64);
        wg.done();
        wg.wait();
    }

    #[test]
    fn reuse_does_not_wait_for_the_waiters_of_before() {
        // A group used again at once: a waiter of the first use sleeps on, or one of the second wakes early. Go
        // panics here: "WaitGroup is reused before previous Wait has returned".
        in_both_modes(|| {
            let wg = WaitGroup::new();
            for _ in 0..300 {
                wg.add(1);
                let finished = Arc::new(AtomicBool::new(false));
                let waiter = go!(clone wg, finished; {
                    wg.wait();
                    assert!(finished.load(Ordering::SeqCst));
                });
                finished.store(true, Ordering::SeqCst);
                wg.done();
                wg.add(1);
                wg.done();
                waiter.join().unwrap();
            }
        });
    }

    #[test]
    fn go_counts_down_when_its_function_panics() {
        // A waiter that waits for ever for a goroutine that has died.
        in_both_modes(|| {
            let (wg, ran) = (WaitGroup::new(), Arc::new(AtomicUsize::new(0)));
            for n in 0..6 {
                let ran = ran.clone();
                wg.go(move || {
                    ran.fetch_add(1, Ordering::SeqCst);
                    assert!(n != 3, "expected in this test's output");
                });
            }
            wg.wait();
            assert_eq!(ran.load(Ordering::SeqCst), 6);
        });
    }

    #[test]
    fn many_wait_at_once() {
        // Only the first waiter is woken.
        in_both_modes(|| {
            let (gate, done) = (WaitGroup::new(), WaitGroup::new());
            gate.add(1);
            for _ in 0..100 {
                let gate = gate.clone();
                done.go(move || gate.wait());
            }
            gate.done();
            done.wait();
            assert_eq!(format!("{gate:?}"), "WaitGroup { count: 0, .. }");
        });
    }
}

mod once {
    use super::*;

    #[test]
    fn runs_once_and_all_see_its_work() {
        // Two runs, or a caller that returns before the run is over (Go's TestOnce).
        in_both_modes(|| {
            let shared = Arc::new((Once::new(), AtomicUsize::new(0)));
            mixed(12, move |_| {
                shared.0.call_once(|| {
                    yield_now();
                    sleep(Duration::from_micros(200));
                    shared.1.fetch_add(1, Ordering::Relaxed);
                });
                assert_eq!(shared.1.load(Ordering::Relaxed), 1);
                assert!(shared.0.is_completed());
            });
        });
    }

    #[test]
    fn a_panic_poisons_and_force_repairs() {
        // A half-made value that is taken for made (Go's TestOncePanic, with std's answer).
        let once = Once::new();
        assert!(panics_with("expected", || once.call_once(|| panic!("expected in this test's output"))));
        assert!(!once.is_completed());
        assert!(panics_with("Once instance has previously been poisoned", || once.call_once(|| ())));
        assert!(panics_with("Once instance has previously been poisoned", || once.wait()));
        once.call_once_force(|state| assert!(state.is_poisoned()));
        assert!(once.is_completed());
        once.call_once(|| panic!("a second run"));
        once.call_once_force(|_| panic!("a second run"));
        once.wait();
    }

    #[test]
    fn a_panic_lets_the_others_try() {
        // Those who wait for a run that panics sleep on.
        in_both_modes(|| {
            let shared = Arc::new((Once::new(), AtomicUsize::new(0)));
            let total = shared.clone();
            mixed(8, move |_| {
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    shared.0.call_once_force(|_| {
                        yield_now();
                        let runs = shared.1.fetch_add(1, Ordering::SeqCst);
                        assert!(runs >= 2, "expected in this test's output");
                    });
                }));
            });
            assert!(total.0.is_completed());
            assert_eq!(total.1.load(Ordering::SeqCst), 3);
        });
    }

    #[test]
    fn wait_waits_for_others_only() {
        // A waiter that is not woken by a call that comes after it.
        in_both_modes(|| {
            let once = Arc::new(Once::new());
            let waiters: Vec<_> = (0..4)
                .map(|n| {
                    let once = once.clone();
                    spawn(move || if n % 2 == 0 { once.wait() } else { once.wait_force() })
                })
                .collect();
            yield_now();
            once.call_once(|| ());
            for t in waiters {
                t.join().unwrap();
            }
        });
    }

    #[test]
    fn once_lock_is_made_once_and_dropped_once() {
        // Two values made, or one dropped twice or never.
        struct Counted(Arc<AtomicUsize>);
        impl Drop for Counted {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        in_both_modes(|| {
            let (cell, made) = (Arc::new(OnceLock::new()), Arc::new(AtomicUsize::new(0)));
            let drops = Arc::new(AtomicUsize::new(0));
            let (cell_, drops_, made_) = (cell.clone(), drops.clone(), made.clone());
            mixed(8, move |_| {
                cell_.get_or_init(|| {
                    yield_now();
                    made_.fetch_add(1, Ordering::SeqCst);
                    Counted(drops_.clone())
                });
            });
            assert_eq!((made.load(Ordering::SeqCst), drops.load(Ordering::SeqCst)), (1, 0));
            let mut cell = Arc::into_inner(cell).unwrap();
            drop(cell.take());
            assert!(cell.get().is_none() && drops.load(Ordering::SeqCst) == 1);
            assert!(cell.set(Counted(drops.clone())).is_ok());
            assert!(cell.set(Counted(drops.clone())).is_err());
            drop(cell);
            assert_eq!(drops.load(Ordering::SeqCst), 3);
        });
    }

    #[test]
    fn once_lock_stays_empty_when_its_maker_panics() {
        // A cell that is poisoned, or read before it is written.
        let cell = OnceLock::new();
        assert!(panics_with("expected", || *cell.get_or_init(|| panic!("expected in this test's output"))));
        assert_eq!(cell.get(), None);
        assert_eq!(*cell.get_or_init(|| 3), 3);
        assert_eq!(cell.clone(), OnceLock::from(3));
        assert_eq!(format!("{cell:?} {:?}", OnceLock::<u8>::new()), "OnceLock(3) OnceLock(<uninit>)");
    }
}

mod semaphore {
    use super::*;

    #[test]
    fn hammer() {
        // More permits out than there are, or a waiter that nobody serves (x/sync's TestWeighted).
        in_both_modes(|| {
            let shared = Arc::new((Semaphore::new(5), AtomicUsize::new(0)));
            let total = shared.clone();
            mixed(8, move |party| {
                let weight = party % 5 + 1;
                for n in 0..100 {
                    let has = match n % 3 {
                        0 => shared.0.try_acquire(weight),
                        1 => shared.0.acquire_timeout(weight, Duration::from_micros(50)),
                        _ => {
                            shared.0.acquire(weight);
                            true
                        }
                    };
                    if !has {
                        continue;
                    }
                    assert!(shared.1.fetch_add(weight, Ordering::SeqCst) + weight <= 5);
                    if n % 7 == 0 {
                        yield_now();
                    }
                    shared.1.fetch_sub(weight, Ordering::SeqCst);
                    shared.0.release(weight);
                }
            });
            assert!(total.0.try_acquire(5), "{:?}", total.0);
        });
    }

    #[test]
    fn a_large_request_is_not_starved_by_small_ones() {
        // Small requests overtake a large one for ever (x/sync's TestLargeAcquireDoesntStarve).
        in_both_modes(|| {
            let (sem, stop) = (Arc::new(Semaphore::new(4)), Arc::new(AtomicBool::new(false)));
            sem.acquire(4);
            let wg = WaitGroup::new();
            for _ in 0..4 {
                go!(clone sem, stop, wg; {
                    wg.add(1);
                    while !stop.load(Ordering::SeqCst) {
                        sem.acquire(1);
                        sleep(Duration::from_micros(50));
                        sem.release(1);
                    }
                    wg.done();
                });
            }
            sem.release(4);
            sem.acquire(4);
            stop.store(true, Ordering::SeqCst);
            sem.release(4);
            wg.wait();
        });
    }

    #[test]
    fn one_that_gives_up_lets_those_behind_it_through() {
        // A large request times out, and the small ones behind it, which could be served, sleep on.
        in_both_modes(|| {
            let sem = Arc::new(Semaphore::new(2));
            sem.acquire(1);
            let large = go!(clone sem; { sem.acquire_timeout(2, ms(5)) });
            while sem.try_acquire(1) {
                sem.release(1);
                if large.is_finished() {
                    break;
                }
                yield_now();
            }
            let small = go!(clone sem; { sem.acquire_timeout(1, HANG) });
            assert!(!large.join().unwrap());
            assert!(small.join().unwrap(), "{sem:?}");
            sem.release(2);
            assert!(sem.try_acquire(2));
        });
    }

    #[test]
    fn misuse_panics() {
        // A release too many, or a request that can never be met, goes unnoticed.
        let sem = Semaphore::new(2);
        assert!(panics_with("semaphore: released more than held", || sem.release(1)));
        sem.acquire(1);
        assert!(panics_with("semaphore: released more than held", || sem.release(2)));
        assert!(panics_with("3 permits asked for, of 2", || sem.acquire(3)));
        assert!(!sem.try_acquire(3));
        sem.acquire(0);
        sem.release(1);
        assert!(sem.try_acquire(2));
        assert!(panics_with("semaphore: size out of range", || Semaphore::new(usize::MAX)));
    }

    #[test]
    fn a_permit_is_released_when_its_holder_panics() {
        // A permit that is lost with its goroutine.
        let sem = Arc::new(Semaphore::new(1));
        let other = sem.clone();
        spawn(move || {
            let _permit = other.permit(1);
            panic!("expected in this test's output");
        })
        .join()
        .unwrap_err();
        let permit = sem.try_permit(1);
        assert!(permit.is_some());
        assert!(sem.try_permit(1).is_none() && !sem.try_acquire(1), "a permit that was not given is not released");
    }
}

mod barrier {
    use super::*;

    #[test]
    fn rounds_do_not_mix_and_have_one_leader() {
        // A fast party that is through two rounds while a slow one is in the first.
        in_both_modes(|| {
            const PARTIES: usize = 6;
            let shared = Arc::new((Barrier::new(PARTIES), AtomicUsize::new(0), AtomicUsize::new(0)));
            let total = shared.clone();
            mixed(PARTIES, move |_| {
                for round in 1..=50 {
                    shared.1.fetch_add(1, Ordering::SeqCst);
                    let leads = shared.0.wait().is_leader();
                    assert!(shared.1.load(Ordering::SeqCst) >= round * PARTIES);
                    shared.2.fetch_add(usize::from(leads), Ordering::SeqCst);
                    shared.0.wait();
                    assert!(shared.1.load(Ordering::SeqCst) <= (round + 1) * PARTIES);
                }
            });
            assert_eq!(total.2.load(Ordering::SeqCst), 50);
        });
    }

    #[test]
    fn nobody_waits_at_a_barrier_of_none_or_one() {
        // A barrier that waits for one party more than there is.
        for parties in [0, 1] {
            let barrier = Barrier::new(parties);
            assert!(barrier.wait().is_leader() && barrier.wait().is_leader());
        }
    }
}
