//! Standard input: read by a pool thread, waited for by parking.

use super::blocking::{blocking_for, uninterrupted};
use crate::park::WaitReason;
use crate::sync::{Mutex, MutexGuard, PoisonError};
use core::fmt;
use std::io::{self, BufRead, Read};

/// As std's own buffer.
const BUFFER: usize = 8 << 10;

/// What was read and not yet taken: `bytes[at..]`.
struct Input {
    bytes: Vec<u8>,
    at: usize,
}

static INPUT: Mutex<Input> = Mutex::new(Input { bytes: Vec::new(), at: 0 });

/// Standard input for goroutines: std's methods, but a goroutine that waits for input parks.
///
/// # Blocking
/// Reads wait for input, and for other readers. A wait for input occupies one pool thread, however many wait.
///
/// It has a buffer of its own: what was read here, `std::io::stdin` does not see any more.
///
/// ```no_run
/// let mut line = String::new();
/// gaggle::io::stdin().read_line(&mut line)?;
/// for line in gaggle::io::stdin().lines() {
///     println!("{}", line?);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn stdin() -> Stdin {
    Stdin(())
}

/// A handle to standard input; see [`stdin`].
#[derive(Debug)]
pub struct Stdin(());

impl Stdin {
    /// Locks the input for several reads in a row.
    ///
    /// # Blocking
    /// While another reader has it.
    ///
    /// ```no_run
    /// use std::io::BufRead;
    /// let mut input = gaggle::io::stdin().lock();
    /// let (mut head, mut body) = (String::new(), Vec::new());
    /// input.read_line(&mut head)?;
    /// input.read_until(b'.', &mut body)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn lock(&self) -> StdinLock<'static> {
        StdinLock(INPUT.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Appends a line, with its end, to `line`; returns the number of bytes, 0 at the end of the input.
    ///
    /// # Blocking
    /// Until there is a line, and while another reader has the input.
    ///
    /// # Errors
    /// The system's; and input that is no UTF-8.
    pub fn read_line(&self, line: &mut String) -> io::Result<usize> {
        self.lock().read_line(line)
    }

    /// The lines to come, without their ends. It keeps the input locked for as long as it lives.
    ///
    /// # Blocking
    /// While another reader has the input; the iterator, until there is a line.
    pub fn lines(self) -> Lines {
        self.lock().lines()
    }
}

/// The lines of standard input: what [`Stdin::lines`] returns.
pub type Lines = io::Lines<StdinLock<'static>>;

impl Read for Stdin {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.lock().read(buf)
    }

    fn read_to_end(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        self.lock().read_to_end(buf)
    }

    fn read_to_string(&mut self, buf: &mut String) -> io::Result<usize> {
        self.lock().read_to_string(buf)
    }

    fn read_exact(&mut self, buf: &mut [u8]) -> io::Result<()> {
        self.lock().read_exact(buf)
    }
}

impl Read for &Stdin {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.lock().read(buf)
    }
}

/// Standard input, locked; see [`Stdin::lock`].
pub struct StdinLock<'a>(MutexGuard<'a, Input>);

impl BufRead for StdinLock<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let input = &mut *self.0;
        if input.at == input.bytes.len() {
            input.at = 0;
            input.bytes.resize(BUFFER, 0);
            let bytes = &mut input.bytes;
            let read = blocking_for(WaitReason::StdinRead, || uninterrupted(|| io::stdin().lock().read(bytes)));
            input.bytes.truncate(*read.as_ref().unwrap_or(&0));
            read?;
        }
        Ok(&input.bytes[input.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.0.at = (self.0.at + amount).min(self.0.bytes.len());
    }
}

impl Read for StdinLock<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut here = self.fill_buf()?;
        let n = here.read(buf)?;
        self.consume(n);
        Ok(n)
    }
}

impl fmt::Debug for StdinLock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdinLock").finish_non_exhaustive()
    }
}
