//! Runs the built examples.

use std::env;
use std::ffi::OsStr;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// With how many processors each example runs.
pub const PROCS: [&str; 3] = ["1", "2", "8"];

/// Nothing here takes as long, however slow the machine: only a hang does.
const HANG: Duration = Duration::from_secs(300);

/// How an example ended, and what it said.
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Finished {
    /// Its output, if it ended well and said nothing on standard error.
    pub fn text(self) -> String {
        assert_eq!(self.stderr, "", "an example complains");
        self.text_beside_stderr()
    }

    pub fn text_beside_stderr(self) -> String {
        assert!(self.status.success(), "{}: {}", self.status, self.stderr);
        String::from_utf8(self.stdout).expect("examples print UTF-8")
    }
}

/// Cargo puts the examples of a profile beside the directory of its tests.
fn built(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test has a path");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps/<test>");
    let path = profile.join("examples").join(name).with_extension(env::consts::EXE_EXTENSION);
    assert!(
        path.is_file(),
        "{} is missing: `cargo test` builds the examples, but not with a filter; `cargo build --examples` does",
        path.display()
    );
    path
}

/// Reads a pipe to its end, beside the caller.
fn reading(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (tx, rx) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let complete = pipe.read_to_end(&mut bytes);
        complete.expect("a pipe can be read");
        // The one who waits may have given up.
        let _ = tx.send(bytes);
    });
    rx
}

fn kill(mut child: Child, what: &str) -> ! {
    child.kill().expect("our own child can be killed");
    child.wait().expect("our own child can be waited for");
    panic!("{what} hangs");
}

/// Runs an example to its end.
pub fn run<A: AsRef<OsStr>>(name: &str, procs: &str, arguments: &[A]) -> Finished {
    let mut child = Command::new(built(name))
        .args(arguments)
        .env("GAGGLE_PROCS", procs)
        .env_remove("GAGGLE_STACK")
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("an example can be started");
    let stdout = reading(child.stdout.take().expect("it is piped"));
    let stderr = reading(child.stderr.take().expect("it is piped"));
    // Both pipes end with the process.
    let Ok(stdout) = stdout.recv_timeout(HANG) else { kill(child, &format!("{name} with {procs} processors")) };
    let stderr = stderr.recv().expect("the reader answers");
    let status = child.wait().expect("our own child can be waited for");
    Finished { status, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() }
}

/// The output of an example without arguments, for each number of processors.
pub fn outputs(name: &str) -> impl Iterator<Item = String> {
    PROCS.into_iter().map(move |procs| run::<&str>(name, procs, &[]).text())
}

/// The text without what stands in brackets: that is the machine's, not the program's.
pub fn without_brackets(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, bracket)) = rest.split_once(" [") {
        kept.push_str(before);
        rest = bracket.split_once(']').expect("brackets come in pairs").1;
    }
    kept + rest
}
