//! Builds and runs a check, for a limited time, and says how it ended.

use crate::list::{Check, Kind};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How a check ended.
#[derive(Debug)]
pub enum Ended {
    /// So many tests passed.
    Passed(usize),
    /// This test failed, for this reason.
    Failed(String, String),
    /// This test was still running when the time was over.
    Hung(String),
    /// It was not even built: the compiler's words.
    NotBuilt(String),
}

pub struct Runner {
    project: PathBuf,
    work: PathBuf,
}

const BUILD_LIMIT: Duration = Duration::from_secs(1800);

impl Runner {
    pub fn new(project: &Path, work: &Path) -> Self {
        Self { project: project.into(), work: work.into() }
    }

    /// Builds and runs `check`; `limit` is for the run alone.
    pub fn run(&self, check: &Check, limit: Duration) -> (Ended, Duration) {
        let (built, output) = self.finish(self.cargo(check).arg("--no-run"), BUILD_LIMIT);
        if !built.is_some_and(|status| status.success()) {
            return (Ended::NotBuilt(compiler_error(&output)), Duration::ZERO);
        }
        let start = Instant::now();
        let mut command = self.cargo(check);
        // One at a time, so that the last name is that of the test that hung or crashed.
        command.args(["--", "--test-threads=1"]).args(&check.filters);
        let (status, output) = self.finish(&mut command, limit);
        (ended(status, &output), start.elapsed())
    }

    /// The names of the tests that `check` stands for.
    ///
    /// # Errors
    /// If they cannot be built.
    pub fn names(&self, check: &Check) -> Result<Vec<String>, String> {
        let mut command = self.cargo(check);
        let (status, output) = self.finish(command.args(["--", "--list"]).args(&check.filters), BUILD_LIMIT);
        if !status.is_some_and(|status| status.success()) {
            return Err(compiler_error(&output));
        }
        Ok(output.lines().filter_map(|line| line.strip_suffix(": test")).map(Into::into).collect())
    }

    /// Runs the one model that is named by `check`, with what loom says of its progress.
    pub fn explore(&self, check: &Check, limit: Duration) -> (Ended, Duration, String) {
        let mut command = self.cargo(check);
        command.env("LOOM_LOG", "loom::model=info").env("LOOM_CHECKPOINT_INTERVAL", "1000");
        command.args(["--", "--exact", "--nocapture", "--test-threads=1"]).args(&check.filters);
        let start = Instant::now();
        let (status, output) = self.finish(&mut command, limit);
        (ended(status, &output), start.elapsed(), output)
    }

    fn cargo(&self, check: &Check) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.project).arg("test");
        let target = if check.kind.is_loom() { "loom" } else { "plain" };
        command.arg("--target-dir").arg(self.work.join(target));
        command.args(["--config", "profile.loom.package.\"*\".opt-level=3"]);
        match &check.kind {
            Kind::LoomLib => command.args(["--profile", "loom", "--lib"]),
            Kind::LoomTests => command.args(["--profile", "loom", "--test", "loom"]),
            Kind::Lib => command.arg("--lib"),
            Kind::Test(name) => command.args(["--test", name]),
            Kind::Macros => command.args(["--package", "gaggle-macros", "--lib"]),
        };
        let flags = if check.kind.is_loom() { "--cfg loom --cap-lints warn" } else { "--cap-lints warn" };
        command.env("RUSTFLAGS", flags).env("RUST_BACKTRACE", "0").env("CARGO_TERM_COLOR", "never");
        command.env_remove("CARGO_TARGET_DIR").env_remove("CARGO_ENCODED_RUSTFLAGS");
        // Built more quickly by more than they run more slowly; loom itself stays optimised.
        command.env("CARGO_PROFILE_LOOM_INCREMENTAL", "true").env("CARGO_PROFILE_LOOM_OPT_LEVEL", "1");
        command.env("CARGO_PROFILE_DEV_DEBUG", "false");
        match std::env::var("LOOM_MAX_PREEMPTIONS") {
            Ok(bound) if bound == "none" => command.env_remove("LOOM_MAX_PREEMPTIONS"),
            Ok(_) => &mut command,
            Err(_) => command.env("LOOM_MAX_PREEMPTIONS", "3"),
        };
        command
    }

    /// Runs `command` to its end, or for `limit`; `None` says that it had to be stopped.
    fn finish(&self, command: &mut Command, limit: Duration) -> (Option<ExitStatus>, String) {
        let path = self.work.join("output.log");
        let log = File::create(&path).expect("cannot write the output");
        let log_too = log.try_clone().expect("cannot write the output");
        own_group(command);
        let mut child = command.stdin(Stdio::null()).stdout(log).stderr(log_too).spawn().expect("cannot start cargo");
        let end = Instant::now() + limit;
        let status = loop {
            match child.try_wait().expect("cannot wait for cargo") {
                Some(status) => break Some(status),
                None if Instant::now() > end => {
                    stop(&mut child);
                    break None;
                }
                None => thread::sleep(Duration::from_millis(20)),
            }
        };
        (status, String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned())
    }
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

/// Stops cargo, and the tests that it started.
fn stop(child: &mut Child) {
    if cfg!(unix) {
        let group = format!("-{}", child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn ended(status: Option<ExitStatus>, output: &str) -> Ended {
    let current = || last_started(output).unwrap_or("?").to_owned();
    let Some(status) = status else {
        return Ended::Hung(current());
    };
    if status.success() {
        let passed = output.lines().filter_map(|line| line.strip_prefix("test result: ok. "));
        let counts = passed.filter_map(|line| line.split(' ').next()?.parse::<usize>().ok());
        return Ended::Passed(counts.sum());
    }
    let failed = output.lines().find_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    let listed = output.lines().find_map(|line| line.strip_prefix("---- ")?.strip_suffix(" stdout ----"));
    match failed.or(listed) {
        Some(name) => Ended::Failed(name.to_owned(), panic_message(output)),
        None => Ended::Failed(current(), crash(output)),
    }
}

/// The test that was begun last.
fn last_started(output: &str) -> Option<&str> {
    let line = output.lines().rev().find(|line| line.starts_with("test ") && line.contains(" ... "))?;
    line.strip_prefix("test ")?.split(" ... ").next()
}

fn panic_message(output: &str) -> String {
    let mut lines = output.lines().skip_while(|line| !line.contains("panicked at "));
    let place = lines.next().unwrap_or_default();
    let message = lines.find(|line| !line.trim().is_empty()).unwrap_or(place);
    shorten(message)
}

fn crash(output: &str) -> String {
    let signal = output.lines().rev().find_map(|line| line.split("signal: ").nth(1)?.split([',', ')']).next());
    let signal = signal.map_or_else(|| "crash".to_owned(), |signal| format!("crash, signal {signal}"));
    match panic_message(output) {
        panic if panic.is_empty() => signal,
        panic => format!("{panic} ({signal})"),
    }
}

fn compiler_error(output: &str) -> String {
    output.lines().filter(|line| line.starts_with("error")).take(3).collect::<Vec<_>>().join("; ")
}

fn shorten(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(90) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
