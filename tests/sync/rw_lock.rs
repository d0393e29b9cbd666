//! The reader-writer lock: exclusion, preference, downgrading, poisoning.

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
