//! What tests share that could hang, or that change how the one scheduler of the process runs.
#![allow(dead_code, reason = "each test program uses its part")]

use gaggle::runtime;
use std::io::Write;
use std::process::{Command, ExitCode, Output};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

/// One test at a time, because the number of processors and of goroutines is the process's; and a hang becomes a
/// failure that names its test.
pub struct Turn {
    _alone: MutexGuard<'static, ()>,
    _done: mpsc::Sender<()>,
}

/// Waits for this test's turn, and for the goroutines of the test before it to be gone.
#[must_use = "the turn ends with the guard"]
pub fn turn(test: &'static str) -> Turn {
    let turn = Turn { _alone: alone(), _done: watch(test) };
    while runtime::num_goroutines() != 0 {
        thread::yield_now();
    }
    turn
}

/// As [`turn`], with so many processors; goroutines of the test before may still be there.
#[must_use = "the turn ends with the guard"]
pub fn alone_with(procs: usize) -> Turn {
    let turn = Turn { _alone: alone(), _done: watch(&name()) };
    runtime::set_max_procs(procs);
    turn
}

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the harness calls this thread: the test, if it runs several at once.
fn name() -> String {
    thread::current().name().unwrap_or("a test").to_owned()
}

/// Aborts the process unless the sender is dropped in time.
pub fn watch(test: &str) -> mpsc::Sender<()> {
    let test = test.to_owned();
    let (done, end) = mpsc::channel::<()>();
    let limit = std::env::var("GAGGLE_TEST_LIMIT").ok().and_then(|s| s.parse().ok()).unwrap_or(300);
    thread::spawn(move || {
        if end.recv_timeout(Duration::from_secs(limit)) == Err(mpsc::RecvTimeoutError::Timeout) {
            // Not `eprintln!`, which the test harness keeps to itself.
            _ = writeln!(std::io::stderr(), "{test}: hangs");
            std::process::abort();
        }
    });
    done
}

/// Runs `f` in a pinned and in a migrating goroutine, each `times` times with 1, 2 and 8 processors.
pub fn everywhere(times: usize, f: impl Fn() + Send + Sync + Copy + 'static) {
    for procs in [1, 2, 8] {
        runtime::set_max_procs(procs);
        for _ in 0..times {
            gaggle::run(f);
            migrating(f);
        }
    }
}

/// As [`everywhere`], once each; a hang becomes a failure.
pub fn in_both_modes(f: impl Fn() + Send + Sync + Copy + 'static) {
    let _watch = watch(&name());
    everywhere(1, f);
}

/// As [`everywhere`], in the migrating mode only.
pub fn everywhere_migrating(times: usize, f: impl Fn() + Send + Sync + Copy + 'static) {
    for procs in [1, 2, 8] {
        runtime::set_max_procs(procs);
        (0..times).for_each(|_| migrating(f));
    }
}

/// Runs `f` in a migrating goroutine: no caller holds a thread local's borrow, or a value tied to a thread, across a
/// park.
pub fn migrating(f: impl FnOnce() + Send + 'static) {
    let attr = gaggle::__private::Attr { migrate: true, ..Default::default() };
    gaggle::__private::test(attr, move || {
        f();
        ExitCode::SUCCESS
    });
}

/// The kernel's number of this thread: a system call, so that no thread local is involved.
#[cfg(target_os = "linux")]
#[inline(never)]
pub fn thread_number() -> libc::pid_t {
    // SAFETY: it has no preconditions.
    unsafe { libc::gettid() }
}

/// Yields that many times.
pub fn yields(n: usize) {
    (0..n).for_each(|_| runtime::yield_now());
}

/// The ignored test `name` of this program, to be run in a process of its own.
pub fn by_itself(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"]);
    command
}

/// Whether such a process had a test to run: a name that no test has runs nothing, and nothing succeeds.
#[track_caller]
pub fn assert_was_there(output: &Output) {
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("running 1 test\n"), "no test of that name: {stdout}");
}

/// Less in debug builds.
pub const fn scaled(n: usize) -> usize {
    if cfg!(debug_assertions) { n.div_ceil(10) } else { n }
}
