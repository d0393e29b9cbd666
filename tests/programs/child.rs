//! Starts a program of this binary, and tells how it ended.

use crate::Named;
use crate::usual::with_usual_signals;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// What a file of this test has to offer.
pub struct Room {
    pub tests: &'static [Named<fn()>],
    pub programs: &'static [Named<fn() -> ExitCode>],
}

/// Lists tests and programs under their own names.
macro_rules! room {
    (tests: $($test:ident)*; programs: $($program:ident)*;) => {
        pub const ALL: $crate::child::Room = $crate::child::Room {
            tests: &[$((stringify!($test), $test)),*],
            programs: &[$((stringify!($program), $program)),*],
        };
    };
}
pub(crate) use room;

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    #[track_caller]
    pub fn assert_says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "no {text:?} in {self:#?}");
        self
    }

    #[track_caller]
    pub fn assert_silent(&self) -> &Self {
        assert_eq!(self.stderr, "", "{self:#?}");
        self
    }
}

/// Runs the program to its end; a hang is a failure.
#[track_caller]
pub fn run(program: &str, env: &[(&str, &str)]) -> Ended {
    run_with(program, env.iter().map(|(name, value)| (*name, OsString::from(value))))
}

#[track_caller]
pub fn run_with<'a>(program: &str, env: impl IntoIterator<Item = (&'a str, OsString)>) -> Ended {
    let me = std::env::current_exe().unwrap();
    let mut command = match std::env::var_os("GAGGLE_TEST_RUNNER") {
        Some(runner) => {
            let mut command = Command::new(runner);
            command.arg(me);
            command
        }
        None => Command::new(me),
    };
    for inherited in ["GAGGLE_PROCS", "GAGGLE_STACK", "GAGGLE_TEST_GUARD", "GAGGLE_SCHEDTRACE", "GAGGLE_TRACEBACK"] {
        command.env_remove(inherited);
    }
    // On a crowded machine any of them may keep a thread for long; what is said of it has tests of its own.
    command.env("GAGGLE_WARN", "0");
    command.env("RUST_BACKTRACE", "0").env("GAGGLE_PROGRAM", program).envs(env);
    with_usual_signals(&mut command);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = child.id() as libc::pid_t;
    let (done, end) = mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let hangs = end.recv_timeout(Duration::from_secs(300)) == Err(mpsc::RecvTimeoutError::Timeout);
        if hangs {
            // SAFETY: our own child, which has not been waited for: `done` is dropped after that.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
        hangs
    });
    let output = child.wait_with_output().unwrap();
    drop(done);
    assert!(!watch.join().unwrap(), "the program {program} hangs");
    Ended {
        code: output.status.code(),
        signal: output.status.signal(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
