//! How many goroutines run at once, and changing that under way.

use crate::support::{everywhere, migrating, scaled, turn, yields};
use gaggle::runtime::{max_procs, num_goroutines, set_max_procs, yield_now};
use gaggle::{chan, spawn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

#[test]
fn resizing_returns_the_number_before() {
    // A resize that is not seen by the next question, or one by a question: GOMAXPROCS(0) in Go.
    let _turn = turn("resizing_returns_the_number_before");
    set_max_procs(3);
    for (before, now) in [(3, 8), (8, 1), (1, 1), (1, 1024), (1024, 2)] {
        assert_eq!(set_max_procs(now), before);
        assert_eq!(max_procs(), now);
        assert_eq!(set_max_procs(0), now);
        assert_eq!(max_procs(), now);
    }
}

#[test]
fn impossible_numbers_of_processors_are_refused() {
    // More than there is room for; the message must name the range.
    let _turn = turn("impossible_numbers_of_processors_are_refused");
    let before = max_procs();
    for n in [1025, usize::MAX] {
        let payload = std::panic::catch_unwind(|| set_max_procs(n)).unwrap_err();
        assert_eq!(*payload.downcast::<String>().unwrap(), format!("max_procs of {n}: expected 1 to 1024"));
    }
    assert_eq!(max_procs(), before);
}

fn resize_under_way() {
    let stop = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..16)
        .map(|_| {
            let stop = stop.clone();
            spawn(move || {
                let (there, here) = chan::<usize>(0);
                let (back, home) = chan::<usize>(1);
                let echo = spawn(move || here.iter().for_each(|v| back.send(v).unwrap()));
                let mut rounds = 0;
                while !stop.load(SeqCst) {
                    there.send(rounds).unwrap();
                    assert_eq!(home.recv(), Some(rounds));
                    yield_now();
                    rounds += 1;
                }
                drop(there);
                echo.join().unwrap();
                rounds
            })
        })
        .collect();
    for step in 0..60 {
        set_max_procs([1, 8, 2, 5, 1, 16][step % 6]);
        yields(step % 7);
    }
    stop.store(true, SeqCst);
    for worker in workers {
        worker.join().unwrap();
    }
}

#[test]
fn resizing_loses_nobody() {
    // A processor taken out of use with goroutines in its queue, or while it is on its way to a sleeper.
    let _turn = turn("resizing_loses_nobody");
    for _ in 0..scaled(10) {
        gaggle::run(resize_under_way);
        migrating(resize_under_way);
    }
}

#[test]
fn resizing_from_many_threads_loses_no_processor() {
    // Two resizes that undo each other's bookkeeping: afterwards fewer processors are in use than are reported.
    let _turn = turn("resizing_from_many_threads_loses_no_processor");
    std::thread::scope(|s| {
        for seed in 1..=4 {
            s.spawn(move || {
                for n in 0..scaled(300) {
                    set_max_procs(1 + (n * seed) % 9);
                    spawn(|| yields(3)).join().unwrap();
                }
            });
        }
    });
    for procs in [1, 4] {
        set_max_procs(procs);
        let (tx, rx) = chan::<usize>(0);
        let handle = spawn(move || rx.iter().sum::<usize>());
        (0..100).for_each(|n| tx.send(n).unwrap());
        drop(tx);
        assert_eq!(handle.join().unwrap(), 4950);
    }
}

#[test]
fn as_many_run_at_once_as_there_are_processors() {
    // A processor that no worker holds: goroutines that wait for each other busily would hang for ever.
    let _turn = turn("as_many_run_at_once_as_there_are_processors");
    for procs in [1, 2, 8, 3] {
        set_max_procs(procs);
        for _ in 0..scaled(50).max(10) {
            let met = Arc::new(AtomicUsize::new(0));
            let all: Vec<_> = (0..procs)
                .map(|_| {
                    let met = met.clone();
                    spawn(move || {
                        met.fetch_add(1, SeqCst);
                        while met.load(SeqCst) != procs {
                            // No scheduling point: the others must get there by themselves.
                            std::thread::yield_now();
                        }
                    })
                })
                .collect();
            all.into_iter().for_each(|g| g.join().unwrap());
        }
    }
}

#[test]
fn no_more_run_at_once_than_there_are_processors() {
    // A lowered number that leaves a processor with a worker who never looks.
    let _turn = turn("no_more_run_at_once_than_there_are_processors");
    fn lowered() {
        const WORKERS: usize = 6;
        set_max_procs(8);
        let running = Arc::new(AtomicUsize::new(0));
        let strict = Arc::new(AtomicBool::new(false));
        let steps = Arc::new([const { AtomicUsize::new(0) }; WORKERS]);
        let stop = Arc::new(AtomicBool::new(false));
        let workers: Vec<_> = (0..WORKERS)
            .map(|me| {
                let (running, strict, steps, stop) = (running.clone(), strict.clone(), steps.clone(), stop.clone());
                spawn(move || {
                    while !stop.load(SeqCst) {
                        let strict = strict.load(SeqCst);
                        let others = running.fetch_add(1, SeqCst);
                        (0..50).for_each(|_| std::hint::spin_loop());
                        running.fetch_sub(1, SeqCst);
                        assert!(!strict || others == 0, "{others} others run on one processor");
                        steps[me].fetch_add(1, SeqCst);
                        yield_now();
                    }
                })
            })
            .collect();
        let all_step = |n: usize| {
            let goal: Vec<_> = steps.iter().map(|s| s.load(SeqCst) + n).collect();
            while steps.iter().zip(&goal).any(|(s, goal)| s.load(SeqCst) < *goal) {
                assert!(!workers.iter().any(|w| w.is_finished()), "a worker has panicked");
                yield_now();
            }
        };
        all_step(20);
        set_max_procs(1);
        // Holders look at least at every 61st pick.
        all_step(200);
        strict.store(true, SeqCst);
        all_step(200);
        stop.store(true, SeqCst);
        workers.into_iter().for_each(|w| w.join().unwrap());
    }
    for _ in 0..scaled(20) {
        gaggle::run(lowered);
        migrating(lowered);
    }
}

#[test]
fn goroutines_are_counted_exactly() {
    // A goroutine counted twice, or counted after its join has returned.
    let _turn = turn("goroutines_are_counted_exactly");
    everywhere(scaled(100), || {
        assert_eq!(num_goroutines(), 1);
        let (tx, rx) = chan::<()>(0);
        let inner: Vec<_> = (0..100)
            .map(|_| {
                let rx = rx.clone();
                spawn(move || rx.recv())
            })
            .collect();
        assert_eq!(num_goroutines(), 101);
        let outer = std::thread::spawn(move || {
            let all: Vec<_> = (0..50).map(|_| rx.clone()).map(|rx| spawn(move || rx.recv())).collect();
            (num_goroutines(), all)
        });
        let (seen, outer) = outer.join().unwrap();
        assert_eq!(seen, 151);
        drop(tx);
        for (ended, g) in inner.into_iter().chain(outer).enumerate() {
            g.join().unwrap();
            assert!(num_goroutines() <= 150 - ended);
        }
        assert_eq!(num_goroutines(), 1);
    });
}
