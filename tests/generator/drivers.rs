//! Whoever drives a body: whose locals and number it sees, who may not, and many at once.

use crate::everywhere_and_on_a_thread;
use crate::support::{everywhere, scaled, thread_number, turn};
use gaggle::generator::{Generator, Synced};
use gaggle::{chan, go, goroutine_local, runtime, stack};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
            thread_number()
        });
        let first = first.join().unwrap();
        let second = go!({
            if thread_number() != first {
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
