//! Wait groups: counting, misuse, reuse.

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
