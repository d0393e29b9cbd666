//! Files and directories, as in `std::fs`; the calls run off the scheduler's threads.
//!
//! A disk has no readiness to wait for: a read blocks the thread that makes it. So each call here runs on a pool thread
//! (see [`runtime::blocking`](crate::runtime::blocking)) while the goroutine parks. Nothing is copied on the way: the
//! pool thread reads into the caller's buffer, which stays in place since its owner is parked.
//!
//! A port from `std::fs` is a change of the `use` line. On a plain thread every call is `std`'s own, there and then.
//!
//! ```
//! use gaggle::fs::{self, File};
//! use std::io::{BufRead, BufReader, Write};
//!
//! # fn main() -> std::io::Result<()> {
//! let path = std::env::temp_dir().join(format!("gaggle-fs-{}", std::process::id()));
//! gaggle::run(|| -> std::io::Result<()> {
//!     let mut file = File::create(&path)?;
//!     writeln!(file, "one")?;
//!     writeln!(file, "two")?;
//!     let lines: Vec<_> = BufReader::new(File::open(&path)?).lines().collect::<Result<_, _>>()?;
//!     assert_eq!(lines, ["one", "two"]);
//!     fs::remove_file(&path)
//! })?;
//! # Ok(())
//! # }
//! ```
//!
//! # Blocking
//! Every function here, and every method that asks the system something: the goroutine parks until a pool thread has
//! the answer; when all of them are busy, until one is free.
//!
//! # Cost
//! Some microseconds a call for the way to the pool thread and back: read and write through `BufReader` and `BufWriter`,
//! or whole files. Many small calls in a row are best made together, with `std::fs`, in one `runtime::blocking`; so is
//! whatever `std::fs` has and this module has not.

mod dir;
mod file;
mod functions;
mod options;

pub use dir::{DirEntry, ReadDir, read_dir};
pub use file::File;
pub use functions::{
    canonicalize, copy, create_dir, create_dir_all, exists, hard_link, metadata, read, read_link, read_to_string,
    remove_dir, remove_dir_all, remove_file, rename, set_permissions, symlink_metadata, write,
};
pub use options::OpenOptions;
pub use std::fs::{FileTimes, FileType, Metadata, Permissions};

use crate::io::blocking::{blocking_for, uninterrupted};
use crate::park::WaitReason;
use std::io;

/// Runs `f` where it may block.
fn off<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    blocking_for(WaitReason::FileIo, f)
}

/// As [`off`], again and again if signals interrupt it. `std` does so itself for all but single reads and writes.
fn again<T: Send>(f: impl FnMut() -> io::Result<T> + Send) -> io::Result<T> {
    off(|| uninterrupted(f))
}
