//! `lock_os_thread`: one thread for one goroutine, and the others go on.

use crate::support::{everywhere, everywhere_migrating, migrating, scaled, thread_number, turn, yields};
use gaggle::runtime::{lock_os_thread, set_max_procs, yield_now};
use gaggle::{chan, spawn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

#[test]
fn a_locked_goroutine_stays_on_its_thread() {
    // A thread-bound library (a GUI, a GL context) called from another thread after a park.
    let _turn = turn("a_locked_goroutine_stays_on_its_thread");
    everywhere(scaled(100), || {
        let (tx, rx) = chan::<usize>(0);
        let locked = spawn(move || {
            let _guard = lock_os_thread();
            let here = thread_number();
            for v in &rx {
                assert_eq!(thread_number(), here, "moved while it received {v}");
                yield_now();
                assert_eq!(thread_number(), here, "moved while it yielded");
            }
            here
        });
        let others: Vec<_> = (0..4)
            .map(|_| {
                let tx = tx.clone();
                spawn(move || (0..10).for_each(|n| tx.send(n).unwrap()))
            })
            .collect();
        drop(tx);
        others.into_iter().for_each(|g| g.join().unwrap());
        locked.join().unwrap();
    });
}

#[test]
fn locks_nest() {
    // An inner guard that gives the thread back for the outer one.
    let _turn = turn("locks_nest");
    everywhere(scaled(100), || {
        let busy: Vec<_> = (0..4).map(|_| spawn(|| yields(50))).collect();
        let outer = lock_os_thread();
        let here = thread_number();
        for _ in 0..3 {
            let inner = lock_os_thread();
            yields(3);
            assert_eq!(thread_number(), here);
            drop(inner);
            yields(3);
            assert_eq!(thread_number(), here, "the inner guard gave the thread back");
        }
        drop(outer);
        busy.into_iter().for_each(|g| g.join().unwrap());
    });
}

#[test]
fn a_locked_thread_runs_nobody_else() {
    // In migrating mode another goroutine on the locked thread sees, and spoils, its thread-bound state.
    let _turn = turn("a_locked_thread_runs_nobody_else");
    everywhere_migrating(scaled(100), || {
        let (tx, rx) = chan::<usize>(0);
        let (tell, told) = chan(1);
        let held = Arc::new(AtomicBool::new(true));
        let locked = spawn({
            let held = held.clone();
            move || {
                let guard = lock_os_thread();
                tell.send(thread_number()).unwrap();
                let sum: usize = rx.iter().inspect(|_| yield_now()).sum();
                held.store(false, SeqCst);
                drop(guard);
                sum
            }
        });
        let theirs = told.recv().unwrap();
        let others: Vec<_> = (0..8)
            .map(|n| {
                let (tx, held) = (tx.clone(), held.clone());
                spawn(move || {
                    for _ in 0..20 {
                        let here = thread_number();
                        // Still held after the look: so it was held during the look.
                        assert!(!held.load(SeqCst) || here != theirs, "runs on the locked thread");
                        yield_now();
                    }
                    tx.send(n).unwrap();
                })
            })
            .collect();
        drop(tx);
        others.into_iter().for_each(|g| g.join().unwrap());
        assert_eq!(locked.join().unwrap(), 28);
    });
}

#[test]
fn locked_goroutines_meet() {
    // Threads that keep the processor while their goroutine waits: with one processor nobody else can run.
    let _turn = turn("locked_goroutines_meet");
    everywhere(scaled(50), || {
        let pairs: Vec<_> = (0..10)
            .map(|_| {
                let (tx, rx) = chan::<usize>(0);
                let (back, home) = chan::<usize>(0);
                let one = spawn(move || {
                    let _guard = lock_os_thread();
                    for n in 0..10 {
                        tx.send(n).unwrap();
                        assert_eq!(home.recv(), Some(n));
                    }
                });
                let other = spawn(move || {
                    let _guard = lock_os_thread();
                    rx.iter().for_each(|n| back.send(n).unwrap());
                });
                (one, other)
            })
            .collect();
        for (one, other) in pairs {
            one.join().unwrap();
            other.join().unwrap();
        }
    });
}

#[test]
fn a_lock_held_to_the_end_is_released() {
    // A thread lost to a goroutine that is gone: after some of these nothing runs any more.
    let _turn = turn("a_lock_held_to_the_end_is_released");
    everywhere(scaled(200), || {
        let ends: Vec<_> = (0..4)
            .map(|n| {
                spawn(move || {
                    std::mem::forget(lock_os_thread());
                    std::mem::forget(lock_os_thread());
                    match n {
                        0 => {}
                        1 => gaggle::runtime::exit(),
                        2 => std::panic::resume_unwind(Box::new("over")),
                        _ => yield_now(),
                    }
                })
            })
            .collect();
        let over = ends.into_iter().map(|g| g.join()).filter(Result::is_err).count();
        assert_eq!(over, 2);
        spawn(yield_now).join().unwrap();
    });
}

#[test]
fn what_a_locked_goroutine_starts_runs_elsewhere() {
    // A child queued behind its locked parent, who waits for it busily.
    let _turn = turn("what_a_locked_goroutine_starts_runs_elsewhere");
    for procs in [2, 8] {
        set_max_procs(procs);
        for _ in 0..scaled(200) {
            migrating(|| {
                let _guard = lock_os_thread();
                let ran = Arc::new(AtomicBool::new(false));
                let child = spawn({
                    let ran = ran.clone();
                    move || ran.store(true, SeqCst)
                });
                while !ran.load(SeqCst) {
                    std::hint::spin_loop();
                }
                child.join().unwrap();
            });
        }
    }
}

#[test]
fn a_locked_sleeper_does_not_swallow_wake_ups() {
    // A thread that may run only its own goroutine is woken for other work, again and again, in place of one that
    // could do it.
    let _turn = turn("a_locked_sleeper_does_not_swallow_wake_ups");
    set_max_procs(2);
    fn hog_with_locked_neighbour() {
        let (tx, rx) = chan::<usize>(0);
        let locked = spawn(move || {
            let _guard = lock_os_thread();
            rx.iter().sum::<usize>()
        });
        for n in 0..20 {
            // The locked thread is now the last that lay down.
            tx.send(n).unwrap();
            (0..2000).for_each(|_| std::hint::spin_loop());
            let ran = Arc::new(AtomicUsize::new(0));
            let children: Vec<_> = (0..2)
                .map(|_| {
                    let ran = ran.clone();
                    spawn(move || ran.fetch_add(1, SeqCst))
                })
                .collect();
            while ran.load(SeqCst) != 2 {
                // No scheduling point here: somebody else must come and take them.
                std::hint::spin_loop();
            }
            children.into_iter().for_each(|c| _ = c.join().unwrap());
        }
        drop(tx);
        assert_eq!(locked.join().unwrap(), 190);
    }
    for _ in 0..scaled(50) {
        migrating(hog_with_locked_neighbour);
        gaggle::run(hog_with_locked_neighbour);
    }
}

#[test]
fn on_a_plain_thread_it_does_nothing() {
    // A guard that looks for a goroutine where there is none.
    let _turn = turn("on_a_plain_thread_it_does_nothing");
    let _outer = lock_os_thread();
    let _inner = lock_os_thread();
}
