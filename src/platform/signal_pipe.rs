//! Signals that ordinary code is told of: the handler notes the signal and wakes a thread, which calls the listener.
//!
//! The one mechanism of the crate for signals that are no faults: the dump on SIGQUIT and `signal::notify` use it. A
//! signal that has a listener does nothing else: neither its default action nor a handler of before runs.
//!
//! # Invariants
//! 1. The handler makes async-signal-safe calls only: an atomic `or`, and `write(2)` on the pipe. It keeps `errno`.
//! 2. `WRITE_END` is set before the first handler is installed and never changes: the pipe is never closed.
//! 3. A signal is noted in `PENDING` before the byte is written, and the thread takes the notes after it read bytes. So
//!    a note is taken after its own byte at the latest. A full pipe needs no further byte.
//!
//! # Locking
//! `TABLE`: its lock (rank Leaf). Listeners are called without it.

use crate::primitives::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::primitives::{Lock, LockGuard, LockRank};
use core::mem;
use std::io;

/// What is called when a signal has come, on the listening thread: it may allocate and lock, and should not block long.
/// Signals that come while it runs are merged into one call per number, as everywhere on unix.
pub(crate) type Listener = fn(libc::c_int);

/// Signals are numbered from 1 to 64 (Linux has the most).
const MOST: usize = 64;

struct Entry {
    listener: Listener,
    /// In force before the first listener.
    before: libc::sigaction,
}

struct Table {
    started: bool,
    entries: [Option<Entry>; MOST],
}

// SAFETY: plain data; the pointers in a `sigaction` are functions.
unsafe impl Send for Table {}

static TABLE: Lock<Table> = Lock::new(LockRank::Leaf, Table { started: false, entries: [const { None }; MOST] });
/// A bit for each signal that has come and was not yet told of.
static PENDING: AtomicU64 = AtomicU64::new(0);
static WRITE_END: AtomicU32 = AtomicU32::new(u32::MAX);

/// The place of `signal` in tables.
///
/// # Errors
/// For what is no signal.
fn index(signal: libc::c_int) -> io::Result<usize> {
    let index = usize::try_from(signal).ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < MOST);
    index.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))
}

/// Calls `f` whenever `signal` comes, in place of whatever would happen; returns the listener that this replaces.
///
/// # Errors
/// The system's: for signals that cannot be caught, and when there are no descriptors or threads left.
pub(crate) fn listen(signal: libc::c_int, f: Listener) -> io::Result<Option<Listener>> {
    let at = index(signal)?;
    let mut table = attended()?;
    if let Some(entry) = &mut table.entries[at] {
        return Ok(Some(mem::replace(&mut entry.listener, f)));
    }
    let before = exchange_for_ours(signal)?;
    table.entries[at] = Some(Entry { listener: f, before });
    Ok(None)
}

/// As [`listen`], for a signal that was [ignored](ignore): `before` is what happens again after a [`silence`].
///
/// # Errors
/// As there.
///
/// # Safety
/// `before` was in force before the signal was ignored, and its handler is still there.
pub(crate) unsafe fn listen_again(signal: libc::c_int, f: Listener, before: libc::sigaction) -> io::Result<()> {
    let at = index(signal)?;
    let mut table = attended()?;
    exchange_for_ours(signal)?;
    table.entries[at] = Some(Entry { listener: f, before });
    Ok(())
}

/// The table, once there is a thread that looks into it.
fn attended() -> io::Result<LockGuard<'static, Table>> {
    let mut table = TABLE.lock();
    if !table.started {
        start()?;
        table.started = true;
    }
    Ok(table)
}

/// Puts our handler in force; returns what was.
fn exchange_for_ours(signal: libc::c_int) -> io::Result<libc::sigaction> {
    // SAFETY: plain data; the handler has the signature that an action without SA_SIGINFO asks for, and keeps to I1.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = on_signal as *const () as usize;
        action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
        libc::sigfillset(&mut action.sa_mask);
        exchange(signal, Some(&action))
    }
}

/// Takes the listener of `signal` away: what happened before the first [`listen`] happens again. A call that is on its
/// way may still come. False if there was none.
///
/// # Errors
/// For what is no signal.
pub(crate) fn silence(signal: libc::c_int) -> io::Result<bool> {
    let mut table = TABLE.lock();
    let Some(entry) = table.entries[index(signal)?].take() else { return Ok(false) };
    // SAFETY: the action was in force before ours.
    unsafe { exchange(signal, Some(&entry.before))? };
    Ok(true)
}

/// Makes `signal` have no effect, in one step: with the listener taken away first, the action of before would be in force
/// for a moment, and may end the process. Returns both.
///
/// # Errors
/// The system's: for signals that cannot be ignored.
pub(crate) fn ignore(signal: libc::c_int) -> io::Result<(Option<Listener>, libc::sigaction)> {
    let at = index(signal)?;
    let mut table = TABLE.lock();
    // SAFETY: plain data, and no handler.
    let before = unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = libc::SIG_IGN;
        exchange(signal, Some(&action))?
    };
    let entry = table.entries[at].take();
    Ok(entry.map_or((None, before), |entry| (Some(entry.listener), entry.before)))
}

/// Puts an action back in force.
///
/// # Errors
/// The system's.
///
/// # Safety
/// It was in force before, and its handler is still there.
pub(crate) unsafe fn put_back(signal: libc::c_int, action: &libc::sigaction) -> io::Result<()> {
    // SAFETY: the caller's promise.
    unsafe { exchange(signal, Some(action)) }.map(drop)
}

/// Whether nobody has asked for `signal` so far, and its default action would be taken.
pub(crate) fn is_default(signal: libc::c_int) -> bool {
    // SAFETY: only asks.
    unsafe { exchange(signal, None) }.is_ok_and(|action| action.sa_sigaction == libc::SIG_DFL)
}

/// Puts `action` in force, if there is one; returns what was.
///
/// # Safety
/// The action's handler may be called at any time, on any thread.
unsafe fn exchange(signal: libc::c_int, action: Option<&libc::sigaction>) -> io::Result<libc::sigaction> {
    // SAFETY: plain data.
    let mut before: libc::sigaction = unsafe { mem::zeroed() };
    let action = action.map_or(core::ptr::null(), core::ptr::from_ref);
    // SAFETY: the caller's promise; the system reads one action and writes the other.
    match unsafe { libc::sigaction(signal, action, &mut before) } {
        0 => Ok(before),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Opens the pipe and starts the thread.
fn start() -> io::Result<()> {
    let mut ends = [0; 2];
    // SAFETY: the system fills two descriptors in.
    if unsafe { libc::pipe(ends.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    for end in ends {
        // SAFETY: our own descriptors. Programs that are started do not inherit them.
        unsafe { libc::fcntl(end, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    // SAFETY: as above. A handler must not block on a full pipe (I3).
    unsafe { libc::fcntl(ends[1], libc::F_SETFL, libc::O_NONBLOCK) };
    // ORDERING: Relaxed; published by the installing of the handlers, which comes later (I2).
    WRITE_END.store(ends[1] as u32, Ordering::Relaxed);
    let read_end = ends[0];
    let thread = std::thread::Builder::new().name("gaggle-signals".into()).spawn(move || attend(read_end));
    if let Err(error) = thread {
        for end in ends {
            // SAFETY: our own descriptors, which nobody knows: no handler was installed.
            unsafe { libc::close(end) };
        }
        return Err(error);
    }
    Ok(())
}

extern "C" fn on_signal(signal: libc::c_int) {
    let bit = 1_u64 << ((signal - 1) & (MOST as libc::c_int - 1));
    // ORDERING: Release: the note before the byte (I3); pairs with the Acquire in `attend`.
    PENDING.fetch_or(bit, Ordering::Release);
    let here = errno();
    // SAFETY: points to this thread's error number; the interrupted code expects it as it left it (I1).
    let before = unsafe { *here };
    // ORDERING: Relaxed; set before we were installed (I2).
    let end = WRITE_END.load(Ordering::Relaxed) as libc::c_int;
    // SAFETY: one byte of a static; a full pipe is as good as a byte (I3).
    unsafe { libc::write(end, c"!".as_ptr().cast(), 1) };
    // SAFETY: as above.
    unsafe { *here = before };
}

/// Where this thread's error number is.
fn errno() -> *mut libc::c_int {
    #[cfg(any(target_os = "linux", target_os = "emscripten"))]
    // SAFETY: takes nothing and cannot fail.
    return unsafe { libc::__errno_location() };
    #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
    // SAFETY: takes nothing and cannot fail.
    return unsafe { libc::__error() };
    #[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
    // SAFETY: takes nothing and cannot fail.
    return unsafe { libc::__errno() };
    #[cfg(any(target_os = "illumos", target_os = "solaris"))]
    // SAFETY: takes nothing and cannot fail.
    return unsafe { libc::___errno() };
}

/// The life of the listening thread.
fn attend(read_end: libc::c_int) {
    let _own = super::census::own_thread();
    let mut bytes = [0_u8; 64];
    loop {
        // SAFETY: the buffer is ours and as long as we say. The pipe is never closed (I2); what remains is an
        // interruption, after which we look and wait again.
        unsafe { libc::read(read_end, bytes.as_mut_ptr().cast(), bytes.len()) };
        // ORDERING: Acquire pairs with the Release in `on_signal` (I3).
        let mut pending = PENDING.swap(0, Ordering::Acquire);
        while pending != 0 {
            let at = pending.trailing_zeros() as usize;
            pending &= pending - 1;
            let listener = TABLE.lock().entries[at].as_ref().map(|entry| entry.listener);
            if let Some(listener) = listener {
                listener(at as libc::c_int + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::Event;

    static FIRST: Event = Event::new();
    static SECOND: Event = Event::new();
    /// Tests of one process share its signals.
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

    fn raise(signal: libc::c_int) {
        // SAFETY: a signal for this thread, which has a handler.
        assert_eq!(unsafe { libc::raise(signal) }, 0);
    }

    #[test]
    fn a_signal_reaches_its_listener_and_the_next_one_after_it() {
        // A wake-up lost between two signals, or the default action, which ends the process.
        let _alone = ALONE.lock();
        assert!(is_default(libc::SIGUSR1));
        assert!(listen(libc::SIGUSR1, |_| FIRST.set()).unwrap().is_none());
        assert!(!is_default(libc::SIGUSR1));
        for _ in 0..1000 {
            raise(libc::SIGUSR1);
            FIRST.wait();
        }
        assert!(listen(libc::SIGUSR1, |_| SECOND.set()).unwrap().is_some());
        raise(libc::SIGUSR1);
        SECOND.wait();
        assert!(silence(libc::SIGUSR1).unwrap());
        assert!(!silence(libc::SIGUSR1).unwrap());
        assert!(is_default(libc::SIGUSR1));
    }

    #[test]
    fn the_handler_keeps_the_error_number() {
        // A system call's error replaced by that of a full pipe, in code that was interrupted between the two.
        let _alone = ALONE.lock();
        listen(libc::SIGUSR2, |_| ()).unwrap();
        // ORDERING: Relaxed; a number. An end that does not exist makes the write fail.
        let end = WRITE_END.swap(u32::MAX, Ordering::Relaxed);
        // SAFETY: our own error number.
        unsafe { *errno() = libc::ENOTDIR };
        raise(libc::SIGUSR2);
        assert_eq!(io::Error::last_os_error().raw_os_error(), Some(libc::ENOTDIR));
        // ORDERING: Relaxed; as above.
        WRITE_END.store(end, Ordering::Relaxed);
        silence(libc::SIGUSR2).unwrap();
    }

    #[test]
    fn what_cannot_be_caught_is_an_error() {
        // A listener that is never called, without a word.
        for signal in [libc::SIGKILL, libc::SIGSTOP, 0, -1, 65, i32::MAX] {
            assert_eq!(listen(signal, |_| ()).unwrap_err().raw_os_error(), Some(libc::EINVAL), "{signal}");
        }
    }
}
