//! `src/sync/waitgroup_test.go`, `once_test.go`. (`TestWaitGroupAlign`, about 32-bit machines, is the compiler's business.)

use crate::support::{everywhere, scaled, turn};
use gaggle::sync::{Once, WaitGroup};
use gaggle::{TryRecvError, chan, go};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[test]
fn test_wait_group() {
    // A group that lets go too soon, not at all, or not a second time.
    let _turn = turn("test_wait_group");
    everywhere(scaled(50), || {
        let (wg1, wg2) = (WaitGroup::new(), WaitGroup::new());
        for _ in 0..8 {
            const N: usize = 16;
            wg1.add(N);
            wg2.add(N);
            let (tx, exited) = chan(N);
            for _ in 0..N {
                go!(clone wg1, wg2, tx; {
                    wg1.done();
                    wg2.wait();
                    tx.send(()).unwrap();
                });
            }
            wg1.wait();
            for _ in 0..N {
                assert_eq!(exited.try_recv(), Err(TryRecvError::Empty), "let go too soon");
                wg2.done();
            }
            (0..N).for_each(|_| exited.recv().unwrap());
        }
    });
}

#[test]
fn test_wait_group_misuse() {
    // A counter that falls below zero unnoticed: the next wait hangs, or does not wait.
    let _turn = turn("test_wait_group_misuse");
    everywhere(5, || {
        let wg = WaitGroup::new();
        wg.add(1);
        wg.done();
        let panic = catch_unwind(AssertUnwindSafe(|| wg.done())).unwrap_err();
        let message = panic.downcast_ref::<&str>().copied().map(String::from);
        let message = message.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap();
        assert!(message.contains("negative WaitGroup counter"), "{message}");
    });
}

#[test]
fn test_wait_group_race() {
    // What was done before `done` not seen after `wait`.
    let _turn = turn("test_wait_group_race");
    everywhere(1, || {
        for _ in 0..scaled(3_000) {
            let wg = WaitGroup::new();
            let n = Arc::new(AtomicUsize::new(0));
            for _ in 0..2 {
                wg.add(1);
                go!(clone wg, n; {
                    // Relaxed: the group alone orders this before the load.
                    n.fetch_add(1, Relaxed);
                    wg.done();
                });
            }
            wg.wait();
            assert_eq!(n.load(Relaxed), 2, "woken too soon");
        }
    });
}

#[test]
fn test_wait_group_go() {
    // A goroutine of the group that is not waited for.
    let _turn = turn("test_wait_group_go");
    everywhere(scaled(200), || {
        let wg = WaitGroup::new();
        let n = Arc::new(AtomicUsize::new(0));
        let counted = n.clone();
        wg.go(move || {
            counted.fetch_add(1, Relaxed);
        });
        wg.wait();
        assert_eq!(n.load(Relaxed), 1);
    });
}

#[test]
fn test_once() {
    // Done twice, or one who goes on before it is done.
    let _turn = turn("test_once");
    everywhere(scaled(200), || {
        let shared = Arc::new((Once::new(), AtomicUsize::new(0)));
        let parties: Vec<_> = (0..10)
            .map(|_| {
                go!(clone shared; {
                    shared.0.call_once(|| {
                        gaggle::runtime::yield_now();
                        shared.1.fetch_add(1, Relaxed);
                    });
                    assert_eq!(shared.1.load(Relaxed), 1);
                })
            })
            .collect();
        parties.into_iter().for_each(|g| g.join().unwrap());
        assert_eq!(shared.1.load(Relaxed), 1);
    });
}

/// After a panic Go's `Once` counts as done. This one is `std`'s: it is poisoned, says so to whoever comes next, and can
/// be forced.
#[test]
fn test_once_panic() {
    // A panic in the middle that leaves the next ones waiting, or believing that all is well.
    let _turn = turn("test_once_panic");
    everywhere(5, || {
        let once = Once::new();
        let call = |f: fn()| catch_unwind(AssertUnwindSafe(|| once.call_once(f)));
        assert!(call(|| panic!("failed")).is_err());
        assert!(!once.is_completed());
        assert!(call(|| unreachable!("called although poisoned")).is_err());
        let mut poisoned = false;
        once.call_once_force(|state| poisoned = state.is_poisoned());
        assert!(poisoned && once.is_completed());
        assert!(call(|| unreachable!("called twice")).is_ok());
    });
}
