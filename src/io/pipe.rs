//! [`pipe`]: what one goroutine writes another one reads, with nothing in between.
//!
//! # Invariants
//! 1. `offer` is what a writer has left to write: a slice of its caller's, who stays in `write` until it is empty, or
//!    takes it back under the lock. So whoever holds the lock may read through it.
//! 2. One writer at a time has an offer: it holds `turn`.
//!
//! # Locking
//! `state`: its mutex. `turn` before `state`.

use crate::primitives::sync::Arc;
use crate::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use core::fmt;
use std::io::{self, ErrorKind, Read, Write};

/// Makes a pipe in memory: each write waits until readers have taken all of it.
///
/// Both ends are cloned and shared freely, between goroutines and plain threads; each byte goes to one reader. An end is
/// closed when its last handle is dropped, or by `close`.
///
/// # Compared with Go
/// `io.Pipe`, but that writing, or reading, nothing returns at once.
///
/// ```
/// use std::io::{Read, Write};
///
/// let (mut reader, mut writer) = gaggle::io::pipe();
/// gaggle::spawn(move || writer.write_all(b"straight through"));
/// let mut text = String::new();
/// reader.read_to_string(&mut text)?;
/// assert_eq!(text, "straight through");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn pipe() -> (PipeReader, PipeWriter) {
    let state = State { offer: Offer::EMPTY, closed_by_reader: None, closed_by_writer: None };
    let core = Core { turn: Mutex::new(()), state: Mutex::new(state), offered: Condvar::new(), taken: Condvar::new() };
    let core = Arc::new(core);
    (PipeReader(Arc::new(ReadEnd(core.clone()))), PipeWriter(Arc::new(WriteEnd(core))))
}

/// What a writer has left (I1).
struct Offer {
    start: *const u8,
    len: usize,
}

// SAFETY: it is a `&[u8]` of the writer's, which is `Send` (I1).
unsafe impl Send for Offer {}

impl Offer {
    const EMPTY: Self = Self { start: core::ptr::null(), len: 0 };

    fn of(bytes: &[u8]) -> Self {
        Self { start: bytes.as_ptr(), len: bytes.len() }
    }

    /// Moves as much as fits into `buf`.
    ///
    /// # Safety
    /// The lock of the state that this is in is held (I1).
    unsafe fn take(&mut self, buf: &mut [u8]) -> usize {
        let n = self.len.min(buf.len());
        // SAFETY: the writer's slice is good for as long as it is offered (I1), and it is not that of `buf`, which is
        // borrowed mutably.
        unsafe { core::ptr::copy_nonoverlapping(self.start, buf.as_mut_ptr(), n) };
        // SAFETY: at most one past the end of the slice.
        self.start = unsafe { self.start.add(n) };
        self.len -= n;
        n
    }
}

/// What the other end is told.
type Reason = Arc<io::Error>;

struct State {
    offer: Offer,
    closed_by_reader: Option<Reason>,
    closed_by_writer: Option<Option<Reason>>,
}

struct Core {
    turn: Mutex<()>,
    state: Mutex<State>,
    offered: Condvar,
    taken: Condvar,
}

/// An error that several callers get.
#[derive(Debug)]
struct Told(Reason);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Told {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

fn tell(reason: &Reason) -> io::Error {
    match reason.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(reason.kind(), Told(reason.clone())),
    }
}

fn closed() -> io::Error {
    io::Error::new(ErrorKind::BrokenPipe, "the pipe is closed")
}

impl Core {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that panics runs under it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let mut state = self.lock();
        loop {
            if state.closed_by_reader.is_some() {
                return Err(closed());
            }
            match &state.closed_by_writer {
                Some(None) => return Ok(0),
                Some(Some(reason)) => return Err(tell(reason)),
                None => {}
            }
            if state.offer.len != 0 {
                break;
            }
            state = self.offered.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        // SAFETY: the lock is held.
        let n = unsafe { state.offer.take(buf) };
        let emptied = state.offer.len == 0;
        drop(state);
        if emptied {
            self.taken.notify_all();
        } else {
            // The rest may be for another reader, who waits.
            self.offered.notify_one();
        }
        Ok(n)
    }

    fn write(&self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.lock();
        state.offer = Offer::of(buf);
        self.offered.notify_one();
        let end = loop {
            if state.offer.len == 0 {
                break Ok(());
            }
            if let Some(reason) = &state.closed_by_reader {
                break Err(tell(reason));
            }
            if state.closed_by_writer.is_some() {
                break Err(closed());
            }
            state = self.taken.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        // Taken back before we return (I1).
        let left = core::mem::replace(&mut state.offer, Offer::EMPTY).len;
        let written = buf.len() - left;
        // What was read was written, whatever came then; the next write says what.
        if written != 0 { Ok(written) } else { end.map(|()| written) }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.offered.notify_all();
        self.taken.notify_all();
    }
}

struct ReadEnd(Arc<Core>);

impl ReadEnd {
    fn close(&self, reason: io::Error) {
        let reason = Arc::new(reason);
        self.0.change(|state| _ = state.closed_by_reader.get_or_insert_with(|| reason.clone()));
    }
}

impl Drop for ReadEnd {
    fn drop(&mut self) {
        self.close(closed());
    }
}

struct WriteEnd(Arc<Core>);

impl WriteEnd {
    fn close(&self, reason: Option<io::Error>) {
        let reason = reason.map(Arc::new);
        self.0.change(|state| _ = state.closed_by_writer.get_or_insert_with(|| reason.clone()));
    }
}

impl Drop for WriteEnd {
    fn drop(&mut self) {
        self.close(None);
    }
}

/// The end of a [`pipe`] that is read from.
///
/// # Blocking
/// A read waits for a writer, and takes what it offers, as much as fits.
///
/// ```
/// use std::io::{Read, Write};
///
/// let (reader, mut writer) = gaggle::io::pipe();
/// gaggle::spawn(move || writer.write_all(b"abc"));
/// let mut two = [0; 2];
/// (&reader).read_exact(&mut two)?;
/// assert_eq!(&two, b"ab");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct PipeReader(Arc<ReadEnd>);

impl PipeReader {
    /// Closes this end: writes fail with [`ErrorKind::BrokenPipe`], those that wait included.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// let (reader, mut writer) = gaggle::io::pipe();
    /// reader.close();
    /// assert_eq!(writer.write(b"x").unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    /// ```
    pub fn close(&self) {
        self.0.close(closed());
    }

    /// Closes this end: writes fail with `error`. The first close counts.
    ///
    /// ```
    /// use std::io::{self, Write};
    ///
    /// let (reader, mut writer) = gaggle::io::pipe();
    /// reader.close_with_error(io::Error::other("disk full"));
    /// assert_eq!(writer.write(b"x").unwrap_err().to_string(), "disk full");
    /// ```
    pub fn close_with_error(&self, error: io::Error) {
        self.0.close(error);
    }
}

impl fmt::Debug for PipeReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipeReader").finish_non_exhaustive()
    }
}

impl Read for &PipeReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.0.read(buf)
    }
}

impl Read for PipeReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }
}

/// The end of a [`pipe`] that is written to.
///
/// # Blocking
/// A write waits until readers have taken all of it, or none is left. It is short only if the pipe was closed
/// meanwhile. Writes take turns: what one of them writes is read in one piece.
///
/// ```
/// use std::io::{Read, Write};
///
/// let (mut reader, writer) = gaggle::io::pipe();
/// let copier = gaggle::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
/// (&writer).write_all(b"abc")?;
/// drop(writer);
/// assert_eq!(copier.join().unwrap()?, 3);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct PipeWriter(Arc<WriteEnd>);

impl PipeWriter {
    /// Closes this end: readers find the end of the file.
    ///
    /// ```
    /// use std::io::Read;
    ///
    /// let (mut reader, writer) = gaggle::io::pipe();
    /// writer.close();
    /// assert_eq!(reader.read(&mut [0])?, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn close(&self) {
        self.0.close(None);
    }

    /// Closes this end: reads fail with `error`. The first close counts.
    ///
    /// ```
    /// use std::io::{self, Read};
    ///
    /// let (mut reader, writer) = gaggle::io::pipe();
    /// writer.close_with_error(io::Error::other("bad input"));
    /// assert_eq!(reader.read(&mut [0]).unwrap_err().to_string(), "bad input");
    /// ```
    pub fn close_with_error(&self, error: io::Error) {
        self.0.close(Some(error));
    }
}

impl fmt::Debug for PipeWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipeWriter").finish_non_exhaustive()
    }
}

impl Write for &PipeWriter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for PipeWriter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
