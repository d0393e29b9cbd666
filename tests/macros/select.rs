//! `select!`: its value, the flow of control out of arms, operands, guards, and what is dropped when.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gaggle::{Receiver, SendError, Sender, chan, go, select};

const LONG: Duration = Duration::from_secs(300);
const SHORT: Duration = Duration::from_millis(1);

/// A channel with `values` in it and room for one more.
fn filled<T, const N: usize>(values: [T; N]) -> (Sender<T>, Receiver<T>) {
    let (tx, rx) = chan(N + 1);
    values.into_iter().for_each(|value| assert!(tx.send(value).is_ok()));
    (tx, rx)
}

/// A channel that takes nothing more.
fn full() -> (Sender<i32>, Receiver<i32>) {
    let (tx, rx) = filled([0]);
    tx.send(1).unwrap();
    (tx, rx)
}

/// A list that operands and destructors write to.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<&'static str>>>);

impl Log {
    fn note<T>(&self, what: &'static str, value: T) -> T {
        self.0.borrow_mut().push(what);
        value
    }

    fn seen(&self) -> String {
        self.0.borrow().join(" ")
    }
}

/// Notes when it is dropped.
struct Dropped(&'static str, Log);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.1.note(self.0, ());
    }
}

#[test]
fn the_value_is_the_chosen_arms() {
    // Any of these would be another arm's value, or of another type.
    let (_tx, rx) = filled([5]);
    let (full, _keep) = full();
    let received = select! { v = <-rx => v.unwrap() * 2, after(LONG) => 0 };
    assert_eq!(received, 10);
    assert_eq!(select! { v = <-rx => v, default => Some(7) }, Some(7));
    assert_eq!(select! { <-rx => "received", after(SHORT) => "timed out", }, "timed out");
    assert_eq!(2 + select! { full <- 1 => 1, default => 2 }, 4);
    assert_eq!(select! { default => 'x' }, 'x');
    assert_eq!(select! { after(SHORT) => 'y' }, 'y');
}

#[test]
fn arms_without_commas_after_blocks() {
    // Like in `match`, what ends with a brace needs no comma, and the last arm never does.
    let (tx, rx) = filled([1, 2, 3]);
    let mut seen = Vec::new();
    for round in 0..3 {
        select! {
            biased;
            v = <-rx if round == 0 => { seen.push(v) }
            v = <-rx if round == 1 => if v.is_some() { seen.push(v) } else { unreachable!() }
            v = <-rx if round == 2 => match v { Some(_) => seen.push(v), None => unreachable!() }
            after(LONG) => unsafe_free(),
            tx <- 4 => ()
        }
    }
    assert_eq!(seen, [Some(1), Some(2), Some(3)]);
}

fn unsafe_free() {
    unreachable!("something else was ready")
}

#[test]
fn patterns() {
    // A pattern is that of a `let`: mutable, nested, by reference, or nothing at all.
    struct Wrapped {
        inner: Option<(i32, char)>,
    }
    let (tx, rx) = filled([(1, 'a'), (2, 'b'), (3, 'c')]);
    let mutated = select! { mut v = <-rx => { v.as_mut().unwrap().0 += 10; v } };
    assert_eq!(mutated, Some((11, 'a')));
    assert!(select! { ref v = <-rx => v.is_some() });
    assert!(select! { whole @ (Some(_) | None) = <-rx => whole.is_some() });
    assert!(select! { Ok(()) | Err(_) = tx <- (4, 'd') => true });
    assert!(select! { _ = <-rx => true });
    let (tx, rx) = filled([Wrapped { inner: Some((5, 'e')) }]);
    let taken = select! { v = <-rx => v.and_then(|Wrapped { inner }| inner) };
    assert_eq!(taken, Some((5, 'e')));
    select! { _ = tx <- Wrapped { inner: None } => {} }
}

#[test]
fn sending() {
    // The three outcomes of a send: taken, given back, and Go's panic.
    let (tx, rx) = chan::<String>(1);
    select! { tx <- "plain".to_owned() => {} }
    assert_eq!(rx.recv().as_deref(), Some("plain"));
    select! { r = tx <- "with a result".to_owned() => r.unwrap() }
    assert_eq!(rx.recv().as_deref(), Some("with a result"));
    tx.close();
    let back = select! { r = tx <- "late".to_owned() => r };
    assert!(matches!(back, Err(SendError(text)) if text == "late"));
    let panic = catch_unwind(AssertUnwindSafe(|| select! { tx <- "late".to_owned() => {} }));
    let payload = panic.unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"send on closed channel"));
}

#[test]
fn a_value_to_send_is_typed_by_its_channel() {
    // Evaluated in a `let` of its own, each of these would lack its type or its coercion.
    let (any, _a) = chan::<Box<dyn Any + Send>>(1);
    let (function, calls) = chan::<Box<dyn Fn(&str) -> usize + Send>>(1);
    let (option, _c) = chan::<Option<u8>>(1);
    let (text, _d) = chan::<String>(1);
    let (slice, _e) = chan::<&'static [u16]>(1);
    select! { any <- Box::new(1) => {} }
    select! { function <- Box::new(|text| text.len()) => {} }
    select! { option <- None => {} }
    select! { text <- "x".into() => {} }
    select! { slice <- &[1, 2] => {} }
    select! { option <- if LONG > SHORT { Some(1) } else { None } => {}, default => {} }
    assert_eq!(calls.recv().unwrap()("four"), 4);
}

#[test]
fn control_flow_leaves_the_arms() {
    // Inside a closure or a loop of the macro these would not compile, or end the wrong loop.
    fn sum(rx: &Receiver<i32>) -> Result<i32, std::num::TryFromIntError> {
        let mut sum = 0;
        let last = 'outer: loop {
            loop {
                select! {
                    v = <-rx => match v {
                        Some(0) => break,
                        Some(100) => return Ok(sum),
                        Some(v) if v % 2 == 1 => continue,
                        Some(v) if v == 50 => break 'outer v,
                        Some(v) => sum += i32::from(u8::try_from(v)?),
                        None => unreachable!(),
                    },
                    after(LONG) => unreachable!(),
                }
            }
            sum += 1000;
        };
        Ok(sum + last)
    }
    assert_eq!(sum(&filled([2, 3, 0, 4, 50, 7]).1), Ok(1056));
    assert_eq!(sum(&filled([2, 100]).1), Ok(2));
    assert!(sum(&filled([2, 300]).1).is_err());
    let rx = filled([1, 2, 3]).1;
    let mut rounds = 0;
    while rounds < 3 {
        rounds += 1;
        select! { v = <-rx if rounds > 1 => if v == Some(1) { break }, default => continue }
    }
    assert_eq!(rounds, 2);
}

#[test]
fn operands_are_evaluated_once_in_source_order() {
    // Go evaluates channels and values on entry, whichever arm wins.
    let log = Log::default();
    let (_a_tx, a) = chan::<i32>(1);
    let (b, _b_rx) = full();
    let (_c_tx, c) = filled([7]);
    let chosen = select! {
        biased;
        _v = <-log.note("a", &a) => "a",
        log.note("b", &b) <- log.note("value", 1) => "b",
        _r = log.note("d", &b) <- log.note("other", 2) if log.note("guard", false) => "d",
        v = <-log.note("c", &c) => { assert_eq!(v, Some(7)); "c" }
        after(log.note("after", LONG)) => "after",
    };
    assert_eq!(chosen, "c");
    assert_eq!(log.seen(), "a b value guard d other c after");
}

#[test]
fn guards() {
    // A guard that is false takes its arm out, not the evaluation of its operands.
    let (_tx, rx) = filled([1, 2, 3]);
    let closed = false;
    let pick = |ready: bool| {
        select! {
            biased;
            v = <-rx if ready && !closed => v.unwrap(),
            after(LONG) if ready => unreachable!(),
            default => -1,
        }
    };
    assert_eq!((pick(false), pick(true)), (-1, 1));
    let timed = select! { v = <-rx if closed => v.unwrap(), after(SHORT) if !closed => -2 };
    assert_eq!(timed, -2);
    let still = select! { v = <-rx => v.unwrap(), after(SHORT) if closed => -2 };
    assert_eq!(still, 2);
    // The guard may look at the value that its arm moves.
    let (queue, _rx) = chan::<String>(1);
    let text = String::from("x");
    assert!(select! { queue <- text if !text.is_empty() => true, default => false });
}

#[test]
fn absent_channels_are_never_ready() {
    // Go's nil channel: `None` must not be taken for a closed one.
    let (tx, rx) = filled([1]);
    let none: Option<Receiver<i32>> = None;
    let some = Some(&rx);
    let no_tx: Option<&Sender<i32>> = None;
    let chosen = select! {
        <-none => "none",
        no_tx <- 3 => "no sender",
        v = <-some => { assert_eq!(v, Some(1)); "some" }
    };
    assert_eq!(chosen, "some");
    assert_eq!(select! { <-none => 1, Some(&tx) <- 2 => 2 }, 2);
}

#[test]
fn channels_of_every_expression() {
    // Places must not be moved, temporaries must live until the choice is made.
    struct Hub {
        lanes: Vec<(Sender<i32>, Receiver<i32>)>,
        shared: Arc<Receiver<i32>>,
    }
    impl Hub {
        fn lane<const N: i32>(&self) -> &Sender<i32> {
            assert_eq!(N, -1);
            &self.lanes[0].0
        }
        fn take(&self) -> Option<i32> {
            select! { v = <-self.lanes[0].1 => v, <-*self.shared => unreachable!() }
        }
    }
    let (_open, idle) = chan(0);
    let hub = Hub { lanes: vec![filled([1])], shared: Arc::new(idle) };
    assert_eq!(hub.take(), Some(1));
    select! { hub.lanes[0].0 <- 2 => {} }
    select! { hub.lane::<-1>() <- 3 => {} }
    assert_eq!(hub.take(), Some(2));
    let cell = RefCell::new(filled([4]));
    assert_eq!(select! { v = <-cell.borrow().1 => v, <-hub.shared => None }, Some(4));
    assert_eq!(select! { v = <-filled([5]).1 => v }, Some(5));
    assert_eq!(select! { v = <-{ let (_, rx) = filled([6]); rx } => v }, Some(6));
}

#[test]
fn one_channel_in_several_arms() {
    // Both ends of one channel, twice each: an arm must not block another.
    let (tx, rx) = chan::<i32>(1);
    let mut received = 0;
    for round in 0..8 {
        select! {
            v = <-rx => received += v.unwrap(),
            tx <- round => {}
            v = <-rx => received += v.unwrap(),
            tx <- round => {}
        }
    }
    assert_eq!(received, 2 + 4 + 6);
}

#[test]
fn what_is_not_taken_is_dropped_before_the_body() {
    // A value kept until the end of the body would hold a lock, or a channel open, for too long.
    let log = Log::default();
    let value = |name| Dropped(name, log.clone());
    let (_tx, rx) = filled([value("received")]);
    let (busy, _busy) = filled([value("x")]);
    busy.send(value("y")).ok();
    select! {
        busy <- value("unsent") => unreachable!(),
        <-rx => assert_eq!(log.seen(), "received unsent"),
    }
    let (_tx, rx) = filled([value("wild")]);
    select! { _ = <-rx => assert!(log.seen().ends_with("wild")) }
    let (_tx, rx) = filled([value("kept")]);
    select! { _v = <-rx => assert!(log.seen().ends_with("wild")) }
    assert!(log.seen().ends_with("kept"));
}

#[test]
fn bodies_may_use_what_the_operands_borrow() {
    // A borrow that lasted into the body would forbid all of these.
    let mut stash = vec![filled([1]).1];
    let (mut tx, rx) = chan::<i32>(1);
    select! { v = <-stash[0] => { stash.clear(); assert_eq!(v, Some(1)) } }
    select! { tx <- 1 => { tx = chan(1).0 } }
    select! { v = <-rx => { assert_eq!(v, Some(1)); drop(rx) } }
    assert!(stash.is_empty());
    drop(tx);
}

#[test]
fn select_in_select() {
    // The names of an inner expansion must not be the outer's.
    let (tx, rx) = filled([1, 2, 3]);
    let sum = select! {
        a = <-rx => a.unwrap() + select! {
            b = <-rx => b.unwrap() + select! { c = <-rx => c.unwrap(), default => 100 },
            default => 100,
        },
        default => 100,
    };
    assert_eq!(sum, 6);
    let sent = select! { tx <- select! { <-rx => 1, default => 4 } => select! { v = <-rx => v } };
    assert_eq!(sent, Some(4));
}

#[test]
fn select_in_closures_generics_and_goroutines() {
    // The expansion must not depend on where it stands.
    fn either<T: Send + 'static>(a: &Receiver<T>, b: &Receiver<T>) -> Option<T> {
        select! { v = <-a => v, v = <-b => v }
    }
    fn never() -> i32 {
        select! {}
    }
    let (a_tx, a) = chan::<Box<dyn Fn() -> i32 + Send>>(0);
    let (_b_tx, b) = chan(0);
    let sender = go!({
        select! { a_tx <- Box::new(|| 3) => "sent", after(LONG) => "late" }
    });
    assert_eq!(either(&a, &b).unwrap()(), 3);
    assert_eq!(sender.join().unwrap(), "sent");
    let hits = Cell::new(0);
    let poll = || select! { <-filled([1]).1 => hits.set(hits.get() + 1), default => {} };
    poll();
    assert_eq!(hits.get(), 1);
    let _: fn() -> i32 = never;
}

#[test]
fn biased_takes_the_first_ready_arm_and_only_then() {
    // Without `biased;` both arms must get their turns (chance of a false alarm: 2 in 2^200), with it one.
    let (_tx, rx) = filled([0; 400]);
    let (_idle, never) = chan::<i32>(0);
    let fair = |_| select! { <-rx => 1, <-never => 2, <-rx => 3 };
    let biased = |_| select! { biased; <-never => 2, <-rx => 1, <-rx => 3 };
    let mut chosen: Vec<_> = (0..200).map(fair).collect();
    chosen.sort_unstable();
    chosen.dedup();
    assert_eq!(chosen, [1, 3]);
    assert!((0..200).map(biased).all(|arm| arm == 1));
}

#[test]
fn a_timeout_beside_a_default_never_passes() {
    // `default` does not wait, so there is nothing that could time out.
    let (_tx, rx) = chan::<i32>(0);
    let chosen = select! { v = <-rx => v, after(Duration::ZERO) => Some(1), default => Some(2) };
    assert_eq!(chosen, Some(2));
}
