//! Model-check your program: every interleaving of a small one, one after the other.
//!
//! A test of concurrent code sees the interleavings that the machine happens to produce. [`model`] runs a closure under
//! [loom], which takes the scheduler's place: it runs the closure again and again, each time in another order, until
//! every order that could make a difference has been seen. What the closure uses of this crate is the code that ships:
//! `go!`, channels, `select!`, locks.
//!
//! ```
//! use gaggle::{go, sync::Mutex};
//! use std::sync::Arc;
//!
//! gaggle::model(|| {
//!     let counter = Arc::new(Mutex::new(0));
//!     let theirs = counter.clone();
//!     let other = go!({ *theirs.lock().unwrap() += 1 });
//!     *counter.lock().unwrap() += 1;
//!     other.join().unwrap();
//!     assert_eq!(*counter.lock().unwrap(), 2);
//! });
//! ```
//!
//! # How to run it
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo test --release --target-dir target/loom --test my_models
//! ```
//!
//! The flag switches the whole build over, hence the directory of its own. Optimise: an execution takes some tens of
//! microseconds then, and there are many. Keep debug assertions on if you can (a profile that inherits from `release`
//! with `debug-assertions = true`). Nothing is needed in `Cargo.toml`, unless the program uses atomics or cells itself.
//!
//! **Without the flag** the same call is an ordinary test: the closure runs a hundred times on the real runtime
//! ([`Model::executions`] says how often). It proves nothing then, but the test is compiled, and goes wrong where it
//! always goes wrong. A deadlock is not noticed in that build: the test hangs.
//!
//! Under the flag, `#[gaggle::test]` and `#[gaggle::main]` explore their function as `model` does. Channels and locks
//! work inside of models only. Tests that are too large for a model stand under `#[cfg(not(loom))]`.
//!
//! # What it finds
//!
//! - **Panics**: a failed assertion in main, or in a goroutine whose panic nobody joins.
//! - **Deadlocks**: nobody can run, and main has not returned.
//! - **Leaks**: main has returned, and a goroutine waits for ever. A program would end here, by Go's rule; in a model it
//!   is an error, as a goroutine that nobody can wake is one in a server. Goroutines that can still run do so after
//!   main, to their end.
//! - **Data races** on `loom::cell` types, and orderings of atomics that are too weak, as far as loom models them.
//!
//! The [`Failure`] says it all: who waits, by goroutine, for what, made where; the panics; and the events that led there.
//!
//! ```text
//! model: all goroutines are asleep - deadlock!
//!
//! goroutine 1 [chan send]:
//!     for the channel made at src/main.rs:5:20
//!     main, the model at src/main.rs:4:1
//!
//! goroutine 2 "producer" [join]:
//!     for goroutine 3
//!     started at src/main.rs:8:5
//!
//! how it came to this:
//!     goroutine 1 (main) starts goroutine 2 "producer"
//!     goroutine 1 (main) waits: chan send
//!     …
//! ```
//!
//! # What there is in a model
//!
//! | | |
//! | --- | --- |
//! | `go!` in all forms, `spawn`, `task::Builder`, `JoinHandle`, `scope`, `WaitGroup::go` | each goroutine is a thread of loom's; `stack` is at least 256 KiB, `pinned` says nothing |
//! | channels, `select!`, `Select` | as they are; also `biased`, `default`, nil channels |
//! | `after(…)`, `recv_timeout`, `send_timeout`, `select_timeout`, `wait_timeout`, `acquire_timeout` | there is no clock: a timeout may pass at any moment from the beginning of the wait on, and all moments are tried |
//! | all of [`sync`](crate::sync) | as it is; constructors are not `const`, so no statics |
//! | `runtime::{yield_now, id, num_goroutines, exit, run}`, `checkpoint`, `#[growable]`, `#[preemptible]` | `run` is a call, the last three do nothing |
//! | [`context`](crate::context) | without deadlines |
//! | `time`, `goroutine_local!`, the rest of `runtime` | not there |
//!
//! What stands for `time::after(d)` is a goroutine that sends: `let (tx, timeout) = chan(1); go!(tx.send(()));`. It
//! may come first, last, or at any time between; so may the timeout. In a loop that waits again after each
//! timeout, put `yield_now`, or count the rounds: a timeout that passes for ever is an execution without end.
//!
//! # `select!`, and other choices
//!
//! Among arms that are ready at once a select chooses at random. loom has no dice, so the exploration is done in
//! *rounds*: in each, every select tries one particular arm first, and the rounds go through all combinations. A bug
//! that needs a particular winner is found.
//!
//! **The cost**: one select of two arms, executed once, doubles the work; executed three times it is eight rounds; in
//! general the product over all selects that one execution comes to. Beyond the first eight of them
//! ([`Model::choices`] says how many) arms are tried as written, and [`Explored::is_complete`] is false.
//! `biased` costs nothing.
//!
//! [`choose`] is the same for choices of your own: a request that fails or does not, a message that gets lost.
//!
//! # Limits
//!
//! - **Five goroutines** in one execution, main and those that have ended included. Two besides main, with two
//!   or three operations each, is the useful size: the number of orders grows exponentially.
//! - **Everything must come to an end.** A loop that polls (`try_recv`, `default`, an atomic flag) must call
//!   [`yield_now`](crate::runtime::yield_now), a server's loop must be given a way out: close its channel.
//! - **Only what loom sees is interleaved.** Atomics, cells, and whatever else goroutines share beside gaggle's types must
//!   come from loom: `gaggle::testing::loom`, which is there under the flag. `std::sync::Arc` does no harm. A
//!   `std::sync::Mutex` held across an operation of gaggle's blocks the whole model.
//! - **Nothing but the schedule may decide**: no random numbers, no clock, no order by address, no `HashMap` with its
//!   random seed, no state that outlives an execution, such as statics.
//! - loom remembers one access per atomic. A single look that needs no lock (`try_recv`, `len`, `is_closed`) and falls
//!   between two changes by another goroutine may be missed; in a loop that yields it is not.
//! - `SeqCst` loads and stores are `AcqRel` to loom, which may show orders that cannot happen; `SeqCst` fences are right.
//!   `compare_exchange_weak` never fails for nothing.
//! - A panic is unwound while others run, on one thread: `std::thread::panicking()`, and with it whether a lock is
//!   poisoned, is not exact while it is.
//!
//! # When it takes too long
//!
//! Fewer goroutines, fewer operations, `biased` selects. Then a bound on preemptions: how often a goroutine that
//! could go on is interrupted. Nearly all bugs show with two or three, and such a bound turns hours into seconds;
//! run without a bound at night. loom's variables hold for models that do not set them themselves:
//!
//! | | |
//! | --- | --- |
//! | `LOOM_MAX_PREEMPTIONS=3` | the bound; none by default |
//! | `LOOM_MAX_DURATION=60` | seconds for one round (`Model::duration` is for all) |
//! | `LOOM_MAX_PERMUTATIONS=100000` | executions in one round (`Model::executions` is for all) |
//! | `LOOM_MAX_BRANCHES=10000` | the length of one execution, beyond which it counts as endless |
//! | `LOOM_LOG=trace`, with `LOOM_LOCATION=1` | every step of every execution; narrow the model down first |
//!
//! [loom]: https://docs.rs/loom

#[cfg_attr(not(loom), path = "repeat.rs")]
#[cfg_attr(loom, path = "explore.rs")]
mod imp;
#[cfg(loom)]
mod report;

/// The model checker, of the version that gaggle is built with.
#[cfg(loom)]
pub use ::loom;

use core::fmt;
use std::time::Duration;

/// Explores every interleaving of `f`; see the [chapter](self).
///
/// # Panics
/// With the report, if an interleaving panics, deadlocks, or leaks a goroutine.
///
/// ```
/// use gaggle::{chan, go};
///
/// gaggle::model(|| {
///     let (tx, rx) = chan(1);
///     go!(clone tx; { tx.send(1) });
///     go!(tx.send(2));
///     assert_eq!(rx.recv().unwrap() + rx.recv().unwrap(), 3);
/// });
/// ```
#[track_caller]
pub fn model<F>(f: F)
where
    F: Fn() + Send + Sync + 'static,
{
    Model::new().check(f);
}

/// A number below `ways`, each of which is explored: what the world decides, and not the schedule.
///
/// In an ordinary build it is random.
///
/// # Panics
/// If `ways` is 0.
///
/// ```
/// use gaggle::{chan, go, testing};
///
/// gaggle::model(|| {
///     let (tx, rx) = chan(1);
///     go!({
///         if testing::choose(2) == 1 {
///             tx.send("arrived").unwrap();
///         }
///     });
///     // Lost or not, it must not hang.
///     rx.recv();
/// });
/// ```
#[track_caller]
pub fn choose(ways: u32) -> u32 {
    assert!(ways != 0, "choose: no ways to choose from");
    imp::choose(ways)
}

/// How a model is to be explored. In an ordinary build, [`executions`](Self::executions) and
/// [`duration`](Self::duration) say how long it runs, and the rest is of no effect.
///
/// ```
/// use gaggle::testing::Model;
///
/// let explored = Model::new().preemptions(2).explore(|| assert_eq!(1 + 1, 2)).unwrap();
/// assert!(explored.executions() >= 1);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a model is explored by `check` or `explore`"]
pub struct Model {
    preemptions: Option<usize>,
    branches: Option<usize>,
    choices: Option<usize>,
    executions: Option<u64>,
    duration: Option<Duration>,
}

impl Model {
    /// The defaults: no bounds, except on endless executions and on combinations of choices.
    pub fn new() -> Self {
        Self::default()
    }

    /// Explores only executions in which no more than `most` times a goroutine that could go on is interrupted.
    ///
    /// ```
    /// gaggle::testing::Model::new().preemptions(3).check(|| ());
    /// ```
    pub fn preemptions(mut self, most: usize) -> Self {
        self.preemptions = Some(most);
        self
    }

    /// How many steps make an execution endless. Default: 10,000.
    ///
    /// ```
    /// gaggle::testing::Model::new().branches(50_000).check(|| ());
    /// ```
    pub fn branches(mut self, most: usize) -> Self {
        self.branches = Some(most);
        self
    }

    /// At how many choices of one execution (of selects, and of [`choose`]) all ways are tried. Default: 8.
    ///
    /// ```
    /// gaggle::testing::Model::new().choices(12).check(|| ());
    /// ```
    pub fn choices(mut self, most: usize) -> Self {
        self.choices = Some(most);
        self
    }

    /// Stops after so many executions. In an ordinary build: how often the model runs. Default: no limit; 100 there.
    ///
    /// ```
    /// let explored = gaggle::testing::Model::new().executions(5).explore(|| ()).unwrap();
    /// assert!(explored.executions() <= 5);
    /// ```
    pub fn executions(mut self, most: u64) -> Self {
        self.executions = Some(most);
        self
    }

    /// Stops at the end of the execution in which so much time has passed.
    ///
    /// ```
    /// use std::time::Duration;
    /// gaggle::testing::Model::new().duration(Duration::from_secs(60)).check(|| ());
    /// ```
    pub fn duration(mut self, most: Duration) -> Self {
        self.duration = Some(most);
        self
    }

    /// Explores `f`.
    ///
    /// # Panics
    /// With the report, if an interleaving panics, deadlocks, or leaks a goroutine.
    ///
    /// ```should_panic
    /// gaggle::testing::Model::new().check(|| panic!("in every interleaving"));
    /// ```
    #[track_caller]
    pub fn check<F>(self, f: F)
    where
        F: Fn() + Send + Sync + 'static,
    {
        match self.explore(f) {
            Ok(explored) if cfg!(loom) && !explored.is_complete() => eprintln!("model: {explored}"),
            Ok(_) => {}
            Err(failure) => panic!("{failure}"),
        }
    }

    /// Explores `f`, and says what came of it.
    ///
    /// # Errors
    /// The first interleaving that panics, deadlocks, or leaks a goroutine.
    ///
    /// # Panics
    /// Inside of a model, under loom.
    ///
    /// ```
    /// use gaggle::testing::Model;
    ///
    /// let failure = Model::new().explore(|| panic!("in every interleaving")).unwrap_err();
    /// assert!(failure.to_string().contains("in every interleaving"));
    /// ```
    #[track_caller]
    pub fn explore<F>(self, f: F) -> Result<Explored, Failure>
    where
        F: Fn() + Send + Sync + 'static,
    {
        imp::explore(&self, f)
    }
}

/// What was explored without finding anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explored {
    executions: u64,
    rounds: u64,
    every_schedule: bool,
    every_choice: bool,
}

impl Explored {
    /// How many executions there were.
    pub fn executions(&self) -> u64 {
        self.executions
    }

    /// In how many rounds: combinations of the choices that selects, and [`choose`], can make.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Whether nothing was left out but what a bound on preemptions leaves out: neither time nor
    /// [`executions`](Model::executions) ran out, and all [`choices`](Model::choices) were tried. Never in an ordinary
    /// build.
    pub fn is_complete(&self) -> bool {
        self.every_schedule && self.every_choice
    }
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |n: u64| if n == 1 { "" } else { "s" };
        let (executions, rounds) = (self.executions, self.rounds);
        write!(f, "{executions} execution{} in {rounds} round{}", s(executions), s(rounds))?;
        match (self.every_schedule, self.every_choice) {
            (true, true) => Ok(()),
            (true, false) => f.write_str("; not all choices were tried"),
            (false, _) => f.write_str("; not all schedules were tried"),
        }
    }
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// Nobody can run, and main has not returned.
    Deadlock,
    /// Main has returned, and a goroutine waits for ever.
    Leak,
    /// Main has panicked, or a goroutine whose panic nobody joined.
    Panic,
    /// loom has found something by itself: a data race, an execution without end, one that cannot be repeated.
    Loom,
}

/// An interleaving in which the model fails. It displays as the report.
#[derive(Clone)]
pub struct Failure {
    kind: FailureKind,
    report: String,
}

impl Failure {
    /// What kind of failure it is.
    pub fn kind(&self) -> FailureKind {
        self.kind
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report)
    }
}

/// The report as well, so that `unwrap` shows it readably.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report)
    }
}

impl core::error::Error for Failure {}
