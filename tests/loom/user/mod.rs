//! Models as users write them: `gaggle::model` and its reports.

mod bounds;
mod choices;
mod panics;
mod programs;
mod reports;
mod the_examples;
mod timeouts;

use gaggle::testing::{Explored, Failure, FailureKind, Model};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

/// With the bound under which models are tests, and not proofs.
#[track_caller]
fn explore(f: impl Fn() + Send + Sync + 'static) -> Result<Explored, Failure> {
    Model::new().preemptions(2).explore(f)
}

#[track_caller]
fn fails(kind: FailureKind, f: impl Fn() + Send + Sync + 'static) -> String {
    let failure = explore(f).expect_err("the model must fail");
    assert_eq!(failure.kind(), kind, "{failure}");
    failure.to_string()
}

#[track_caller]
fn passes(f: impl Fn() + Send + Sync + 'static) -> Explored {
    match explore(f) {
        Ok(explored) => explored,
        Err(failure) => panic!("{failure}"),
    }
}

#[track_caller]
fn says(report: &str, lines: &[&str]) {
    for line in lines {
        assert!(report.lines().any(|said| said == *line), "no line {line:?} in:\n{report}");
    }
}

/// What the executions of a model come to, all of them together.
#[track_caller]
fn outcomes<T>(f: impl Fn() -> T + Send + Sync + 'static) -> (BTreeSet<T>, Explored)
where
    T: Ord + Debug + Send + 'static,
{
    let all = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = all.clone();
    let explored = passes(move || {
        let outcome = f();
        seen.lock().unwrap().insert(outcome);
    });
    let all = std::mem::take(&mut *all.lock().unwrap());
    (all, explored)
}
