//! Our ends of a child's pipes.

use super::Stdio;
use super::pipe::Pipe;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::process;

/// What a child reads: dropping it is the end of its input. The example of [`Child`](super::Child) writes to one.
///
/// # Blocking
/// A write parks while the pipe is full.
///
/// # Errors
/// Writing to a child that has ended is a broken pipe.
#[derive(Debug)]
pub struct ChildStdin(Pipe<process::ChildStdin>);

/// What a child writes. The example of [`Child`](super::Child) reads from one.
///
/// # Blocking
/// A read parks until there is something, or everybody who writes has closed the pipe.
#[derive(Debug)]
pub struct ChildStdout(Pipe<process::ChildStdout>);

/// What a child complains; as [`ChildStdout`].
#[derive(Debug)]
pub struct ChildStderr(Pipe<process::ChildStderr>);

macro_rules! conversions {
    ($($name:ident),*) => { $(
        impl From<process::$name> for $name {
            fn from(pipe: process::$name) -> Self {
                Self(Pipe::new(pipe))
            }
        }

        /// One child's pipe for another child.
        impl From<$name> for Stdio {
            fn from(pipe: $name) -> Self {
                pipe.0.into_std().into()
            }
        }
    )* };
}

conversions!(ChildStdin, ChildStdout, ChildStderr);

macro_rules! reads {
    ($($name:ident),*) => { $(
        impl Read for $name {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.0.read(|pipe| pipe.read(buf))
            }

            fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                self.0.read(|pipe| pipe.read_vectored(bufs))
            }
        }
    )* };
}

reads!(ChildStdout, ChildStderr);

impl Write for ChildStdin {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(|pipe| pipe.write(buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write(|pipe| pipe.write_vectored(bufs))
    }

    /// Nothing is buffered here.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
