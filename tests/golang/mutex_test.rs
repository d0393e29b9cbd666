//! `src/sync/mutex_test.go`, `rwmutex_test.go`, `runtime_sema_test.go`.
//!
//! `TestMutexMisuse` (unlocking what is not locked) has nothing to correspond to: guards unlock, and once.

use crate::support::{everywhere, scaled, turn};
use gaggle::runtime::yield_now;
use gaggle::sync::{Mutex, RwLock, Semaphore};
use gaggle::time::sleep;
use gaggle::{chan, go, select};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};
use std::time::Duration;

#[test]
fn test_semaphore() {
    // A unit that is lost, or taken by two at once.
    let _turn = turn("test_semaphore");
    everywhere(scaled(20), || {
        let shared = Arc::new((Semaphore::new(1), AtomicI32::new(0)));
        let hammers: Vec<_> = (0..10)
            .map(|_| {
                go!(clone shared; {
                    for _ in 0..scaled(1_000) {
                        shared.0.acquire(1);
                        assert_eq!(shared.1.fetch_add(1, SeqCst), 0);
                        shared.1.fetch_sub(1, SeqCst);
                        shared.0.release(1);
                    }
                })
            })
            .collect();
        hammers.into_iter().for_each(|g| g.join().unwrap());
    });
}

#[test]
fn test_mutex() {
    // Two holders at once, a waiter that is never woken, a try that takes a locked mutex or refuses a free one.
    let _turn = turn("test_mutex");
    everywhere(scaled(20), || {
        let m = Arc::new(Mutex::new(0));
        let guard = m.lock().unwrap();
        assert!(m.try_lock().is_err());
        drop(guard);
        drop(m.try_lock().unwrap());
        let rounds = scaled(1_000);
        let hammers: Vec<_> = (0..10)
            .map(|_| {
                go!(clone m; {
                    let mut locked = 0;
                    for i in 0..rounds {
                        if i % 3 == 0 {
                            if let Ok(mut n) = m.try_lock() {
                                *n += 1;
                                locked += 1;
                            }
                        } else {
                            *m.lock().unwrap() += 1;
                            locked += 1;
                        }
                    }
                    locked
                })
            })
            .collect();
        let locked: i32 = hammers.into_iter().map(|g| g.join().unwrap()).sum();
        assert_eq!(*m.lock().unwrap(), locked);
    });
}

#[test]
fn test_mutex_fairness() {
    // A holder that locks again at once, for ever, before the waiter it has just woken: that one starves, and this hangs.
    let _turn = turn("test_mutex_fairness");
    everywhere(scaled(10), || {
        let m = Arc::new(Mutex::new(()));
        let (stop_tx, stop) = chan::<()>(0);
        let hog = go!(clone m; {
            loop {
                let guard = m.lock().unwrap();
                sleep(Duration::from_micros(100));
                drop(guard);
                select! {
                    _ = <-stop => return,
                    default => {},
                }
            }
        });
        for _ in 0..10 {
            sleep(Duration::from_micros(100));
            drop(m.lock().unwrap());
        }
        drop(stop_tx);
        hog.join().unwrap();
    });
}

#[test]
fn test_parallel_readers() {
    // A reader that waits for another one.
    let _turn = turn("test_parallel_readers");
    everywhere(scaled(50), || {
        for readers in [1, 3, 4] {
            let lock = Arc::new(RwLock::new(()));
            let ((locked_tx, locked), (unlock_tx, unlock)) = (chan(0), chan::<()>(0));
            let parties: Vec<_> = (0..readers)
                .map(|_| {
                    go!(clone lock, locked_tx, unlock; {
                        let _guard = lock.read().unwrap();
                        locked_tx.send(()).unwrap();
                        unlock.recv();
                    })
                })
                .collect();
            // All of them have it before any of them gives it back.
            (0..readers).for_each(|_| locked.recv().unwrap());
            drop(unlock_tx);
            parties.into_iter().for_each(|g| g.join().unwrap());
        }
    });
}

/// Readers count by one, writers by ten thousand: whoever sees a sum that should not be has company it should not have.
fn hammer_rw(readers: usize, rounds: usize) {
    let shared = Arc::new((RwLock::new(0_usize), AtomicI32::new(0)));
    let writer = || {
        go!(clone shared; {
            for _ in 0..rounds {
                let mut writes = shared.0.write().unwrap();
                assert_eq!(shared.1.fetch_add(10_000, SeqCst), 0, "a writer with company");
                *writes += 1;
                yield_now();
                shared.1.fetch_sub(10_000, SeqCst);
            }
        })
    };
    let reader = || {
        go!(clone shared; {
            for _ in 0..rounds {
                let writes = shared.0.read().unwrap();
                let before = *writes;
                assert!((0..10_000).contains(&shared.1.fetch_add(1, SeqCst)), "a reader beside a writer");
                yield_now();
                assert_eq!(*writes, before);
                shared.1.fetch_sub(1, SeqCst);
            }
        })
    };
    let mut parties = vec![writer()];
    parties.extend((0..readers / 2).map(|_| reader()));
    parties.push(writer());
    parties.extend((readers / 2..readers).map(|_| reader()));
    parties.into_iter().for_each(|g| g.join().unwrap());
    assert_eq!(*shared.0.read().unwrap(), 2 * rounds);
}

#[test]
fn test_rw_mutex() {
    // A writer beside anybody, a try that takes what is not free, a waiter that is never woken.
    let _turn = turn("test_rw_mutex");
    everywhere(scaled(10), || {
        let m = RwLock::new(());
        let guard = m.write().unwrap();
        assert!(m.try_write().is_err() && m.try_read().is_err());
        drop(guard);
        drop(m.try_write().unwrap());
        let readers = (m.try_read().unwrap(), m.try_read().unwrap());
        assert!(m.try_write().is_err());
        drop(readers);
        [1, 3, 5, 10].into_iter().for_each(|readers| hammer_rw(readers, scaled(200)));
    });
}

/// Go's `RLocker` is a view of the lock for readers; here the guards are what is handed about.
#[test]
fn test_r_locker() {
    // A writer that gets in beside the second of two readers, or a reader beside the writer.
    let _turn = turn("test_r_locker");
    everywhere(scaled(50), || {
        let lock = Arc::new(RwLock::new(()));
        let ((read_tx, read), (written_tx, written)) = (chan(1), chan(1));
        let (go_on_tx, go_on) = chan(0);
        let other = go!(clone lock; {
            for _ in 0..10 {
                let first = lock.read().unwrap();
                let second = lock.read().unwrap();
                read_tx.send(()).unwrap();
                go_on.recv().unwrap();
                assert!(written.is_empty(), "written beside two readers");
                drop(first);
                yield_now();
                assert!(written.is_empty(), "written beside a reader");
                drop(second);
                assert_eq!(written.recv(), Some(()));
            }
        });
        for _ in 0..10 {
            read.recv().unwrap();
            go_on_tx.send(()).unwrap();
            let guard = lock.write().unwrap();
            written_tx.send(()).unwrap();
            yield_now();
            assert!(read.is_empty(), "read beside a writer");
            drop(guard);
        }
        other.join().unwrap();
    });
}
