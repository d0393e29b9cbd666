//! Starting goroutines from everywhere, in both modes.

use crate::support::{everywhere, migrating, scaled, thread_number, turn, yields};
use gaggle::runtime::{id, set_max_procs, yield_now};
use gaggle::{chan, go, spawn, unbounded};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

#[test]
fn numbers_are_given_out_once() {
    // Two goroutines with one number, when processors and plain threads take numbers in blocks.
    let _turn = turn("numbers_are_given_out_once");
    for procs in [1, 2, 8] {
        set_max_procs(procs);
        let (tx, rx) = unbounded();
        for _ in 0..4 {
            let tx = tx.clone();
            std::thread::spawn(move || {
                for _ in 0..scaled(2000) {
                    let tx = tx.clone();
                    spawn(move || {
                        let child = spawn(id);
                        tx.send(id().unwrap()).unwrap();
                        let number = child.id();
                        assert_eq!(child.join().unwrap(), Some(number));
                        tx.send(number).unwrap();
                    });
                }
            });
        }
        drop(tx);
        let mut seen = HashSet::new();
        assert!(rx.iter().all(|number| seen.insert(number)));
        assert_eq!(seen.len(), 4 * 2 * scaled(2000));
    }
}

#[test]
fn plain_threads_have_no_number() {
    // A thread that takes the identity of a goroutine it once ran beside.
    let _turn = turn("plain_threads_have_no_number");
    assert_eq!(id(), None);
    assert!(gaggle::run(id).is_some());
    assert_eq!(id(), None);
}

#[test]
fn storms_from_threads_and_goroutines_run_everything_once() {
    // A goroutine lost or run twice between spilling queues, thieves and the injector (b13, b14).
    let _turn = turn("storms_from_threads_and_goroutines_run_everything_once");
    fn storm() {
        const THREADS: usize = 4;
        const EACH: usize = 300;
        let runs: Arc<Vec<AtomicU64>> = Arc::new((0..THREADS * EACH * 2).map(|_| AtomicU64::new(0)).collect());
        let (tx, rx) = chan::<()>(0);
        for t in 0..THREADS {
            let (runs, tx) = (runs.clone(), tx.clone());
            // Plain threads: what they start is pinned. Goroutines pass their own mode on.
            let body = move || {
                for n in 0..EACH {
                    let slot = 2 * (t * EACH + n);
                    go!(clone runs, tx; {
                        runs[slot].fetch_add(1, SeqCst);
                        go!(clone runs, tx; {
                            runs[slot + 1].fetch_add(1, SeqCst);
                            drop(tx);
                        });
                        drop(tx);
                    });
                }
            };
            if t % 2 == 0 { drop(std::thread::spawn(body)) } else { drop(spawn(body)) }
        }
        for _ in 0..EACH {
            go!(clone runs, tx; {
                assert!(!runs.is_empty());
                drop(tx);
            });
        }
        drop(tx);
        assert_eq!(rx.recv(), None);
        assert!(runs.iter().all(|n| n.load(SeqCst) == 1));
    }
    everywhere(scaled(100), storm);
}

#[test]
fn both_modes_live_in_one_runtime() {
    // A mode that leaks from spawner to neighbour: a pinned goroutine that is moved, however many thieves there are.
    let _turn = turn("both_modes_live_in_one_runtime");
    fn stays(rounds: usize) {
        let here = thread_number();
        for _ in 0..rounds {
            yield_now();
            assert_eq!(thread_number(), here, "a pinned goroutine was moved");
        }
    }
    for procs in [1, 2, 8] {
        set_max_procs(procs);
        for _ in 0..scaled(100) {
            let (tx, rx) = chan::<usize>(0);
            let pinned = spawn(move || {
                let children: Vec<_> = (0..8).map(|_| spawn(|| stays(20))).collect();
                let here = thread_number();
                let sum: usize = rx.iter().inspect(|_| assert_eq!(thread_number(), here)).sum();
                children.into_iter().for_each(|c| c.join().unwrap());
                sum
            });
            migrating(move || {
                let tied: Vec<_> = (0..4).map(|_| go!(pinned; { stays(20) })).collect();
                let senders: Vec<_> = (0..8)
                    .map(|n| {
                        go!(clone tx; {
                            yields(n);
                            tx.send(n).unwrap();
                        })
                    })
                    .collect();
                drop(tx);
                senders.into_iter().chain(tied).for_each(|g| g.join().unwrap());
            });
            assert_eq!(pinned.join().unwrap(), 28);
        }
    }
}

#[test]
fn pinned_goroutines_spread_over_threads_before_they_run() {
    // Work that has not started must move away from a thread that is busy; pinned is not single-threaded.
    let _turn = turn("pinned_goroutines_spread_over_threads_before_they_run");
    set_max_procs(4);
    for _ in 0..scaled(100).max(20) {
        gaggle::run(|| {
            let started = Arc::new(AtomicBool::new(false));
            let child = spawn({
                let started = started.clone();
                move || {
                    started.store(true, SeqCst);
                    thread_number()
                }
            });
            // Holds its thread until the child runs, which must be elsewhere.
            while !started.load(SeqCst) {
                std::hint::spin_loop();
            }
            assert_ne!(child.join().unwrap(), thread_number());
        });
    }
}

#[test]
fn joining_from_every_kind_of_caller() {
    // A join that misses the end: goroutine of goroutine, thread of goroutine, and handles sent elsewhere.
    let _turn = turn("joining_from_every_kind_of_caller");
    everywhere(scaled(200), || {
        let (tx, rx) = unbounded();
        for n in 0..20usize {
            tx.send((n, spawn(move || (yields(n % 3), n).1))).unwrap();
        }
        tx.close();
        let (done, there) = chan(0);
        std::thread::spawn({
            let rx = rx.clone();
            move || {
                let sum = rx.iter().map(|(n, g)| usize::from(g.join().unwrap() == n)).sum::<usize>();
                done.send(sum).unwrap();
            }
        });
        let here: usize = rx.iter().map(|(n, g)| usize::from(g.join().unwrap() == n)).sum();
        // A channel, not the thread's own join: that would keep the only processor from whom the thread waits for.
        assert_eq!(here + there.recv().unwrap(), 20);
    });
}
