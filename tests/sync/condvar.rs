//! Condition variables: signals, broadcasts, timeouts.

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
