//! What bodies may do: wait, grow, nest; and how many there may be.

use crate::everywhere_and_on_a_thread;
use crate::support::{everywhere, scaled, turn};
use gaggle::generator::{Generator, Yielder};
use gaggle::{chan, go, growable, runtime, select, stack, time};
use std::time::Duration;

#[test]
fn a_body_may_wait() {
    // A goroutine that parks on one stack, and is resumed on another.
    let _turn = turn("a_body_may_wait");
    everywhere_and_on_a_thread(10, || {
        let (tx, rx) = chan::<u32>(0);
        let (done, end) = chan::<()>(0);
        let sender = go!({
            for n in 0..20 {
                tx.send(n).unwrap();
                runtime::yield_now();
            }
            drop(done);
        });
        let mut g = Generator::new(move |y| {
            for n in &rx {
                y.yield_(n);
                time::sleep(Duration::from_micros(50));
                y.yield_(runtime::blocking(|| n + 100));
            }
            select! {
                v = <-end => assert_eq!(v, None),
                after(Duration::from_secs(60)) => panic!("nobody closed it"),
            }
        });
        let all: Vec<_> = g.by_ref().collect();
        assert_eq!(all, (0..20).flat_map(|n| [n, n + 100]).collect::<Vec<_>>());
        sender.join().unwrap();
    });
}

#[test]
fn drivers_and_bodies_that_wait_in_turn() {
    // A wake-up for the driver that arrives while the body runs, or the other way round.
    let _turn = turn("drivers_and_bodies_that_wait_in_turn");
    everywhere(1, || {
        let (tx, rx) = chan::<u64>(3);
        let drivers: Vec<_> = (0..20)
            .map(|driver| {
                let (tx, rx) = (tx.clone(), rx.clone());
                go!({
                    let from = rx.clone();
                    let mut g = Generator::<u64, u64>::new(move |y| {
                        let mut n = y.first().unwrap();
                        loop {
                            n = y.yield_(n + from.recv().unwrap());
                        }
                    });
                    let mut sum = 0;
                    for n in 0..scaled(500) as u64 {
                        tx.send(n).unwrap();
                        if (n + driver).is_multiple_of(5) {
                            runtime::yield_now();
                        }
                        sum += g.send(1).unwrap();
                    }
                    sum
                })
            })
            .collect();
        let sum: u64 = drivers.into_iter().map(|driver| driver.join().unwrap()).sum();
        let each = scaled(500) as u64;
        assert_eq!(sum, 20 * (each * (each - 1) / 2 + each));
        drop((tx, rx));
    });
}

#[growable]
fn deep(n: u32, y: &mut Yielder<(), u32>) -> u32 {
    let frame = [n; 64];
    if n == 0 {
        // Suspended in the innermost of several segments.
        y.yield_(0);
        return 0;
    }
    let below = deep(n - 1, y);
    if n.is_multiple_of(10_000) {
        y.yield_(n);
    }
    below + std::hint::black_box(&frame)[63] - n + 1
}

#[test]
fn a_body_grows_and_is_suspended_in_its_segments() {
    // A segment that is unlinked from the driver's chain instead of the body's; a limit of the wrong stack.
    let _turn = turn("a_body_grows_and_is_suspended_in_its_segments");
    everywhere_and_on_a_thread(2, || {
        let depth = 30_000;
        let mut a = Generator::new(move |y| deep(depth, y));
        let mut b = Generator::new(move |y| deep(depth, y));
        let room = stack::remaining();
        // In turns, at different depths of the driver's own stack.
        assert_eq!((a.next(), stack::with_room(1 << 20, || b.next())), (Some(0), Some(0)));
        assert_eq!(stack::with_room(1 << 20, || a.next()), Some(10_000));
        assert_eq!((b.next(), a.next()), (Some(10_000), Some(20_000)));
        assert!(stack::remaining().abs_diff(room) < 4096, "{} and {room}", stack::remaining());
        assert_eq!(a.by_ref().count(), 1);
        assert_eq!(a.result(), Some(depth));
        // One is dropped deep in its segments.
        drop(b);
        assert!(stack::remaining().abs_diff(room) < 4096);
    });
}

#[test]
fn the_room_is_that_of_the_stack_one_runs_on() {
    // A body that believes it has the room of its driver, or the other way round.
    let _turn = turn("the_room_is_that_of_the_stack_one_runs_on");
    everywhere_and_on_a_thread(3, || {
        let outside = stack::remaining();
        let mut g = Generator::<(), usize>::with_stack(64 << 10, |y| {
            y.yield_(stack::remaining());
            y.yield_(stack::with_room(4 << 20, stack::remaining));
        });
        let inside = g.next().unwrap();
        assert!((30 << 10..64 << 10).contains(&inside), "{inside}");
        assert!(stack::remaining().abs_diff(outside) < 4096);
        assert!(g.next().unwrap() > 3 << 20);
        assert!(stack::remaining().abs_diff(outside) < 4096);
    });
}

/// All of a tree's leaves, by a generator for each node.
pub fn leaves(depth: u32, first: u32) -> Generator<(), u32> {
    Generator::with_stack(64 << 10, move |y| {
        if depth == 0 {
            return y.yield_(first);
        }
        for half in [first, first + (1 << (depth - 1))] {
            leaves(depth - 1, half).for_each(|leaf| y.yield_(leaf));
        }
    })
}

#[test]
fn generators_in_generators() {
    // An inner one that comes back to the wrong stack.
    let _turn = turn("generators_in_generators");
    everywhere_and_on_a_thread(1, || {
        assert!(leaves(6, 0).eq(0..64));
        // Dropped half way: every level unwinds.
        let mut half = leaves(5, 0);
        assert_eq!(half.by_ref().take(20).last(), Some(19));
    });
}

#[test]
fn many_at_once() {
    // Two that share a stack.
    let _turn = turn("many_at_once");
    everywhere_and_on_a_thread(1, || {
        let mut all: Vec<_> = (0..scaled(2000) as u32)
            .map(|n| Generator::<(), u32>::with_stack(64 << 10, move |y| (0..3).for_each(|k| y.yield_(n * 10 + k))))
            .collect();
        for k in 0..3 {
            for (n, g) in all.iter_mut().enumerate() {
                assert_eq!(g.next(), Some(n as u32 * 10 + k));
            }
        }
        all.truncate(10);
        assert!(all.iter_mut().all(|g| g.next().is_none()));
    });
}
