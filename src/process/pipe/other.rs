//! Pipes where the poller knows sockets only: read and written on pool threads.

use crate::io::blocking::blocking_for;
use crate::park::WaitReason;
use std::io;

#[derive(Debug)]
pub(super) struct Pipe<T>(T);

impl<T: Send> Pipe<T> {
    pub(super) fn new(pipe: T) -> Self {
        Self(pipe)
    }

    pub(super) fn into_std(self) -> T {
        self.0
    }

    pub(super) fn read<R: Send>(&mut self, mut op: impl FnMut(&mut T) -> io::Result<R> + Send) -> io::Result<R> {
        let pipe = &mut self.0;
        blocking_for(WaitReason::FileIo, || op(pipe))
    }

    pub(super) fn write<R: Send>(&mut self, op: impl FnMut(&mut T) -> io::Result<R> + Send) -> io::Result<R> {
        self.read(op)
    }
}
