//! `go!`: what is evaluated where and when, and every form of what to run.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use gaggle::{Receiver, chan, go};

/// What happened, in order, as seen from all goroutines.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note<T>(&self, what: &str, value: T) -> T {
        self.0.lock().unwrap().push(what.to_owned());
        value
    }

    fn seen(&self) -> String {
        self.0.lock().unwrap().join(" ")
    }
}

/// Has methods that wait for a gate before they note that they ran.
#[derive(Clone)]
struct Runner {
    log: Log,
    gate: Receiver<()>,
}

impl Runner {
    fn run(self, a: i32, b: i32) -> i32 {
        self.gate.recv();
        self.log.note("call", a + b)
    }

    fn borrow(&self, what: &str) -> &Runner {
        self.log.note(what, self)
    }

    fn convert<T: From<i32>>(&self, value: i32) -> T {
        T::from(value)
    }

    fn start(self: Arc<Self>) -> i32 {
        go!(self.double(21)).join().unwrap()
    }

    fn double(&self, value: i32) -> i32 {
        2 * value
    }
}

fn runner() -> (Log, gaggle::Sender<()>, Runner) {
    let (open, gate) = chan(0);
    let log = Log::default();
    let runner = Runner { log: log.clone(), gate };
    (log, open, runner)
}

fn add(a: i32, b: i32) -> i32 {
    a + b
}

#[test]
fn block_captures_by_move_and_gives_its_value() {
    // A block that borrowed its captures could not outlive this frame.
    let words = String::from("ab");
    assert_eq!(go!({ words.len() }).join().unwrap(), 2);
    let base = 40;
    let handle = go! {
        let two = 2;
        base + two
    };
    assert_eq!(handle.join().unwrap(), 42);
}

#[test]
fn arguments_of_a_call_are_evaluated_now_and_the_call_later() {
    // An argument evaluated in the goroutine would see what the caller did after `go!`, or run out of order.
    let (log, open, runner) = runner();
    let callee = |gate: Receiver<()>, log: Log| {
        move |a, b| {
            gate.recv();
            log.note("call", add(a, b))
        }
    };
    let gate = runner.gate.clone();
    let handle = go!(log.note("callee", callee(gate, log.clone()))(log.note("first", 1), log.note("second", 2)));
    log.note("after", ());
    assert_eq!(log.seen(), "callee first second after");
    open.send(()).unwrap();
    assert_eq!(handle.join().unwrap(), 3);
    assert_eq!(log.seen(), "callee first second after call");
}

#[test]
fn receiver_and_arguments_of_a_method_are_evaluated_now() {
    // Only the last call of the chain may be left to the goroutine.
    let (log, open, runner) = runner();
    let handle = go!(runner.borrow("receiver").clone().run(log.note("first", 1), log.note("second", 2)));
    log.note("after", ());
    assert_eq!(log.seen(), "receiver first second after");
    open.send(()).unwrap();
    assert_eq!(handle.join().unwrap(), 3);
    assert_eq!(log.seen(), "receiver first second after call");
}

#[test]
fn an_argument_keeps_the_value_it_had() {
    // Capturing the variable instead of evaluating the argument would hand over a later value.
    let (open, gate) = chan::<()>(0);
    let wait = move |value: i32| {
        gate.recv();
        value
    };
    let mut count = 1;
    let handle = go!(wait(count));
    count += 1;
    open.send(()).unwrap();
    assert_eq!((handle.join().unwrap(), count), (1, 2));
}

#[test]
fn a_callee_is_the_one_of_the_moment() {
    // Go evaluates the function value before its arguments.
    let mut callee: fn(i32) -> i32 = |x| x + 1;
    let handle = go!(callee({
        callee = |x| x - 1;
        10
    }));
    assert_eq!((handle.join().unwrap(), callee(10)), (11, 9));
}

#[test]
fn whatever_can_be_called_can_be_started() {
    // Each callee needs another way to be taken along: by value, mutably, through a box or an Arc.
    let mut calls = 0;
    let counter = move || {
        calls += 1;
        calls
    };
    assert_eq!(go!(counter()).join().unwrap(), 1);
    let boxed: Box<dyn FnOnce(i32) -> i32 + Send> = Box::new(|x| x + 1);
    assert_eq!(go!(boxed(1)).join().unwrap(), 2);
    let shared: Arc<dyn Fn(i32) -> i32 + Send + Sync> = Arc::new(|x| x * 3);
    assert_eq!(go!(clone shared; shared(2)).join().unwrap(), 6);
    assert_eq!(go!((|x: i32| x + shared(1))(4)).join().unwrap(), 7);
    struct Holder {
        callback: fn() -> i32,
    }
    let holder = Holder { callback: || 9 };
    assert_eq!(go!((holder.callback)()).join().unwrap(), 9);
}

#[test]
fn paths_of_all_kinds() {
    // A path with segments, generics or capitals must not be taken for a local.
    fn identity<T>(value: T) -> T {
        value
    }
    static HITS: AtomicUsize = AtomicUsize::new(0);
    assert_eq!(go!(identity::<u8>(7)).join().unwrap(), 7);
    assert_eq!(go!(String::from("x")).join().unwrap(), "x");
    assert_eq!(go!(<i32 as From<u8>>::from(3)).join().unwrap(), 3);
    assert_eq!(go!(i32::default()).join().unwrap(), 0);
    assert_eq!(go!(Some(3)).join().unwrap(), Some(3));
    go!(HITS.fetch_add(5, Relaxed)).join().unwrap();
    assert_eq!(HITS.load(Relaxed), 5);
    assert_eq!(go!(self::add(1, 2)).join().unwrap(), 3);
}

#[test]
fn callables_and_closures_without_arguments() {
    // A path alone is called, not merely evaluated, in the goroutine.
    fn four() -> i32 {
        4
    }
    assert_eq!(go!(four).join().unwrap(), 4);
    assert_eq!(go!(i32::default).join().unwrap(), 0);
    let five = || 5;
    assert_eq!(go!(five).join().unwrap(), 5);
    let text = String::from("abc");
    assert_eq!(go!(|| text.len()).join().unwrap(), 3);
    let text = String::from("abcd");
    assert_eq!(go!(move || -> usize { text.len() }).join().unwrap(), 4);
    let text = String::from("abcde");
    assert_eq!(go!((|| text.len())).join().unwrap(), 5);
}

#[test]
fn method_forms() {
    // Turbofish, `self` as a receiver and calls on literals each take a path of their own.
    let (_, _open, runner) = runner();
    assert_eq!(go!(clone runner; runner.convert::<i64>(3)).join().unwrap(), 3_i64);
    assert_eq!(Arc::new(runner).start(), 42);
    assert_eq!(go!("abc".len()).join().unwrap(), 3);
    assert_eq!(go!(vec![1, 2].into_boxed_slice()).join().unwrap().len(), 2);
    let numbers = vec![3, 1, 2];
    let last = go!(numbers.into_iter().map(|n| n + 1).max());
    assert_eq!(last.join().unwrap(), Some(4));
    let mut list = vec![1];
    list.push(2);
    go!(list.push(3)).join().unwrap();
}

#[test]
fn arguments_keep_their_inference_and_coercions() {
    // An argument in a `let` of its own must still get its type from the callee.
    fn apply(f: impl Fn(&str) -> usize, text: &str) -> usize {
        f(text)
    }
    fn any(value: Box<dyn Any + Send>, slice: &[i32], none: Option<u8>) -> (bool, usize, bool) {
        (value.is::<i32>(), slice.len(), none.is_none())
    }
    fn parsed(value: u16, text: String) -> String {
        format!("{value}{text}")
    }
    assert_eq!(go!(apply(|text| text.len(), "four")).join().unwrap(), 4);
    assert_eq!(go!(any(Box::new(1), &[1, 2], None)).join().unwrap(), (true, 2, true));
    assert_eq!(go!(parsed("7".parse().unwrap(), "x".into())).join().unwrap(), "7x");
}

#[test]
fn a_question_mark_in_an_argument_returns_from_the_caller() {
    // Evaluated in the goroutine it would have no function to return from.
    fn start(text: &str) -> Result<i32, std::num::ParseIntError> {
        Ok(go!(add(text.parse()?, 1)).join().unwrap())
    }
    assert_eq!(start("4"), Ok(5));
    assert!(start("four").is_err());
}

#[test]
fn clones_leave_the_originals() {
    // A moved original could not be used afterwards; the clone of a reference must own.
    fn total(shared: &Arc<Vec<i32>>, more: &Arc<[i32]>) -> i32 {
        let handle = go!(clone shared, more; { shared.iter().chain(&*more).sum::<i32>() });
        handle.join().unwrap() + shared.len() as i32
    }
    assert_eq!(total(&Arc::new(vec![1, 2]), &Arc::from([3])), 8);
    let text = String::from("abc");
    assert_eq!(go!(clone text; text.len()).join().unwrap(), 3);
    assert_eq!(go!(clone text; || text.len()).join().unwrap(), 3);
    let handle = go! { clone text; let size = text.len(); size + 1 };
    assert_eq!(handle.join().unwrap(), 4);
    let number = 3;
    assert_eq!(go!(clone number; add(number, number)).join().unwrap(), 6);
    assert_eq!(text, "abc");
}

#[test]
fn options_in_any_order_evaluated_once_in_the_caller() {
    // An option lost or evaluated in the goroutine shows in the log or in the room left.
    let log = Log::default();
    let text = String::from("abc");
    let run = |text: String| move |more: usize| text.len() + more;
    let handle = go!(
        stack = log.note("stack", 4 << 20), clone text, log, pinned,
        name = log.note("name", format!("worker {}", 3));
        log.note("callee", run(text))(log.note("argument", 1))
    );
    assert_eq!(handle.join().unwrap(), 4);
    assert_eq!(log.seen(), "stack name callee argument");
    assert_eq!(go!(pinned; add(1, 2)).join().unwrap(), 3);
    assert_eq!(go!(pinned, clone text; text.len()).join().unwrap(), 3);
    assert_eq!(go!(clone text, pinned; { text.len() }).join().unwrap(), 3);
    assert_eq!(go!(name = "n"; || 1).join().unwrap(), 1);
    let handle = go! { name = "n", stack = 1 << 20; let one = 1; one + 1 };
    assert_eq!(handle.join().unwrap(), 2);
}

#[test]
fn the_stack_is_as_big_as_asked() {
    // An option that is read and then forgotten would leave the default.
    let small = go!(stack = 64 << 10; gaggle::stack::remaining());
    let big = go!(pinned, stack = 4 << 20; || gaggle::stack::remaining());
    assert!(small.join().unwrap() < 64 << 10);
    assert!(big.join().unwrap() > 2 << 20);
}

#[test]
fn bodies_that_are_expressions() {
    // Each of these is run in the goroutine as it stands, and not evaluated in the caller.
    let (tx, rx) = chan::<i32>(4);
    go!(for n in 0..3 {
        tx.send(n).unwrap();
    })
    .join()
    .unwrap();
    assert_eq!(go!(while rx.recv() != Some(2) {}).join().unwrap(), ());
    let limit = 2;
    assert_eq!(go!(if limit > 1 { "big" } else { "small" }).join().unwrap(), "big");
    assert_eq!(
        go!(match limit {
            2 => 'b',
            _ => 'c',
        })
        .join()
        .unwrap(),
        'b'
    );
    let mut rounds = 0;
    let looped = go!(loop {
        rounds += 1;
        if rounds > limit {
            break rounds;
        }
    });
    assert_eq!(looped.join().unwrap(), 3);
    assert_eq!(go!(format!("{limit}!")).join().unwrap(), "2!");
    assert!(go!(panic!("on purpose")).join().is_err());
    go!(println!("printed by a goroutine")).join().unwrap();
}

#[test]
fn go_in_generic_code() {
    // The static of the call site must not depend on the function's parameters.
    fn start<T: Clone + Send + 'static>(value: &T) -> (T, T) {
        fn swap<T>(pair: (T, T)) -> (T, T) {
            (pair.1, pair.0)
        }
        go!(swap((value.clone(), value.clone()))).join().unwrap()
    }
    assert_eq!(start(&1), (1, 1));
    assert_eq!(start(&"a".to_owned()), ("a".to_owned(), "a".to_owned()));
}
