//! The runtime of a model: what makes sense there, under the names of the real one.
//!
//! A model has one thread, no processors and no settings; see [`testing`](crate::testing).

use crate::park::{self, model};
use std::process::ExitCode;

pub use crate::go::{Exited, Id, exit};

/// Lets other goroutines run. In a model: this one goes on when another has made a step, or none can.
#[inline]
pub fn yield_now() {
    park::yield_now();
}

/// The number of the calling goroutine: in a model main is 1, the others are numbered as they are started.
pub fn id() -> Option<Id> {
    model::id().map(Id)
}

/// How many goroutines there are that have not ended.
pub fn num_goroutines() -> usize {
    model::num_goroutines()
}

/// Runs `f`. In a model everything is a goroutine, so it is a mere call.
pub fn run<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    f()
}

/// The arguments of `#[main]` and `#[test]`; a model has no use for them.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Attr {
    pub procs: Option<usize>,
    pub stack: Option<usize>,
    pub migrate: bool,
}

/// What `#[main]` expands to: every interleaving of `f` is explored.
#[doc(hidden)]
#[track_caller]
pub fn run_main(_attr: Attr, f: impl Fn() -> ExitCode + Send + Sync + 'static) -> ExitCode {
    match crate::testing::Model::new().explore(move || succeed(f())) {
        Ok(explored) => {
            eprintln!("model: {explored}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(101)
        }
    }
}

/// What `#[test]` expands to: every interleaving of `f` is explored.
#[doc(hidden)]
#[track_caller]
pub fn run_test(_attr: Attr, f: impl Fn() -> ExitCode + Send + Sync + 'static) -> ExitCode {
    crate::testing::model(move || succeed(f()));
    ExitCode::SUCCESS
}

fn succeed(code: ExitCode) {
    assert!(code == ExitCode::SUCCESS, "main returned {code:?}");
}
