//! `gaggle::stack`, stack overflow, and what growth must leave untouched: black box.
//!
//! What ends a process, or measures one, runs in a process of its own: the test starts this binary again for one
//! ignored test, the *program*. `GAGGLE_TEST_RUNNER` names an emulator to start it with.

#![cfg(target_os = "linux")]

#[path = "stack/growth.rs"]
mod growth;
#[path = "stack/overflow.rs"]
mod overflow;

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

/// How a program ended.
struct Ended {
    signal: Option<i32>,
    success: bool,
    stderr: String,
}

/// Runs an ignored test of this binary in a process of its own.
fn program(name: &str, env: &[(&str, &str)]) -> Ended {
    let me = std::env::current_exe().unwrap();
    let mut command = match std::env::var_os("GAGGLE_TEST_RUNNER") {
        Some(runner) => {
            let mut command = Command::new(runner);
            command.arg(me);
            command
        }
        None => Command::new(me),
    };
    command.args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"]).envs(env.iter().copied());
    let output = command.env("RUST_BACKTRACE", "0").output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("running 1 test"), "no program of the name {name}: {stdout}");
    Ended {
        signal: output.status.signal(),
        success: output.status.success(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
