//! B18: waiters whose memory grows without bound, counted at the allocator.

use crate::support::{scaled, turn, yields};
use gaggle::{Select, chan, select, spawn, sync, time};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        LIVE.fetch_add(layout.size() as isize, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How many allocations `f` makes, and by how many bytes it leaves the heap larger.
fn during(f: impl Fn()) -> (usize, isize) {
    let before = (ALLOCATIONS.load(Relaxed), LIVE.load(Relaxed));
    f();
    (ALLOCATIONS.load(Relaxed) - before.0, LIVE.load(Relaxed) - before.1)
}

/// On one processor, after a warm-up: whether `f` allocates, or leaves anything behind.
#[track_caller]
fn assert_steady(most_allocations: usize, f: impl Fn() + Send + Sync + Copy + 'static) {
    gaggle::runtime::set_max_procs(1);
    for run in [gaggle::run, crate::support::migrating] as [fn(Box<dyn FnOnce() + Send>); 2] {
        run(Box::new(move || {
            (0..5).for_each(|_| f());
            // The harness's own thread may allocate now and then: the least of a few counts.
            let counts: Vec<_> = (0..5).map(|_| during(f)).collect();
            let allocations = counts.iter().map(|c| c.0).min().unwrap();
            let left = counts.iter().map(|c| c.1).min().unwrap();
            assert!(allocations <= most_allocations, "{allocations} allocations");
            assert!(left <= 0, "{left} bytes left behind");
        }));
    }
}

const ROUNDS: usize = 500;

#[test]
fn b18_parking_allocates_nothing() {
    // A waiter that is allocated per wait, and stays in the queue of a channel that is never used.
    let _turn = turn("b18_parking_allocates_nothing");
    assert_steady(10, || {
        let (tx, rx) = chan::<usize>(0);
        let (_never_tx, never) = chan::<usize>(0);
        let echo = spawn(move || {
            for n in 0..ROUNDS {
                tx.send(n).unwrap();
            }
        });
        for n in 0..ROUNDS {
            select! {
                v = <-rx => assert_eq!(v, Some(n)),
                _ = <-never => unreachable!("nobody sends here"),
            }
        }
        echo.join().unwrap();
    });
}

#[test]
fn b18_selects_that_give_up_leave_nothing_behind() {
    // Losing arms that stay queued: the memory of a server's idle loop grows for ever.
    let _turn = turn("b18_selects_that_give_up_leave_nothing_behind");
    assert_steady(20, || {
        let (_tx, never) = chan::<usize>(0);
        let (full, _rx) = chan::<usize>(1);
        full.send(1).unwrap();
        for n in 0..scaled(ROUNDS) {
            select! {
                _ = <-never => unreachable!("nobody sends here"),
                _ = full <- n => unreachable!("nobody receives"),
                default => {},
            }
            assert!(never.recv_timeout(Duration::from_micros(1)).is_err());
            assert!(full.send_timeout(n, Duration::from_micros(1)).is_err());
        }
        let mut select = Select::new();
        select.recv(&never);
        assert!((0..scaled(ROUNDS)).all(|_| select.select_timeout(Duration::from_micros(1)).is_none()));
    });
}

#[test]
fn b18_goroutines_are_used_again() {
    // Goroutine objects or stacks that are made anew for each start.
    let _turn = turn("b18_goroutines_are_used_again");
    assert_steady(10, || {
        for n in 0..ROUNDS {
            assert_eq!(spawn(move || n).join().unwrap(), n);
            drop(spawn(move || yields(n % 2)));
        }
        yields(3);
    });
}

#[test]
fn b18_locks_and_groups_allocate_nothing() {
    // The waiters of a mutex, or of a group, that are allocated or left behind.
    let _turn = turn("b18_locks_and_groups_allocate_nothing");
    assert_steady(40, || {
        let shared = Arc::new((sync::Mutex::new(0), sync::WaitGroup::new()));
        for _ in 0..4 {
            shared.1.add(1);
            let shared = shared.clone();
            spawn(move || {
                for _ in 0..100 {
                    let mut n = shared.0.lock().unwrap();
                    gaggle::runtime::yield_now();
                    *n += 1;
                }
                shared.1.done();
            });
        }
        shared.1.wait();
        assert_eq!(*shared.0.lock().unwrap(), 400);
        yields(3);
    });
}

#[test]
fn b18_timers_leave_nothing_behind() {
    // A stopped timer that stays in the queue until its time comes.
    let _turn = turn("b18_timers_leave_nothing_behind");
    assert_steady(usize::MAX, || {
        for _ in 0..ROUNDS {
            let timer = time::Timer::new(Duration::from_secs(3600));
            assert!(timer.stop());
        }
        (0..ROUNDS).for_each(|_| drop(time::after(Duration::from_secs(3600))));
        (0..scaled(ROUNDS)).for_each(|_| time::sleep(Duration::from_micros(1)));
    });
}
