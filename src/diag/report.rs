//! What the runtime says by itself: at its start, at a panic that ends the process, at SIGQUIT.

use super::dump::{dump, dump_own};
use super::schedtrace;
use crate::platform::fatal::FatalWriter;
use crate::primitives::atomic::{AtomicBool, AtomicU8, Ordering};
use crate::sched::config::{choice, variable};
use crate::sched::{Hooks, counters, current};
use core::fmt::{self, Write};
use core::time::Duration;

/// What the floors below call.
pub(crate) const HOOKS: Hooks = Hooks { starting, panicking, deadlock, aborting };

/// The longest pause between two lines of `GAGGLE_SCHEDTRACE`: a day.
const LONGEST: usize = 24 * 60 * 60 * 1000;

const NONE: u8 = 0;
const SINGLE: u8 = 1;
const ALL: u8 = 2;
/// Which goroutines a panic shows that ends the process: `GAGGLE_TRACEBACK`, with the words of Go's `GOTRACEBACK`.
static TRACEBACK: AtomicU8 = AtomicU8::new(SINGLE);

/// The runtime is being started: reads the settings, before anything runs.
fn starting() {
    counters::refresh_clock();
    let traceback = choice("GAGGLE_TRACEBACK", &["none", "single", "all"]);
    // ORDERING: Relaxed; a setting, published with the start of the scheduler.
    TRACEBACK.store(traceback.map_or(SINGLE, |at| at as u8), Ordering::Relaxed);
    if let Some(millis) = variable("GAGGLE_SCHEDTRACE", 1, LONGEST) {
        schedtrace::start(Duration::from_millis(millis as u64));
    }
}

/// A goroutine panics, under the policy that may end the process for it: notes where, for [`aborting`].
fn panicking() {
    if let Some(g) = current::goroutine().filter(|_| crate::go::panics_abort()) {
        // SAFETY: it runs here.
        unsafe { g.as_ref() }.keep_panic(super::trace::here());
    }
}

/// Main's goroutine has ended by `exit`.
static MAIN_EXITED: AtomicBool = AtomicBool::new(false);

/// Main's goroutine has ended by `exit`: the others go on.
pub(crate) fn main_exited() {
    // ORDERING: Release; pairs with the Acquire in `deadlock`, which comes when this thread is seen to sleep anyway.
    MAIN_EXITED.store(true, Ordering::Release);
}

/// Nothing will ever run again.
fn deadlock() {
    let dump = dump();
    // ORDERING: Acquire pairs with the Release in `main_exited`.
    let exited = MAIN_EXITED.load(Ordering::Acquire);
    if exited && dump.goroutines.is_empty() {
        last_words(&"fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n");
    } else {
        last_words(&format_args!("fatal error: all goroutines are asleep - deadlock!\n\n{dump}"));
    }
    std::process::exit(2);
}

/// The process ends for the panic of the goroutine that runs here.
fn aborting() {
    // ORDERING: Relaxed; see `starting`.
    let traceback = TRACEBACK.load(Ordering::Relaxed);
    if traceback == NONE {
        return;
    }
    // SAFETY: it runs here.
    let backtrace = current::goroutine().and_then(|g| unsafe { g.as_ref() }.take_panic());
    let own = dump_own(backtrace);
    if traceback == ALL {
        let mut all = dump();
        all.goroutines.splice(..own.goroutines.len(), own.goroutines);
        last_words(&format_args!("\n{all}"));
    } else {
        last_words(&format_args!("\n{own}"));
    }
}

/// Prints to standard error at once, whoever else holds it.
fn last_words(text: &dyn fmt::Display) {
    // In one piece, and not by way of `std`: the lock of its standard error may be held by a goroutine that waits.
    // It never fails.
    let _ = FatalWriter::new().write_str(&text.to_string());
}

/// SIGQUIT prints the dump and ends the process with status 2, unless the program has a handler of its own.
#[cfg(unix)]
pub(crate) fn watch_sigquit() {
    use crate::platform::signal_pipe;
    if signal_pipe::is_default(libc::SIGQUIT) {
        // Without descriptors or threads for it the signal does what it does to other programs.
        let _ = signal_pipe::listen(libc::SIGQUIT, |_| {
            last_words(&format_args!("SIGQUIT: quit\n\n{}", dump()));
            std::process::exit(2);
        });
    }
}

/// There is no such signal here.
#[cfg(not(unix))]
pub(crate) fn watch_sigquit() {}
