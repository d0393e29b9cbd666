//! The threads of the process: how many there are, and how many of them will do nothing by themselves.
//!
//! # Invariants
//! 1. [`ACCOUNTED`] counts no thread that is not there, or could act by itself: a thread of the runtime counts itself
//!    from its start to its end; a plain thread counts itself before it blocks in an operation of this crate, and is
//!    taken away by whoever wakes it, before it goes on. A thread that nobody counts is taken for one that can act.

use crate::primitives::{Reading, Tally, thread_local};
use core::cell::Cell;
use core::marker::PhantomData;

/// The threads of the runtime, which act for goroutines only, and the plain threads that wait for a goroutine.
static ACCOUNTED: Tally = Tally::new();

thread_local! {
    /// Whether this thread is one of the runtime's. Asked where no goroutine runs.
    static OWN: Cell<bool> = const { Cell::new(false) };
}

/// Says that the calling thread is the runtime's own, until it is dropped.
#[derive(Debug)]
pub(crate) struct OwnThread(PhantomData<*mut ()>);

/// See [`OwnThread`].
#[must_use = "the thread is the runtime's own for as long as this lives"]
pub(crate) fn own_thread() -> OwnThread {
    ACCOUNTED.add();
    OWN.set(true);
    OwnThread(PhantomData)
}

impl Drop for OwnThread {
    fn drop(&mut self) {
        OWN.set(false);
        ACCOUNTED.take();
    }
}

/// The calling thread, on which no goroutine runs, will block until somebody calls [`unblocks`] for it.
pub(crate) fn blocks() {
    // One of the runtime's own is counted already: once only (I1).
    if OWN.get() {
        ACCOUNTED.take();
    }
    ACCOUNTED.add();
}

/// The calling thread goes on after it blocked.
pub(crate) fn goes_on() {
    if OWN.get() {
        ACCOUNTED.add();
    }
}

/// See [`blocks`].
pub(crate) fn unblocks() {
    ACCOUNTED.take();
}

/// How many threads are counted.
pub(crate) fn accounted() -> Reading {
    ACCOUNTED.read()
}

/// How many threads the process has; `None` where the system does not tell.
#[cfg(target_os = "linux")]
pub(crate) fn threads() -> Option<u32> {
    // SAFETY: plain data, filled by the next call.
    let mut stat: libc::stat = unsafe { core::mem::zeroed() };
    // SAFETY: the path ends with a zero; the system fills the structure in.
    let answer = unsafe { libc::stat(c"/proc/self/task".as_ptr(), &raw mut stat) };
    // A directory of one directory for each thread: each is a link to it, besides its own two. What does not look like
    // one (an emulator's) tells nothing.
    (answer == 0 && stat.st_nlink > 2).then(|| stat.st_nlink as u32 - 2)
}

/// See above.
#[cfg(not(target_os = "linux"))]
pub(crate) fn threads() -> Option<u32> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_more_is_a_thread_more() {
        // A deadlock that is reported while a thread is there that could help, because the number lags behind.
        let (tx, rx) = std::sync::mpsc::channel::<()>();
        let count = || std::fs::read_dir("/proc/self/task").unwrap().count() as u32;
        let idle = std::thread::spawn(move || rx.recv());
        // Other tests start and end threads of their own meanwhile: the same number before and after will do.
        let agree = (0..10_000).any(|_| {
            let (before, told, after) = (count(), threads(), count());
            before == after && told == Some(before) && before >= 2
        });
        assert!(agree, "{:?} threads, {} directories", threads(), count());
        drop(tx);
        idle.join().unwrap().unwrap_err();
    }
}
