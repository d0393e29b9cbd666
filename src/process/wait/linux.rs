//! The end of a child by a descriptor for it (`pidfd`), which becomes readable then.
//!
//! # Invariants
//! 1. A child that was not waited for keeps its number: until `try_wait` has a result, the number means our child. If the
//!    system does not keep it (`SIGCHLD` is ignored), `try_wait` is an error, whatever the descriptor says.

use crate::io::blocking::blocking_for;
use crate::park::{Direction, IoSource, WaitReason};
use crate::primitives::atomic::{AtomicBool, Ordering};
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Child, ExitStatus};

pub(super) fn wait(child: &mut Child) -> io::Result<ExitStatus> {
    // Many have ended already, and cost no descriptor.
    if let Some(status) = child.try_wait()? {
        return Ok(status);
    }
    let Ok(descriptor) = open(child.id()) else {
        return blocking_for(WaitReason::ChildWait, || child.wait());
    };
    // Dropped before the descriptor is closed, being declared later.
    let source = IoSource::new();
    source.run(&descriptor, Direction::Read, || child.try_wait()?.ok_or(io::ErrorKind::WouldBlock.into()))
}

/// A descriptor for the process.
///
/// # Errors
/// When the kernel has none: it is too old, or descriptors are used up.
fn open(process: u32) -> io::Result<OwnedFd> {
    static UNKNOWN: AtomicBool = AtomicBool::new(false);
    // ORDERING: Relaxed; a fact about the kernel.
    if UNKNOWN.load(Ordering::Relaxed) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    // SAFETY: takes two numbers; the result is a new descriptor, close-on-exec by itself.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, process, 0) };
    if fd < 0 {
        let error = io::Error::last_os_error();
        if error.raw_os_error() == Some(libc::ENOSYS) {
            UNKNOWN.store(true, Ordering::Relaxed);
        }
        return Err(error);
    }
    // SAFETY: the descriptor was just made, and is nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as libc::c_int) })
}
