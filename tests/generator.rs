//! Generators: values out and in, ends of every kind, and bodies that do all that a goroutine may.

use gaggle::generator::{Generator, Synced, Yielder};
use gaggle::{chan, go, goroutine_local, growable, runtime, select, stack, time};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

mod support;
use support::{everywhere, scaled, turn};

/// On a plain thread, and in goroutines of both modes.
fn everywhere_and_on_a_thread(times: usize, f: impl Fn() + Send + Sync + Copy + 'static) {
    f();
    everywhere(times, f);
}

/// Counts itself when it is dropped.
struct Dropped(Rc<Cell<u32>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn values_go_out_and_in() {
    // A value that is lost, or that comes to the wrong yield.
    let _turn = turn("values_go_out_and_in");
    everywhere_and_on_a_thread(10, || {
        let mut g = Generator::new(|y| {
            let mut heard = vec![y.first().unwrap()];
            assert_eq!(y.first(), None);
            for n in 0..3 {
                heard.push(y.yield_(n));
            }
            heard
        });
        assert!(!g.is_done());
        assert_eq!(g.send("a".to_owned()), Some(0));
        assert_eq!(g.send("b".to_owned()), Some(1));
        assert_eq!((g.next(), g.is_done(), g.result()), (Some(2), false, None));
        assert_eq!(g.send("d".to_owned()), None);
        assert!(g.is_done());
        assert_eq!(g.send("e".to_owned()), None);
        assert_eq!(g.result().unwrap(), ["a", "b", "", "d"]);
        assert_eq!(g.result(), None);
    });
}

#[test]
fn an_iterator_like_any_other() {
    // An adapter that goes on after the end.
    let _turn = turn("an_iterator_like_any_other");
    everywhere_and_on_a_thread(10, || {
        let primes = || {
            Generator::new(|y| {
                for n in 2_u32.. {
                    if (2..n).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d)) {
                        y.yield_(n);
                    }
                }
            })
        };
        assert_eq!(primes().skip(5).step_by(2).take(3).collect::<Vec<_>>(), [13, 19, 29]);
        let mut sum = 0;
        for (a, b) in primes().zip(primes().skip(1)).take(scaled(1000)) {
            assert!(a < b);
            sum += b - a;
        }
        assert!(sum > 0);
        let mut empty = Generator::<(), u8>::new(|_| ());
        assert_eq!((Iterator::next(&mut empty), Iterator::next(&mut empty)), (None, None));
    });
}

#[test]
fn large_values_and_none_at_all() {
    // A value that is torn on its way between two stacks.
    let _turn = turn("large_values_and_none_at_all");
    everywhere_and_on_a_thread(3, || {
        let mut g = Generator::<[u64; 1000], [u64; 1000]>::new(|y| {
            let mut last = y.first().unwrap();
            loop {
                last = y.yield_(last.map(|n| n + 1));
            }
        });
        for n in 0..10 {
            assert_eq!(g.send([n; 1000]).unwrap(), [n + 1; 1000]);
        }
        let mut g = Generator::<(), ()>::new(|y| (0..5).for_each(|_| y.yield_(())));
        assert_eq!(g.by_ref().count(), 5);
    });
}

#[test]
fn a_panic_goes_on_in_the_caller() {
    // A panic that unwinds off the end of a stack; one that comes twice.
    let _turn = turn("a_panic_goes_on_in_the_caller");
    everywhere_and_on_a_thread(10, || {
        let drops = Rc::new(Cell::new(0));
        let held = Dropped(drops.clone());
        let mut g = Generator::<(), u32>::new(move |y| {
            let _held = held;
            y.yield_(1);
            resume_unwind(Box::new(17_u32))
        });
        assert_eq!(g.next(), Some(1));
        let payload = catch_unwind(AssertUnwindSafe(|| g.next())).unwrap_err();
        assert_eq!((payload.downcast_ref(), drops.get()), (Some(&17_u32), 1));
        assert_eq!((g.is_done(), g.next(), g.result()), (true, None, None));
    });
}

#[test]
fn dropping_one_unwinds_its_body() {
    // Destructors that never run; a stack that is freed under its frames.
    let _turn = turn("dropping_one_unwinds_its_body");
    everywhere_and_on_a_thread(10, || {
        let drops = Rc::new(Cell::new(0));
        let make = |drops: &Rc<Cell<u32>>| {
            let (captured, inner) = (Dropped(drops.clone()), drops.clone());
            Generator::<(), u32>::new(move |y| {
                let _captured = captured;
                let _local = Dropped(inner);
                for n in 0.. {
                    y.yield_(n);
                }
            })
        };
        // Never started: only what it captured is there.
        drop(make(&drops));
        assert_eq!(drops.get(), 1);
        let mut g = make(&drops);
        assert_eq!((g.next(), g.next()), (Some(0), Some(1)));
        drop(g);
        assert_eq!(drops.get(), 3);
        // While the driver unwinds.
        let mut g = make(&drops);
        let unwound = catch_unwind(AssertUnwindSafe(move || {
            g.next();
            resume_unwind(Box::new(()));
        }));
        assert!(unwound.is_err() && !std::thread::panicking());
        assert_eq!(drops.get(), 5);
    });
}

#[test]
fn a_body_that_catches_its_own_end() {
    // A loop of yields that can never be dropped; a value for a body that is being unwound.
    let _turn = turn("a_body_that_catches_its_own_end");
    everywhere_and_on_a_thread(10, || {
        let count = Rc::new(Cell::new(0));
        let inner = count.clone();
        let mut g = Generator::<(), u32>::new(move |y| {
            for _ in 0..5 {
                let _ = catch_unwind(AssertUnwindSafe(|| y.yield_(1)));
                inner.set(inner.get() + 1);
            }
        });
        assert_eq!(g.next(), Some(1));
        drop(g);
        assert_eq!(count.get(), 5);
    });
}

#[test]
fn a_destructor_that_panics_at_the_drop() {
    // A panic that is swallowed.
    let _turn = turn("a_destructor_that_panics_at_the_drop");
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            // Not while unwinding, which would abort: the body returns from its catch.
            resume_unwind(Box::new("from the destructor"));
        }
    }
    everywhere_and_on_a_thread(3, || {
        let mut g = Generator::<(), ()>::new(|y| {
            let _ = catch_unwind(AssertUnwindSafe(|| y.yield_(())));
            drop(Panics);
        });
        g.next();
        let payload = catch_unwind(AssertUnwindSafe(move || drop(g))).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"from the destructor"));
    });
}

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
fn leaves(depth: u32, first: u32) -> Generator<(), u32> {
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

goroutine_local! { static LOCAL: RefCell<String> = RefCell::new("none".into()); }

#[test]
fn locals_and_number_are_the_drivers() {
    // A body that sees the locals of some other goroutine.
    let _turn = turn("locals_and_number_are_the_drivers");
    everywhere(3, || {
        LOCAL.set("mine".into());
        let me = runtime::id();
        let mut g = Generator::<(), String>::new(move |y| {
            assert_eq!(runtime::id(), me);
            LOCAL.with(|local| y.yield_(local.borrow().clone()));
            LOCAL.set("the body's".into());
            y.yield_(String::new());
        });
        assert_eq!(g.next().unwrap(), "mine");
        g.next();
        assert_eq!(LOCAL.take(), "the body's");
    });
}

thread_local! { static KEPT: RefCell<Option<Generator<(), u32>>> = const { RefCell::new(None) }; }

#[test]
fn another_goroutine_of_the_thread_may_not_drive_it() {
    // A body suspended inside a borrow of its goroutine's locals, resumed when those are gone.
    let _turn = turn("another_goroutine_of_the_thread_may_not_drive_it");
    runtime::set_max_procs(1);
    for _ in 0..20 {
        let (drops, census) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        struct Counts(Arc<AtomicUsize>);
        impl Drop for Counts {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let counts = Counts(drops.clone());
        let first = go!(clone census; {
            let mut g = Generator::<(), u32>::new(move |y| {
                let _counts = counts;
                LOCAL.with(|local| {
                    local.borrow_mut().push('x');
                    y.yield_(1);
                    assert_eq!(*local.borrow(), "nonex");
                    census.fetch_add(1, Ordering::Relaxed);
                });
            });
            assert_eq!(g.next(), Some(1));
            KEPT.with_borrow_mut(|kept| *kept = Some(g));
            support::thread_number()
        });
        let first = first.join().unwrap();
        let second = go!({
            if support::thread_number() != first {
                return false;
            }
            let mut g = KEPT.take().unwrap();
            assert!(catch_unwind(AssertUnwindSafe(|| g.next())).is_err());
            // Leaked: unwinding would enter the body, too.
            drop(g);
            true
        });
        if second.join().unwrap() {
            assert_eq!(drops.load(Ordering::Relaxed), 0, "the body of a foreign generator was unwound");
        }
        assert_eq!(census.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn kept_in_a_goroutine_local_until_the_end() {
    // A body that uses, while it is unwound, locals that were dropped before it.
    let _turn = turn("kept_in_a_goroutine_local_until_the_end");
    goroutine_local! {
        static FIRST: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
        static HELD: RefCell<Option<Generator<(), ()>>> = const { RefCell::new(None) };
    }
    everywhere(3, || {
        FIRST.with_borrow_mut(|first| first.push("alive".into()));
        let mut g = Generator::<(), ()>::new(|y| {
            struct Looks<'a>(&'a RefCell<Vec<String>>);
            impl Drop for Looks<'_> {
                fn drop(&mut self) {
                    assert_eq!(self.0.borrow()[0], "alive");
                }
            }
            FIRST.with(|first| {
                let _looks = Looks(first);
                y.yield_(());
            });
        });
        g.next();
        HELD.with_borrow_mut(|held| *held = Some(g));
    });
}

#[test]
fn a_goroutine_that_ends_inside_the_body() {
    // A goroutine that goes on after its end, on the stack of the driver.
    let _turn = turn("a_goroutine_that_ends_inside_the_body");
    everywhere(5, || {
        let g = go!({
            Generator::<(), ()>::new(|_| runtime::exit()).next();
            unreachable!("the body ended the goroutine");
        });
        assert!(g.join().unwrap_err().is::<runtime::Exited>());
    });
}

#[inline(never)]
fn waits_in_a_body(rx: &gaggle::Receiver<()>) {
    std::hint::black_box(rx.recv());
}

#[test]
fn a_goroutine_that_waits_in_a_body_is_dumped() {
    // A dump that looks for the frames of the body on the stack of the driver.
    let _turn = turn("a_goroutine_that_waits_in_a_body_is_dumped");
    everywhere(2, || {
        let (tx, rx) = chan::<()>(0);
        let (started, begun) = chan::<()>(0);
        let g = go!(name = "driver"; {
            let mut g = Generator::<(), ()>::new(move |y| {
                drop(started);
                stack::with_room(1 << 20, || waits_in_a_body(&rx));
                y.yield_(());
            });
            assert_eq!(g.next(), Some(()));
        });
        assert_eq!(begun.recv(), None);
        let waits = |dump: &str| {
            dump.contains("\"driver\" [chan receive") && (cfg!(gaggle_portable) || dump.contains("waits_in_a_body"))
        };
        let mut dump = runtime::dump().to_string();
        while !waits(&dump) {
            // It is on its way there; a hang is the turn's to report.
            runtime::yield_now();
            dump = runtime::dump().to_string();
        }
        tx.send(()).unwrap();
        g.join().unwrap();
    });
}

#[test]
fn many_drivers_one_at_a_time() {
    // A value that goes to two drivers, or to none; an answer to somebody else's question.
    let _turn = turn("many_drivers_one_at_a_time");
    everywhere(1, || {
        let squares: Arc<Synced<Generator<u64, u64>>> = Arc::new(Synced::new(|y| {
            let mut n = y.first().unwrap();
            loop {
                n = y.yield_(n * n);
            }
        }));
        let each = scaled(300) as u64;
        let ask = move |squares: &Synced<Generator<u64, u64>>, from: u64| {
            (from..from + each).for_each(|n| assert_eq!(squares.send(n), Some(n * n)));
        };
        let threads: Vec<_> = (0..2)
            .map(|n| {
                let squares = squares.clone();
                std::thread::spawn(move || ask(&squares, n * 1000))
            })
            .collect();
        let goroutines: Vec<_> = (0..6).map(|n| go!(clone squares; { ask(&squares, n * 7777) })).collect();
        goroutines.into_iter().for_each(|g| g.join().unwrap());
        runtime::blocking(|| threads.into_iter().for_each(|t| t.join().unwrap()));
    });
}

#[test]
fn the_ends_of_a_synced_one() {
    // A driver that waits for a body that is gone; a body that outlives its generator.
    let _turn = turn("the_ends_of_a_synced_one");
    everywhere_and_on_a_thread(10, || {
        let g = Synced::<Generator<(), u32, &str>>::new(|y| {
            y.yield_(1);
            "done"
        });
        assert_eq!((g.next(), g.result(), g.next(), g.next()), (Some(1), None, None, None));
        assert_eq!((g.result(), g.result()), (Some("done"), None));

        let g = Synced::<Generator<(), u32>>::new(|_| resume_unwind(Box::new(3_u8)));
        assert!(catch_unwind(AssertUnwindSafe(|| g.next())).unwrap_err().is::<u8>());
        assert_eq!(g.next(), None);

        let g = Synced::<Generator<(), u32>>::new(|_| runtime::exit());
        assert_eq!((g.next(), g.next()), (None, None));

        let (tx, rx) = chan::<()>(0);
        let g = Synced::<Generator<(), u32>>::new(move |y| {
            let _tx = tx;
            y.yield_(1);
        });
        assert_eq!(g.next(), Some(1));
        drop(g);
        assert_eq!(rx.recv(), None);
        // Never driven.
        drop(Synced::<Generator<(), u32>>::new(|_| ()));
    });
}

/// Runs the test `name` of this program in a process of its own; returns what it wrote to standard error.
fn child(name: &str) -> (bool, String) {
    let me = std::env::current_exe().unwrap();
    let arguments = ["--exact", name, "--ignored", "--nocapture", "--test-threads=1"];
    let output = Command::new(me).args(arguments).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn no_message_is_printed_for_a_generator_that_is_dropped() {
    // A panic message for what is no panic.
    let (success, stderr) = child("child_that_drops_generators");
    assert!(success && !stderr.contains("panicked"), "{stderr}");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_that_drops_generators() {
    let drop_one = || {
        let mut g = leaves(3, 0);
        assert_eq!(g.next(), Some(0));
    };
    drop_one();
    gaggle::run(drop_one);
}

#[test]
fn an_overflow_in_a_body_is_reported() {
    // Silent corruption of the stack below; a report that names nobody.
    let (success, stderr) = child("child_that_overflows");
    assert!(!success);
    assert!(stderr.contains("goroutine stack overflow"), "{stderr}");
    if cfg!(not(gaggle_portable)) {
        assert!(stderr.contains("goroutine 1 ") && stderr.contains("65536 bytes of stack are used up"), "{stderr}");
    }
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_that_overflows() {
    #[allow(unconditional_recursion, reason = "the point")]
    fn forever(n: u64) -> u64 {
        std::hint::black_box(forever(n + 1)) + n
    }
    gaggle::run(|| {
        let mut g = Generator::<(), u64>::with_stack(64 << 10, |y| y.yield_(forever(0)));
        g.next();
    });
}
