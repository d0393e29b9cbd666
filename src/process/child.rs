//! A child that was started.

use super::{ChildStderr, ChildStdin, ChildStdout, ExitStatus, Output, wait};
use crate::go::scope;
use std::io::{self, Read};
use std::process;

/// A child process, as `std::process::Child`.
///
/// Dropping it neither waits nor kills.
///
/// ```
/// # #[cfg(unix)]
/// gaggle::run(|| -> std::io::Result<()> {
///     use gaggle::process::{Command, Stdio};
///     use std::io::{BufRead, BufReader, Write};
///
///     let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
///     let (mut to, from) = (cat.stdin.take().unwrap(), cat.stdout.take().unwrap());
///     let mut lines = BufReader::new(from).lines();
///     for word in ["one", "two"] {
///         writeln!(to, "{word}")?;
///         assert_eq!(lines.next().unwrap()?, word);
///     }
///     // The end of its input is the end of `cat`.
///     drop(to);
///     assert!(cat.wait()?.success());
///     Ok(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Child {
    inner: process::Child,
    /// What the child reads, if it was asked to be a pipe.
    pub stdin: Option<ChildStdin>,
    /// What the child writes, if it was asked to be a pipe.
    pub stdout: Option<ChildStdout>,
    /// Its complaints, if they were asked to be a pipe.
    pub stderr: Option<ChildStderr>,
}

impl From<process::Child> for Child {
    fn from(mut inner: process::Child) -> Self {
        Self {
            stdin: inner.stdin.take().map(ChildStdin::from),
            stdout: inner.stdout.take().map(ChildStdout::from),
            stderr: inner.stderr.take().map(ChildStderr::from),
            inner,
        }
    }
}

impl Child {
    /// The system's number of the child.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.inner.id()
    }

    /// Ends the child by force (`SIGKILL`). One that has ended already is no error; it must still be waited for.
    ///
    /// # Errors
    /// The system's.
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// let mut child = gaggle::process::Command::new("sleep").arg("1000").spawn()?;
    /// assert!(child.try_wait()?.is_none());
    /// child.kill()?;
    /// assert!(!child.wait()?.success());
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn kill(&mut self) -> io::Result<()> {
        self.inner.kill()
    }

    /// Whether, and how, the child has ended. Never blocks.
    ///
    /// # Errors
    /// The system's.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.inner.try_wait()
    }

    /// Waits for the child to end. Closes [`stdin`](Self::stdin) first, in case the child waits for its end.
    ///
    /// # Blocking
    /// Until then; on Linux without a thread.
    ///
    /// # Errors
    /// The system's.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        wait::wait(&mut self.inner)
    }

    /// Waits for the child to end, and returns what it wrote meanwhile. Closes [`stdin`](Self::stdin) first.
    ///
    /// # Blocking
    /// Until the child has ended, and everybody who writes to those pipes has closed them.
    ///
    /// # Errors
    /// The system's.
    pub fn wait_with_output(mut self) -> io::Result<Output> {
        drop(self.stdin.take());
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        // Both at once: a child that fills one pipe while the other is read would wait for ever.
        let read = match (self.stdout.take(), self.stderr.take()) {
            (Some(mut out), Some(mut err)) => scope(|s| {
                let second = s.go(|| err.read_to_end(&mut stderr));
                let first = out.read_to_end(&mut stdout);
                first.and(second.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload)))
            }),
            (Some(mut out), None) => out.read_to_end(&mut stdout),
            (None, Some(mut err)) => err.read_to_end(&mut stderr),
            (None, None) => Ok(0),
        };
        let status = self.wait()?;
        read?;
        Ok(Output { status, stdout, stderr })
    }
}
