//! Goroutines: starting, ending, joining, borrowing; in both modes where the mode could matter.

use gaggle::{chan, spawn};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

mod support;
use support::in_both_modes;

#[test]
fn join_gives_the_result_whatever_its_size() {
    // A result lost between the goroutine's storage and a box.
    in_both_modes(|| {
        assert_eq!(spawn(|| ()).join().unwrap(), ());
        assert_eq!(spawn(|| 7u8).join().unwrap(), 7);
        assert_eq!(spawn(|| [1u64; 4]).join().unwrap(), [1; 4]);
        assert_eq!(spawn(|| [2u64; 600]).join().unwrap(), [2; 600]);
        let big = [3u64; 600];
        assert_eq!(spawn(move || big.iter().sum::<u64>()).join().unwrap(), 1800);
        #[repr(align(64))]
        struct Aligned(u8);
        let aligned = Aligned(5);
        let addr_ok =
            spawn(move || (std::ptr::from_ref(&aligned).addr().is_multiple_of(64), aligned.0)).join().unwrap();
        assert_eq!(addr_ok, (true, 5));
    });
}

#[test]
fn every_result_and_closure_is_dropped_once() {
    // A double drop or a leak in any order of finishing, joining and detaching.
    struct Count(Arc<AtomicUsize>);
    impl Drop for Count {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    in_both_modes(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        const N: usize = 2_000;
        let mut handles = Vec::new();
        let (done_tx, done) = chan(N);
        for n in 0..N {
            let (count, done_tx) = (Count(drops.clone()), done_tx.clone());
            let handle = spawn(move || {
                // Sent before the result exists: the detach below races with the end.
                done_tx.send(()).unwrap();
                count
            });
            match n % 3 {
                0 => drop(handle),
                1 => handles.push(handle),
                _ => drop(handle.join().unwrap()),
            }
        }
        for handle in handles {
            drop(handle.join().unwrap());
        }
        for _ in 0..N {
            done.recv().unwrap();
        }
        // The detached ones may still be on their last steps.
        while drops.load(Ordering::SeqCst) != N {
            gaggle::runtime::yield_now();
        }
    });
}

#[test]
fn a_panic_ends_its_goroutine_only() {
    // A payload lost, or a neighbour taken along.
    in_both_modes(|| {
        let neighbours: Vec<_> = (0..20).map(|n| spawn(move || n)).collect();
        let payload = spawn(|| std::panic::panic_any(42usize)).join().unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&42usize));
        let sum: usize = neighbours.into_iter().map(|n| n.join().unwrap()).sum();
        assert_eq!(sum, 190);
        assert!(!std::thread::panicking());
    });
}

#[test]
fn exit_runs_destructors_and_no_hook() {
    // Goexit that forgets to unwind.
    in_both_modes(|| {
        let (tx, rx) = chan::<()>(0);
        let gone = spawn(move || {
            let _held = tx;
            gaggle::runtime::exit();
        });
        assert_eq!(rx.recv(), None);
        assert!(gone.join().unwrap_err().is::<gaggle::go::Exited>());
    });
}

#[test]
fn scoped_goroutines_borrow_and_are_waited_for() {
    // A scope that ends before its goroutines: use after free.
    in_both_modes(|| {
        let mut data: Vec<u64> = (0..1000).collect();
        gaggle::scope(|s| {
            for chunk in data.chunks_mut(100) {
                s.go(move || chunk.iter_mut().for_each(|x| *x *= 2));
            }
        });
        assert_eq!(data.iter().sum::<u64>(), 999 * 1000);
    });
}

#[test]
fn a_scope_tells_of_an_unjoined_panic() {
    // A panic in a scoped goroutine that goes unnoticed.
    in_both_modes(|| {
        let joined = gaggle::scope(|s| {
            s.go(|| {
                if true {
                    panic!("seen")
                }
            })
            .join()
            .is_err()
        });
        assert!(joined);
        let unjoined = std::panic::catch_unwind(|| {
            gaggle::scope(|s| {
                s.go(|| {
                    if true {
                        panic!("unseen")
                    }
                });
            });
        });
        assert!(unjoined.is_err());
    });
}

#[test]
fn locals_belong_to_goroutines() {
    // A goroutine local that leaks to a neighbour on the same thread, or is not dropped at the end.
    struct OnDrop(gaggle::Sender<u32>, u32);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.send(self.1).unwrap();
        }
    }
    gaggle::goroutine_local! {
        static NUMBER: Cell<u32> = const { Cell::new(0) };
        static HELD: Cell<Option<OnDrop>> = const { Cell::new(None) };
    }
    in_both_modes(|| {
        let (tx, rx) = gaggle::unbounded();
        let all: Vec<_> = (1..=50)
            .map(|n| {
                let tx = tx.clone();
                spawn(move || {
                    NUMBER.set(n);
                    HELD.set(Some(OnDrop(tx, n)));
                    gaggle::runtime::yield_now();
                    assert_eq!(NUMBER.get(), n);
                })
            })
            .collect();
        for g in all {
            g.join().unwrap();
        }
        drop(tx);
        let mut dropped: Vec<_> = rx.iter().collect();
        dropped.sort();
        assert_eq!(dropped, (1..=50).collect::<Vec<_>>());
    });
}

#[test]
fn goroutines_start_goroutines_a_million_times_over() {
    // Objects and stacks that are not recycled: memory grows with every goroutine.
    in_both_modes(|| {
        let rounds = if cfg!(debug_assertions) { 50 } else { 200 };
        for _ in 0..rounds {
            let (tx, rx) = chan::<()>(0);
            for _ in 0..500 {
                let tx = tx.clone();
                spawn(move || drop(tx));
            }
            drop(tx);
            assert_eq!(rx.recv(), None);
        }
    });
}

#[test]
fn a_checkpoint_lets_neighbours_run() {
    // A hog that passes checkpoints and still keeps the only processor for ever.
    gaggle::runtime::set_max_procs(1);
    gaggle::run(|| {
        let stop = Arc::new(AtomicUsize::new(0));
        let seen = stop.clone();
        let hog = spawn(move || {
            while seen.load(Ordering::Relaxed) == 0 {
                gaggle::checkpoint();
            }
        });
        // Started after the hog and behind it: it runs only if the hog yields.
        gaggle::runtime::yield_now();
        spawn(move || stop.store(1, Ordering::Relaxed)).join().unwrap();
        hog.join().unwrap();
    });
}

#[test]
fn locals_do_not_outlive_their_goroutine() {
    // Values made by the last destructors stay in the recycled goroutine: the next one finds them, on any thread,
    // although they need not be `Send`.
    gaggle::goroutine_local! {
        static SEEN: Cell<bool> = const { Cell::new(false) };
        static AGAIN: Restless = const { Restless };
    }
    /// Comes back whenever it is dropped.
    struct Restless;
    impl Drop for Restless {
        fn drop(&mut self) {
            AGAIN.with(|_| SEEN.set(true));
        }
    }
    /// A result that nobody takes.
    struct Late(gaggle::Sender<()>);
    impl Drop for Late {
        fn drop(&mut self) {
            SEEN.set(true);
            self.0.send(()).unwrap();
        }
    }
    in_both_modes(|| {
        for _ in 0..50 {
            let (tx, rx) = chan(1);
            let (go_on, wait) = chan::<()>(0);
            // Dropped before the end, so that the goroutine drops the result.
            drop(spawn(move || {
                assert!(!SEEN.get(), "a local of another goroutine");
                wait.recv();
                Late(tx)
            }));
            drop(go_on);
            rx.recv().unwrap();
            spawn(|| {
                assert!(!SEEN.get(), "a local of another goroutine");
                AGAIN.with(|_| ());
            })
            .join()
            .unwrap();
        }
    });
}
