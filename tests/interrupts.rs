//! A storm of signals whose handlers ask for no restart (no `SA_RESTART`): each system call that waits is interrupted,
//! again and again, on every thread of the process.
#![cfg(target_os = "linux")]

use gaggle::runtime::{self, PanicPolicy};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[path = "support/delays.rs"]
mod delays;
#[path = "interrupts/files.rs"]
mod files;
#[path = "interrupts/sockets.rs"]
mod sockets;
mod support;
#[path = "interrupts/waits.rs"]
mod waits;

/// What goes on in the storm, all of it at once.
const WORK: [fn(); 14] = [
    sockets::connections,
    sockets::connects_that_wait,
    sockets::datagrams,
    sockets::a_full_connection,
    sockets::names,
    files::fifos,
    files::a_full_fifo,
    files::files,
    files::standard_input,
    files::children,
    waits::timers,
    waits::pipes_in_memory,
    waits::blocking_calls,
    waits::signals_that_are_asked_for,
];

/// How often all threads have been sent a signal.
static GUSTS: AtomicU64 = AtomicU64::new(0);
/// How many handlers have run.
static HANDLED: AtomicU64 = AtomicU64::new(0);

extern "C" fn on_signal(_: libc::c_int) {
    HANDLED.fetch_add(1, Ordering::Relaxed);
}

/// Goes on until it is dropped.
struct Storm {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Storm {
    fn begin() -> Self {
        // SAFETY: plain data; the handler has the right signature, and only counts. No flags: no restart.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_signal as *const () as usize;
            assert_eq!(libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()), 0);
        }
        let ends = Arc::new(AtomicBool::new(false));
        Self { ends: ends.clone(), thread: Some(thread::spawn(move || blow(&ends))) }
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Sends a signal to every other thread, with a short pause so that they get on.
fn blow(ends: &AtomicBool) {
    // SAFETY: takes nothing and cannot fail.
    let (process, myself) = unsafe { (libc::getpid(), libc::gettid()) };
    while !ends.load(Ordering::Relaxed) {
        for task in std::fs::read_dir("/proc/self/task").unwrap() {
            let thread: libc::pid_t = task.unwrap().file_name().to_str().unwrap().parse().unwrap();
            if thread != myself {
                // SAFETY: a signal that has a handler, for a thread of ours; one that has ended is an error.
                unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGUSR1) };
            }
        }
        GUSTS.fetch_add(1, Ordering::Relaxed);
        thread::sleep(Duration::from_micros(300));
    }
}

/// Returns when every thread has been sent `n` signals more.
fn gusts(n: u64) {
    // One may be half-way.
    let end = GUSTS.load(Ordering::Relaxed) + n + 1;
    while GUSTS.load(Ordering::Relaxed) < end {
        runtime::yield_now();
    }
}

/// All of [`WORK`] at once, to its end.
fn work() {
    WORK.map(|work| gaggle::spawn(work)).into_iter().for_each(|work| work.join().unwrap());
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn nothing_is_lost_in_a_storm_of_interruptions() {
    // An operation that fails with EINTR, that is given up, or a timer that is due and forgotten.
    let mut child = support::by_itself("child_in_a_storm_of_interruptions");
    let output = child.stdin(std::process::Stdio::null()).output().unwrap();
    support::assert_was_there(&output);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_in_a_storm_of_interruptions() {
    let _watch = support::watch("child_in_a_storm_of_interruptions");
    // Somebody would wait for ever for what another one was to do.
    runtime::Builder::new().panic(PanicPolicy::Abort).start().unwrap();
    let feed = files::feed_standard_input();
    // What the runtime opens for good is opened by the first storm.
    let storm = Storm::begin();
    gaggle::run(work);
    drop(storm);
    let before = descriptors();
    let storm = Storm::begin();
    support::everywhere(1, work);
    drop(storm);
    assert_eq!((descriptors(), runtime::num_goroutines()), (before, 0));
    assert!(HANDLED.load(Ordering::Relaxed) > GUSTS.load(Ordering::Relaxed), "no storm at all");
    drop(feed);
}
