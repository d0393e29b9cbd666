//! The report of a stack overflow, and the question before it: is this fault ours?
//!
//! # Invariants
//! 1. `judge` and `report` run in signal handlers: they load atomics and write to standard error, no more.

use super::store;
use crate::platform::fatal::FatalWriter;
#[cfg(unix)]
pub(crate) use crate::platform::signals::AltStack;
#[cfg(unix)]
use crate::platform::signals::{self, Fault};
use crate::primitives::atomic::{AtomicPtr, AtomicUsize, Ordering};
use crate::primitives::hint;
use core::fmt::{self, Write};

/// Where signals as we know them do not exist, the generator crate reports overflow by means of its own.
#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct AltStack(());

#[cfg(not(unix))]
impl AltStack {
    pub(crate) fn install() -> AltStack {
        AltStack(())
    }
}

/// Says who overflowed, in a signal handler: it may not allocate, lock or unwind.
pub(crate) type Report = fn(&mut FatalWriter);

static REPORT: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// Installs the fault handler, once per process; `report` says who overflowed.
pub(crate) fn install_fault_handler(report: Report) {
    // ORDERING: Relaxed; a function is there before the program starts, nothing else rides on the pointer.
    REPORT.store(report as *mut (), Ordering::Relaxed);
    #[cfg(unix)]
    signals::install_judge(judge);
}

#[cfg(unix)]
fn judge(fault: Fault) -> bool {
    let ours = store::is_overflow(fault.address, fault.sp);
    if ours {
        self::report(format_args!(""));
    }
    ours
}

/// The thread that reports, as [`this_thread`] names it; 0 while none does.
static REPORTER: AtomicUsize = AtomicUsize::new(0);

/// A number of the calling thread that is not 0; async-signal-safe.
#[cfg(unix)]
fn this_thread() -> usize {
    // SAFETY: no arguments, no failure.
    unsafe { libc::pthread_self() as usize }
}

/// Elsewhere reports come from ordinary code: the first one wins, and the others wait.
#[cfg(not(unix))]
fn this_thread() -> usize {
    1
}

/// Lets one thread report, so that goroutines which overflow at once do not write into each other's lines. The others
/// wait for the end of the process, which the first one brings about; async-signal-safe.
fn take_turn() {
    let me = this_thread();
    // ORDERING: Relaxed, both; it elects a thread, nothing is published through it.
    match REPORTER.compare_exchange(0, me, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => {}
        // The report itself faulted: what is said so far has to do.
        Err(other) if other == me => std::process::abort(),
        Err(_) => loop {
            hint::spin_loop();
        },
    }
}

/// Prints the report of the calling goroutine's overflow; the caller ends the process.
pub(crate) fn report(detail: fmt::Arguments<'_>) {
    take_turn();
    let mut writer = FatalWriter::new();
    // The writer never fails.
    let _ = writer.write_str("fatal error: goroutine stack overflow\n");
    if detail.as_str() != Some("") {
        let _ = writer.write_fmt(format_args!("{detail}\n"));
    }
    // ORDERING: Relaxed; see `install_fault_handler`.
    let details = REPORT.load(Ordering::Relaxed);
    if !details.is_null() {
        // SAFETY: only `install_fault_handler` stores here, and it stores a `Report`.
        let details: Report = unsafe { core::mem::transmute::<*mut (), Report>(details) };
        details(&mut writer);
    }
}

/// Prints the report and aborts.
#[cold]
pub(crate) fn die(detail: fmt::Arguments<'_>) -> ! {
    report(detail);
    std::process::abort()
}
