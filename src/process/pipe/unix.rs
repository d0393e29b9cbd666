//! Pipes that do not block: the poller says when to go on.
//!
//! # Invariants
//! 1. The pipe is in non-blocking mode for as long as a `Pipe` has it. Only our end is: the child has the other one.
//! 2. `source` is dropped before `pipe`: what the poller watches is taken out before it is closed.

use crate::park::{Direction, IoSource};
use std::io;
use std::os::fd::{AsFd, AsRawFd};

#[derive(Debug)]
pub(super) struct Pipe<T> {
    source: IoSource,
    pipe: T,
}

impl<T: AsFd + Send> Pipe<T> {
    pub(super) fn new(pipe: T) -> Self {
        set_nonblocking(&pipe, true);
        Self { source: IoSource::new(), pipe }
    }

    /// The pipe as `std` knows it, for somebody who expects it to block.
    pub(super) fn into_std(self) -> T {
        drop(self.source);
        set_nonblocking(&self.pipe, false);
        self.pipe
    }

    /// Carries out what reads, as soon as there is something to read.
    pub(super) fn read<R: Send>(&mut self, op: impl FnMut(&mut T) -> io::Result<R> + Send) -> io::Result<R> {
        self.run(Direction::Read, op)
    }

    /// Carries out what writes, as soon as there is room.
    pub(super) fn write<R: Send>(&mut self, op: impl FnMut(&mut T) -> io::Result<R> + Send) -> io::Result<R> {
        self.run(Direction::Write, op)
    }

    fn run<R>(&mut self, direction: Direction, mut op: impl FnMut(&mut T) -> io::Result<R>) -> io::Result<R> {
        // The descriptor is looked at between the calls of `op`, which has the pipe.
        let descriptor = Descriptor(self.pipe.as_fd().as_raw_fd());
        let pipe = &mut self.pipe;
        self.source.run(&descriptor, direction, || op(pipe))
    }
}

/// The number of a descriptor that is open as long as this is used.
struct Descriptor(std::os::fd::RawFd);

impl AsFd for Descriptor {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        // SAFETY: `run` has the pipe, which owns the descriptor (I2), and does not close it meanwhile.
        unsafe { std::os::fd::BorrowedFd::borrow_raw(self.0) }
    }
}

/// Switches the mode of the open pipe. It fails for what is no descriptor only.
fn set_nonblocking(pipe: &impl AsFd, nonblocking: bool) {
    let fd = pipe.as_fd().as_raw_fd();
    // SAFETY: reads and sets flags of a descriptor that is open: it is borrowed.
    unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        let flags = if nonblocking { flags | libc::O_NONBLOCK } else { flags & !libc::O_NONBLOCK };
        libc::fcntl(fd, libc::F_SETFL, flags);
    }
}
