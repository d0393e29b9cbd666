//! Work that the kernel, or the C library, does only by blocking the thread: done on a thread of its own.

use crate::chan::chan;
use crate::sync::Semaphore;
use std::io;

/// How many threads look up names at once; more goroutines queue.
const MOST: usize = 64;

static THREADS: Semaphore = Semaphore::new(MOST);

/// Parks the caller until `f` has run on another thread.
pub(super) fn on_a_thread<T: Send + 'static>(f: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let (tx, rx) = chan(1);
    THREADS.acquire(1);
    let thread = std::thread::Builder::new().name("gaggle-lookup".into()).spawn(move || drop(tx.send(f())));
    let result = thread.map(|_| rx.recv());
    THREADS.release(1);
    result?.unwrap_or_else(|| Err(io::Error::other("the thread that looked it up panicked")))
}
