//! `Once` and `OnceLock`: one run, seen by all, and what a panic leaves.

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
