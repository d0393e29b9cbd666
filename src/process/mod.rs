//! Child processes, as in `std::process`: started, fed, read and waited for by goroutines that park.
//!
//! ```
//! use gaggle::process::{Command, Stdio};
//! use std::io::{Read, Write};
//!
//! # #[cfg(unix)]
//! gaggle::run(|| -> std::io::Result<()> {
//!     let mut sort = Command::new("sort").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
//!     sort.stdin.take().unwrap().write_all(b"pear\napple\n")?;
//!     let output = sort.wait_with_output()?;
//!     assert_eq!(output.stdout, b"apple\npear\n");
//!     assert!(output.status.success());
//!     Ok(())
//! })?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A port from `std::process` is a change of the `use` line. On Linux a waiting goroutine costs no thread, however many
//! children there are: the poller of sockets also tells when a child has ended, and when there is something in a pipe.
//! On other unix systems a wait for the end of a child occupies a thread of the pool of
//! [`runtime::blocking`](crate::runtime::blocking), elsewhere every operation does, and so it is on kernels before 5.3.
//!
//! As in `std`, a child that is dropped goes on, and one that has ended stays in the system's table until it is waited for.
//!
//! # Compared with Go
//! `os/exec`. There is no `CommandContext`: a goroutine that waits for `ctx.done()` and then kills.

mod child;
mod command;
#[cfg_attr(unix, path = "pipe/unix.rs")]
#[cfg_attr(not(unix), path = "pipe/other.rs")]
mod pipe;
mod pipes;
#[cfg_attr(target_os = "linux", path = "wait/linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "wait/other.rs")]
mod wait;

pub use child::Child;
pub use command::Command;
pub use pipes::{ChildStderr, ChildStdin, ChildStdout};
pub use std::process::{ExitCode, ExitStatus, Output, Stdio, abort, exit, id};
