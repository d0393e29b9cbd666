//! Programs that are started with the usual effect of signals, whatever the tests were started with.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// A shell that runs the tests in the background has them ignore SIGINT and SIGQUIT, and what they start as well.
pub fn with_usual_signals(command: &mut Command) -> &mut Command {
    // SAFETY: the closure makes async-signal-safe calls only.
    unsafe {
        command.pre_exec(|| {
            for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2] {
                libc::signal(signal, libc::SIG_DFL);
            }
            Ok(())
        })
    }
}
