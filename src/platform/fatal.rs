//! The last words of a dying process: `fatal error: ...` on standard error, then abort.
//!
//! # Invariants
//! 1. Nothing here allocates, locks or touches a buffer of `std`: all of it may run in a signal handler, on an
//!    alternate stack, while the interrupted code holds any lock.

use core::fmt::{self, Write};

/// Writes straight to standard error, unbuffered; usable in a signal handler (I1).
#[derive(Debug)]
pub(crate) struct FatalWriter(());

impl FatalWriter {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

impl Write for FatalWriter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        write_bytes(text.as_bytes());
        Ok(())
    }
}

#[cfg(unix)]
fn write_bytes(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: the pointer and length are those of a live slice; write(2) is async-signal-safe (I1).
        let written = unsafe { libc::write(libc::STDERR_FILENO, bytes.as_ptr().cast(), bytes.len() as _) };
        match usize::try_from(written) {
            Ok(0) => return,
            Ok(n) => bytes = &bytes[n..],
            // Nobody is left to tell that standard error is gone; only an interruption is worth another try.
            Err(_) if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(not(unix))]
fn write_bytes(bytes: &[u8]) {
    use std::io::Write as _;
    // Elsewhere `std` writes standard error unbuffered too; a failure has nobody left to be told to.
    let _ = std::io::stderr().write_all(bytes);
}

/// Writes `text` to standard error in one piece, unless that would block: then nobody reads it, and it is dropped. At most
/// the 512 bytes that POSIX promises to keep together.
pub(crate) fn remark(text: &[u8]) {
    if can_write() {
        write_bytes(&text[..text.len().min(512)]);
    }
}

#[cfg(unix)]
fn can_write() -> bool {
    let mut asked = libc::pollfd { fd: libc::STDERR_FILENO, events: libc::POLLOUT, revents: 0 };
    // SAFETY: one descriptor to ask about, on this frame; the call returns at once.
    unsafe { libc::poll(&raw mut asked, 1, 0) == 1 && asked.revents & libc::POLLOUT != 0 }
}

#[cfg(not(unix))]
fn can_write() -> bool {
    true
}

/// Prints `fatal error: <message>` and aborts the process: the program cannot go on, and it is not a bug of ours.
#[cold]
pub(crate) fn fatal(message: fmt::Arguments<'_>) -> ! {
    // The writer never fails.
    let _ = FatalWriter::new().write_fmt(format_args!("fatal error: {message}\n"));
    std::process::abort()
}

/// Prints `runtime bug: <message>` and aborts the process: this crate erred.
#[cold]
pub(crate) fn bug(message: fmt::Arguments<'_>) -> ! {
    // The writer never fails.
    let _ = FatalWriter::new().write_fmt(format_args!("runtime bug: {message}\n"));
    std::process::abort()
}

/// `runtime_bug!("unbind: no stack is bound")`: says that this crate erred, and aborts.
macro_rules! runtime_bug {
    ($($message:tt)*) => { $crate::platform::fatal::bug(::core::format_args!($($message)*)) };
}
pub(crate) use runtime_bug;
