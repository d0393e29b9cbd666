//! Who it was: the running goroutine named in the last words of a stack overflow, and before a panic's message.

use super::current;
use super::goroutine::Goroutine;
use crate::coroutine::stack::{growth, overflow};
use crate::coroutine::switch;
use crate::platform::fatal::FatalWriter;
use core::fmt::{self, Write};

/// Room that formatting a panic with its backtrace takes.
const PANIC_ROOM: usize = 128 << 10;

/// Installs the fault handler and the panic hook. Once per process, by the start of the scheduler.
pub(super) fn install() {
    overflow::install_fault_handler(overflowed);
    if std::thread::panicking() {
        // Started by a destructor while a plain thread unwinds: std forbids to change the hook then.
        return;
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let Some(g) = current::goroutine() else {
            return before(info);
        };
        // SAFETY: it runs here.
        let g = unsafe { g.as_ref() };
        eprint!("{}", Forgiving(format_args!("{} panicked:\n", Identity(g))));
        (crate::HOOKS.panicking)();
        let state = g.stack.with_mut(|state| state);
        // SAFETY: the state of the goroutine that runs here; the borrow ends with the call.
        if unsafe { (*state).room(switch::stack_pointer()) } >= PANIC_ROOM {
            return before(info);
        }
        // SAFETY: the state of the goroutine that runs here; nobody holds a reference to it.
        unsafe { growth::run_with_room(&current::stack_state, PANIC_ROOM, &mut || before(info)) };
    }));
}

/// Written as far as it goes. `eprint!` goes where a test harness wants it, but panics if standard error is closed or
/// full, unless it is not told; and a panic here, in the hook, aborts the process.
struct Forgiving<'a>(fmt::Arguments<'a>);

impl fmt::Display for Forgiving<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = f.write_fmt(self.0);
        Ok(())
    }
}

/// `goroutine 18 "worker 3" (started at src/main.rs:7:5)`.
struct Identity<'a>(&'a Goroutine);

impl fmt::Display for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "goroutine {}", self.0.id())?;
        // SAFETY: it runs here, so it does not end meanwhile.
        if let Some(name) = unsafe { self.0.name() } {
            write!(f, " \"{name}\"")?;
        }
        write!(f, " (started at {})", self.0.site())
    }
}

/// Async-signal-safe: reads a thread local that is a plain word, and formats without allocating.
fn overflowed(out: &mut FatalWriter) {
    let Some(g) = current::goroutine() else {
        return;
    };
    // SAFETY: it runs here; the handler interrupted it.
    let g = unsafe { g.as_ref() };
    let size = g.stack.with(|state| {
        // SAFETY: the interrupted code is below its stack's end, not inside an update of the state: those are a few
        // stores in functions that were checked for room.
        unsafe { (*state).total_size() }
    });
    // The writer never fails.
    let _ = writeln!(out, "{}: {size} bytes of stack are used up", Identity(g));
    let _ = writeln!(out, "hint: #[gaggle::growable] on recursive functions, or a larger `stack = …` in go!");
}
