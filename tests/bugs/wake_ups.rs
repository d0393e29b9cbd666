//! B13 to B15: wake-ups lost, and turns that never come.

use crate::support::{everywhere, migrating, scaled, turn, yields};
use gaggle::runtime::{num_goroutines, set_max_procs, yield_now};
use gaggle::{chan, spawn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

#[test]
fn b13_what_is_to_run_next_is_taken_once() {
    // What a processor is to run next is stolen just as its holder takes it: run twice, or by nobody.
    let _turn = turn("b13_what_is_to_run_next_is_taken_once");
    everywhere(scaled(50), || {
        let runs: Arc<Vec<_>> = Arc::new((0..500).map(|_| AtomicUsize::new(0)).collect());
        let spawners: Vec<_> = (0..5)
            .map(|s| {
                let runs = runs.clone();
                spawn(move || {
                    for n in 0..100 {
                        let runs = runs.clone();
                        let child = spawn(move || runs[s * 100 + n].fetch_add(1, SeqCst));
                        // Long enough for a thief to look, at times; then the holder takes it by itself.
                        (0..n * 20).for_each(|_| std::hint::spin_loop());
                        if n % 3 == 0 {
                            child.join().unwrap();
                        } else if n % 3 == 1 {
                            yield_now();
                        }
                    }
                })
            })
            .collect();
        spawners.into_iter().for_each(|s| s.join().unwrap());
        while num_goroutines() != 1 {
            yield_now();
        }
        assert!(runs.iter().all(|n| n.load(SeqCst) == 1));
    });
}

#[test]
fn b13_what_is_to_run_next_is_stolen_from_a_busy_processor() {
    // A thief that never takes it starves it behind a goroutine that does not come to a scheduling point.
    let _turn = turn("b13_what_is_to_run_next_is_stolen_from_a_busy_processor");
    fn busy_parent() {
        let ran = Arc::new(AtomicBool::new(false));
        let child = spawn({
            let ran = ran.clone();
            move || ran.store(true, SeqCst)
        });
        while !ran.load(SeqCst) {
            std::hint::spin_loop();
        }
        child.join().unwrap();
    }
    for procs in [2, 8] {
        set_max_procs(procs);
        for _ in 0..scaled(300) {
            gaggle::run(busy_parent);
            migrating(busy_parent);
        }
    }
}

#[test]
fn b14_work_from_outside_wakes_an_idle_processor() {
    // A worker that goes to sleep between the submitter's look for a sleeper and its own last look for work.
    let _turn = turn("b14_work_from_outside_wakes_an_idle_processor");
    for procs in [1, 2, 8] {
        set_max_procs(procs);
        std::thread::scope(|s| {
            for seed in 0..2 {
                s.spawn(move || {
                    for n in 0..scaled(20_000) {
                        // As long as a worker takes from its last goroutine to its sleep, more or less.
                        (0..(n * 7 + seed * 13) % 300).for_each(|_| std::hint::spin_loop());
                        assert_eq!(spawn(move || n).join().unwrap(), n);
                    }
                });
            }
        });
    }
}

#[test]
fn b14_a_wake_up_from_outside_reaches_a_home_that_falls_asleep() {
    // A goroutine posted to the inbox of a thread that has looked there for the last time.
    let _turn = turn("b14_a_wake_up_from_outside_reaches_a_home_that_falls_asleep");
    for procs in [1, 2, 8] {
        set_max_procs(procs);
        let pairs: Vec<_> = (0..2)
            .map(|_| {
                let (there, here) = chan::<usize>(0);
                let (back, home) = chan::<usize>(0);
                // Pinned, and at home once it has run.
                let echo = spawn(move || here.iter().for_each(|v| back.send(v).unwrap()));
                (there, home, echo)
            })
            .collect();
        std::thread::scope(|s| {
            for (there, home, echo) in pairs {
                s.spawn(move || {
                    for n in 0..scaled(20_000) {
                        (0..n % 300).for_each(|_| std::hint::spin_loop());
                        there.send(n).unwrap();
                        assert_eq!(home.recv(), Some(n));
                    }
                    drop(there);
                    echo.join().unwrap();
                });
            }
        });
    }
}

#[test]
fn b14_goroutines_that_all_sleep_at_once_are_all_woken() {
    // Several workers fall asleep at once, each relying on another one's search.
    let _turn = turn("b14_goroutines_that_all_sleep_at_once_are_all_woken");
    everywhere(scaled(100), || {
        let (tx, rx) = chan::<usize>(0);
        let all: Vec<_> = (0..32)
            .map(|_| {
                let rx = rx.clone();
                spawn(move || rx.iter().sum::<usize>())
            })
            .collect();
        for burst in 0..10 {
            (0..burst * 100).for_each(|_| std::hint::spin_loop());
            (0..burst).for_each(|n| tx.send(n).unwrap());
        }
        drop(tx);
        let sum: usize = all.into_iter().map(|g| g.join().unwrap()).sum();
        assert_eq!(sum, (0..10).flat_map(|burst| 0..burst).sum());
    });
}

/// A pair that wakes each other until the flag falls; returns the number of rounds.
fn pair(on: &Arc<AtomicBool>) -> gaggle::JoinHandle<usize> {
    let (there, here) = chan::<()>(0);
    let (back, home) = chan::<()>(0);
    spawn(move || here.iter().for_each(|()| back.send(()).unwrap()));
    let on = on.clone();
    spawn(move || {
        let mut rounds = 0;
        while on.load(SeqCst) {
            there.send(()).unwrap();
            home.recv().unwrap();
            rounds += 1;
        }
        rounds
    })
}

#[test]
fn b15_a_ping_pong_pair_starves_nobody_and_is_not_starved() {
    // What was woken last runs first: a pair that wakes each other keeps the processor for itself.
    let _turn = turn("b15_a_ping_pong_pair_starves_nobody_and_is_not_starved");
    fn with_yielders() {
        const TURNS: usize = 200;
        let on = Arc::new(AtomicBool::new(true));
        let pair = pair(&on);
        let yielders: Vec<_> = (0..10).map(|_| spawn(|| yields(TURNS))).collect();
        // From a plain thread, through the injector.
        let outside = std::thread::spawn(|| (0..20).map(|_| spawn(|| yields(1))).collect::<Vec<_>>());
        yielders.into_iter().for_each(|y| y.join().unwrap());
        outside.join().unwrap().into_iter().for_each(|g| g.join().unwrap());
        on.store(false, SeqCst);
        let rounds = pair.join().unwrap();
        // At most 64 in a row, before each turn of each of some 14 goroutines; and at least a few of them.
        assert!(rounds < 64 * 14 * 2 * TURNS, "{rounds} rounds");
        assert!(rounds >= TURNS / 10, "only {rounds} rounds");
    }
    for _ in 0..scaled(20) {
        set_max_procs(1);
        gaggle::run(with_yielders);
        migrating(with_yielders);
    }
}

#[test]
fn b15_a_chain_of_starts_starves_nobody() {
    // Each goroutine starts the next and ends: always something to run next, and the queue's turn never comes.
    let _turn = turn("b15_a_chain_of_starts_starves_nobody");
    fn next(on: Arc<AtomicBool>, links: Arc<AtomicUsize>) {
        if on.load(SeqCst) {
            links.fetch_add(1, SeqCst);
            spawn(move || next(on, links));
        }
    }
    fn chain() {
        let (on, links) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        next(on.clone(), links.clone());
        spawn(|| yields(20)).join().unwrap();
        yields(20);
        on.store(false, SeqCst);
        let links = links.load(SeqCst);
        assert!(links < 64 * 3 * 60 * 2, "{links} links before 60 turns of others");
    }
    for _ in 0..scaled(50) {
        set_max_procs(1);
        gaggle::run(chain);
        migrating(chain);
    }
}

#[test]
fn b15_all_yielders_have_their_turns() {
    // Two queues asked in turn, of which one is always asked by the same goroutine.
    let _turn = turn("b15_all_yielders_have_their_turns");
    fn yielders() {
        const TURNS: usize = 300;
        let turns: Arc<Vec<_>> = Arc::new((0..7).map(|_| AtomicUsize::new(0)).collect());
        let all: Vec<_> = (0..7)
            .map(|me| {
                let turns = turns.clone();
                spawn(move || {
                    for _ in 0..TURNS {
                        turns[me].fetch_add(1, SeqCst);
                        yield_now();
                    }
                    // When the first is through, nobody is far behind.
                    turns.iter().map(|n| n.load(SeqCst)).min().unwrap()
                })
            })
            .collect();
        let least = all.into_iter().map(|g| g.join().unwrap()).min().unwrap();
        assert!(least > TURNS / 4, "one has had {least} turns when another had all {TURNS}");
    }
    for _ in 0..scaled(50) {
        set_max_procs(1);
        gaggle::run(yielders);
        migrating(yielders);
    }
}
