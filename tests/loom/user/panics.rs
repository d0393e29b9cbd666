//! Panics: which fail a model, and which do not.

use super::{fails, outcomes, passes, says};
use gaggle::sync::WaitGroup;
use gaggle::testing::FailureKind;
use gaggle::{chan, go, model, runtime, select};

#[test]
fn one_that_nobody_hears_of() {
    // A failed assertion in a goroutine whose handle was dropped: green for ever.
    let report = fails(FailureKind::Panic, || {
        let (tx, rx) = chan::<u32>(0);
        go!(name = "checker"; { assert_eq!(rx.recv(), Some(2)) });
        tx.send(1).unwrap();
    });
    says(&report, &["assertion `left == right` failed", "goroutine 2 \"checker\" [panicked]:"]);
    let place = "goroutine 2 \"checker\" panicked at tests/loom/user/panics.rs:";
    assert!(report.lines().any(|line| line.starts_with(place)), "{report}");
}

#[test]
fn one_that_is_joined() {
    // A program that deals with the panics of its goroutines is right.
    passes(|| {
        let payload = go!({
            if true {
                panic!("expected")
            }
        })
        .join()
        .unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"expected"));
    });
}

#[test]
fn in_a_scope_and_in_a_group() {
    // The scope panics itself; a group only counts, so that nobody hears.
    passes(|| {
        let scope = || gaggle::scope(|s| drop(s.go(|| panic!("scoped"))));
        std::panic::catch_unwind(scope).unwrap_err();
    });
    let report = fails(FailureKind::Panic, || {
        let wg = WaitGroup::new();
        wg.go(|| panic!("counted"));
        wg.wait();
    });
    says(&report, &["counted"]);
}

#[test]
fn that_leads_to_a_deadlock() {
    // The cause stands in the report beside its consequence.
    let report = fails(FailureKind::Deadlock, || {
        let (tx, rx) = chan::<u32>(0);
        go!(name = "broken", clone tx; { if !tx.is_closed() { panic!("no value") } });
        rx.recv();
        drop(tx);
    });
    says(&report, &["no value", "goroutine 1 [chan receive]:", "goroutine 2 \"broken\" [panicked]:"]);
}

#[test]
fn exit_is_none() {
    // Go's rule: main may leave, the others go on.
    let (seen, _) = outcomes(|| go!({ runtime::exit() }).join().unwrap_err().is::<runtime::Exited>());
    assert!(seen.into_iter().eq([true]));
    passes(|| {
        let (tx, rx) = chan(0);
        go!(tx.send(1));
        go!(assert_eq!(rx.recv(), Some(1)));
        runtime::exit();
    });
}

#[test]
#[should_panic(expected = "in every interleaving")]
fn model_panics_with_the_report() {
    // What `#[should_panic(expected = …)]` and a reader look for.
    model(|| panic!("in every interleaving"));
}

#[test]
fn the_checker_goes_on_afterwards() {
    // A failed model that leaves its thread in a state that fails the next one.
    for _ in 0..3 {
        fails(FailureKind::Deadlock, || select! {});
        fails(FailureKind::Panic, || panic!("again"));
        passes(|| drop(go!({})));
    }
}

#[test]
fn a_model_inside_a_model() {
    // Two explorations that take each other's goroutines for theirs.
    let report = fails(FailureKind::Panic, || model(|| ()));
    says(&report, &["a model inside another model"]);
}
