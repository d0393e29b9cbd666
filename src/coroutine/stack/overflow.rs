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
use crate::primitives::atomic::{AtomicPtr, Ordering};
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

/// Prints the report of the calling goroutine's overflow.
pub(crate) fn report(detail: fmt::Arguments<'_>) {
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
