//! Generators: values out and in, ends of every kind, and bodies that do all that a goroutine may.

use gaggle::generator::Generator;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

mod support;
use support::{everywhere, scaled, turn};

#[path = "generator/bodies.rs"]
mod bodies;
#[path = "generator/drivers.rs"]
mod drivers;

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
/// Runs the test `name` of this program in a process of its own; returns what it wrote to standard error.
fn child(name: &str) -> (bool, String) {
    let output = support::by_itself(name).output().unwrap();
    support::assert_was_there(&output);
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
        let mut g = bodies::leaves(3, 0);
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
