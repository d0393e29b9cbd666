//! Entering the runtime from a plain thread: `run`, and what `#[main]` and `#[test]` call.

use super::Builder;
use crate::go::{self, Exited};
use crate::park::WaitReason;
use crate::sched;
use std::any::Any;
use std::panic::resume_unwind;
use std::process::ExitCode;

/// The stack of goroutine 1, unless it is asked for: what Rust gives a main thread.
const MAIN_STACK: usize = 8 << 20;

/// Runs `f` as a goroutine and waits for it; the runtime goes on afterwards.
///
/// From a goroutine it works too: then `f` runs in another one.
///
/// # Blocking
/// The calling thread, or goroutine, until `f` has returned.
///
/// # Panics
/// With the panic of `f`.
///
/// ```
/// let greeting = gaggle::run(|| {
///     let (tx, rx) = gaggle::chan(0);
///     gaggle::spawn(move || tx.send("hello").unwrap());
///     rx.recv().unwrap()
/// });
/// assert_eq!(greeting, "hello");
/// ```
#[track_caller]
pub fn run<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    let builder = go::Builder::new().stack_size(MAIN_STACK);
    match run_with(builder, f) {
        Ok(value) => value,
        Err(payload) => resume_unwind(payload),
    }
}

#[track_caller]
fn run_with<F, T>(builder: go::Builder, f: F) -> Result<T, Box<dyn Any + Send>>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    // SAFETY: the join comes before anything that `f` borrows goes away: nothing between the two unwinds.
    match unsafe { builder.spawn_borrowing(f) } {
        Ok(handle) => handle.join(),
        Err(error) => panic!("cannot start a goroutine: {error}"),
    }
}

/// The arguments of `#[main]` and `#[test]`.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Attr {
    pub procs: Option<usize>,
    pub stack: Option<usize>,
    pub migrate: bool,
}

impl Attr {
    #[track_caller]
    fn builder(&self) -> go::Builder {
        let builder = go::Builder::new().stack_size(self.stack.unwrap_or(MAIN_STACK));
        if self.migrate { builder.migrate(true) } else { builder }
    }
}

/// What `#[main]` expands to: `f` becomes goroutine 1, and its end is the process's.
#[doc(hidden)]
#[track_caller]
pub fn run_main(attr: Attr, f: impl FnOnce() -> ExitCode + Send + 'static) -> ExitCode {
    let builder = Builder::new();
    let builder = match attr.procs {
        Some(n) => builder.max_procs(n),
        None => builder,
    };
    if builder.start().is_err() {
        // A constructor that ran before main was quicker; the settings of the program win.
        if let Some(n) = attr.procs {
            sched::scheduler().resize(n);
        }
    }
    crate::diag::watch_sigquit();
    match run_with(attr.builder().name("main"), f) {
        Ok(code) => code,
        Err(payload) if payload.is::<Exited>() => outlive_main(),
        // Its message has been printed; the status is the one of a panicking main.
        Err(_) => ExitCode::from(101),
    }
}

/// Main's goroutine called `exit`: the others go on, and when none is left the program cannot.
///
/// Who looks for deadlocks says so; where threads cannot be counted, we.
fn outlive_main() -> ! {
    crate::diag::main_exited();
    if cfg!(target_os = "linux") {
        loop {
            crate::park::begin_wait().wait(WaitReason::Join);
        }
    }
    while sched::scheduler().num_goroutines() != 0 {
        // Nobody waits for an answer here: how soon the end is noticed does not matter.
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    eprintln!("fatal error: no goroutines (main called runtime.Goexit) - deadlock!");
    std::process::exit(2)
}

/// What `#[test]` expands to: the panic of `f` becomes the test's.
#[doc(hidden)]
#[track_caller]
pub fn run_test(attr: Attr, f: impl FnOnce() -> ExitCode + Send + 'static) -> ExitCode {
    match run_with(attr.builder(), f) {
        Ok(code) => code,
        Err(payload) => resume_unwind(payload),
    }
}
