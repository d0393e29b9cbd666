//! The mutex: exclusion, fairness, poisoning.

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
