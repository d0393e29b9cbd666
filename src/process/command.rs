//! What is to be run, and how.

use super::{Child, ExitStatus, Output, Stdio};
use crate::io::blocking::blocking_for;
use crate::park::WaitReason;
use core::fmt;
use std::ffi::OsStr;
use std::path::Path;
use std::{io, process};

/// A program to run, with its arguments and surroundings, as `std::process::Command`.
///
/// ```
/// # #[cfg(unix)] {
/// use gaggle::process::Command;
///
/// let output = Command::new("echo").args(["hello", "child"]).output()?;
/// assert_eq!(output.stdout, b"hello child\n");
/// assert!(!Command::new("false").status()?.success());
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Command {
    command: process::Command,
    /// Which of the three streams the program has said something about: `std` does not tell.
    set: [bool; 3],
}

impl Command {
    /// The program of this name, without arguments, in the surroundings of this process.
    pub fn new<S: AsRef<OsStr>>(program: S) -> Self {
        Self { command: process::Command::new(program), set: [false; 3] }
    }

    /// One more argument.
    pub fn arg<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Self {
        self.command.arg(arg);
        self
    }

    /// More arguments.
    pub fn args<I, S>(&mut self, args: I) -> &mut Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.command.args(args);
        self
    }

    /// Sets an environment variable of the child.
    pub fn env<K: AsRef<OsStr>, V: AsRef<OsStr>>(&mut self, key: K, value: V) -> &mut Self {
        self.command.env(key, value);
        self
    }

    /// Sets environment variables of the child.
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// use gaggle::process::Command;
    ///
    /// let mut command = Command::new("/bin/sh");
    /// command.args(["-c", "echo $A-$B-$C"]).env_clear().envs([("A", "1"), ("B", "2"), ("C", "3")]).env_remove("B");
    /// assert_eq!(command.output()?.stdout, b"1--3\n");
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn envs<I, K, V>(&mut self, vars: I) -> &mut Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.command.envs(vars);
        self
    }

    /// Takes an environment variable from the child; the example of [`envs`](Self::envs) does.
    pub fn env_remove<K: AsRef<OsStr>>(&mut self, key: K) -> &mut Self {
        self.command.env_remove(key);
        self
    }

    /// Takes all environment variables from the child; the example of [`envs`](Self::envs) does.
    pub fn env_clear(&mut self) -> &mut Self {
        self.command.env_clear();
        self
    }

    /// Where the child begins.
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// let output = gaggle::process::Command::new("pwd").current_dir("/").output()?;
    /// assert_eq!(output.stdout, b"/\n");
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn current_dir<P: AsRef<Path>>(&mut self, dir: P) -> &mut Self {
        self.command.current_dir(dir);
        self
    }

    /// What the child reads. Otherwise: what this process does, and nothing for [`output`](Self::output).
    pub fn stdin<T: Into<Stdio>>(&mut self, stdin: T) -> &mut Self {
        self.command.stdin(stdin);
        self.set[0] = true;
        self
    }

    /// Where the child writes. Otherwise: where this process does; for [`output`](Self::output) it is captured.
    pub fn stdout<T: Into<Stdio>>(&mut self, stdout: T) -> &mut Self {
        self.command.stdout(stdout);
        self.set[1] = true;
        self
    }

    /// Where the child complains. Otherwise: where this process does; for [`output`](Self::output) it is captured.
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// use gaggle::process::{Command, Stdio};
    ///
    /// let output = Command::new("sh").args(["-c", "echo oh >&2"]).stderr(Stdio::null()).output()?;
    /// assert!(output.stderr.is_empty());
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn stderr<T: Into<Stdio>>(&mut self, stderr: T) -> &mut Self {
        self.command.stderr(stderr);
        self.set[2] = true;
        self
    }

    /// Starts the child.
    ///
    /// The thread that starts it is one of a pool, and ends some day: a child that asked the system to die with its
    /// parent's thread (`PR_SET_PDEATHSIG`) will.
    ///
    /// # Blocking
    /// Until the child is running the program, or that has failed.
    ///
    /// # Errors
    /// The system's: there is no such program, or no process to be had.
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// let mut child = gaggle::process::Command::new("true").spawn()?;
    /// assert!(child.wait()?.success());
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn spawn(&mut self) -> io::Result<Child> {
        let command = &mut self.command;
        blocking_for(WaitReason::ChildStart, || command.spawn()).map(Child::from)
    }

    /// Runs the child to its end.
    ///
    /// # Blocking
    /// Until then.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn).
    pub fn status(&mut self) -> io::Result<ExitStatus> {
        self.spawn()?.wait()
    }

    /// Runs the child to its end and returns what it wrote.
    ///
    /// # Blocking
    /// Until then.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn).
    pub fn output(&mut self) -> io::Result<Output> {
        let set = self.set;
        self.streams(set, Stdio::null, Stdio::piped);
        let child = self.spawn();
        self.streams(set, Stdio::inherit, Stdio::inherit);
        child?.wait_with_output()
    }

    /// Redirects the streams about which nothing was said.
    fn streams(&mut self, set: [bool; 3], input: fn() -> Stdio, output: fn() -> Stdio) {
        if !set[0] {
            self.command.stdin(input());
        }
        if !set[1] {
            self.command.stdout(output());
        }
        if !set[2] {
            self.command.stderr(output());
        }
    }

    /// `std`'s command in this one, for its extension traits and for what it tells.
    ///
    /// Set the three streams with the methods here, not on it: [`output`](Self::output) would not know of it.
    ///
    /// ```
    /// let mut command = gaggle::process::Command::new("ls");
    /// assert_eq!(command.as_std_mut().get_program(), "ls");
    /// ```
    pub fn as_std_mut(&mut self) -> &mut process::Command {
        &mut self.command
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.command.fmt(f)
    }
}
