//! The signals by name.

use core::fmt;
use libc::c_int;

/// A signal, by the system's number.
///
/// It prints as Go's does: `interrupt`, `terminated`, …
///
/// ```
/// use gaggle::signal::Signal;
///
/// assert_eq!(Signal::INTERRUPT.to_string(), "interrupt");
/// assert_eq!(Signal::from_raw(libc::SIGTERM), Signal::TERMINATE);
/// assert_eq!(Signal::from_raw(40).to_string(), "signal 40");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal(c_int);

macro_rules! signals {
    ($($(#[$doc:meta])* $name:ident = $number:ident, $text:literal;)*) => {
        impl Signal {
            $($(#[$doc])* pub const $name: Signal = Signal(libc::$number);)*

            /// What the signal says, and the name of its constant.
            fn known(self) -> Option<(&'static str, &'static str)> {
                match self.0 {
                    $(libc::$number => Some(($text, stringify!($name))),)*
                    _ => None,
                }
            }
        }
    };
}

signals! {
    /// `SIGHUP`: the terminal is gone; for daemons: read the settings again.
    HANGUP = SIGHUP, "hangup";
    /// `SIGINT`: Ctrl-C.
    INTERRUPT = SIGINT, "interrupt";
    /// `SIGQUIT`: Ctrl-\. If the program does not ask for it, a dump of all goroutines and the end.
    QUIT = SIGQUIT, "quit";
    /// `SIGILL`. Not for [`notify`](super::notify).
    ILLEGAL_INSTRUCTION = SIGILL, "illegal instruction";
    /// `SIGTRAP`.
    TRAP = SIGTRAP, "trace/breakpoint trap";
    /// `SIGABRT`.
    ABORT = SIGABRT, "aborted";
    /// `SIGBUS`. Not for [`notify`](super::notify).
    BUS_ERROR = SIGBUS, "bus error";
    /// `SIGFPE`. Not for [`notify`](super::notify).
    FLOATING_POINT = SIGFPE, "floating point exception";
    /// `SIGKILL`. Cannot be caught.
    KILL = SIGKILL, "killed";
    /// `SIGUSR1`: whatever the program takes it for.
    USR1 = SIGUSR1, "user defined signal 1";
    /// `SIGSEGV`. Not for [`notify`](super::notify).
    SEGMENTATION_FAULT = SIGSEGV, "segmentation fault";
    /// `SIGUSR2`: whatever the program takes it for.
    USR2 = SIGUSR2, "user defined signal 2";
    /// `SIGPIPE`: a write to a broken pipe. Rust programs ignore it, and get an error from the write.
    PIPE = SIGPIPE, "broken pipe";
    /// `SIGALRM`.
    ALARM = SIGALRM, "alarm clock";
    /// `SIGTERM`: the polite request to end.
    TERMINATE = SIGTERM, "terminated";
    /// `SIGCHLD`: a child has ended, or stopped. `gaggle::process` does not need it.
    CHILD = SIGCHLD, "child exited";
    /// `SIGCONT`: go on after a stop.
    CONTINUE = SIGCONT, "continued";
    /// `SIGSTOP`. Cannot be caught.
    STOP = SIGSTOP, "stopped (signal)";
    /// `SIGTSTP`: Ctrl-Z.
    TERMINAL_STOP = SIGTSTP, "stopped";
    /// `SIGTTIN`: a read from the terminal in the background.
    TERMINAL_INPUT = SIGTTIN, "stopped (tty input)";
    /// `SIGTTOU`: a write to the terminal in the background.
    TERMINAL_OUTPUT = SIGTTOU, "stopped (tty output)";
    /// `SIGURG`: urgent data on a socket.
    URGENT = SIGURG, "urgent I/O condition";
    /// `SIGXCPU`: more processor time than allowed.
    CPU_LIMIT = SIGXCPU, "CPU time limit exceeded";
    /// `SIGXFSZ`: a file larger than allowed.
    FILE_LIMIT = SIGXFSZ, "file size limit exceeded";
    /// `SIGVTALRM`.
    VIRTUAL_ALARM = SIGVTALRM, "virtual timer expired";
    /// `SIGPROF`.
    PROFILE = SIGPROF, "profiling timer expired";
    /// `SIGWINCH`: the terminal's window has another size.
    WINDOW = SIGWINCH, "window changed";
    /// `SIGIO`: a descriptor is ready.
    IO = SIGIO, "I/O possible";
    /// `SIGSYS`.
    SYSTEM_CALL = SIGSYS, "bad system call";
}

impl Signal {
    /// The signal of this number, whether there is one or not.
    #[must_use]
    pub const fn from_raw(number: c_int) -> Self {
        Self(number)
    }

    /// The system's number.
    #[must_use]
    pub const fn as_raw(self) -> c_int {
        self.0
    }

    /// Whether a program may go on after it: faults come again at once, and two signals cannot be caught at all.
    pub(super) fn may_be_caught(self) -> bool {
        let never = [Self::KILL, Self::STOP, Self::SEGMENTATION_FAULT, Self::BUS_ERROR];
        !never.contains(&self) && ![Self::FLOATING_POINT, Self::ILLEGAL_INSTRUCTION].contains(&self)
    }

    /// What `notify` takes when it is given nothing: whatever does not tell of a fault of the program itself.
    pub(super) fn all() -> impl Iterator<Item = Signal> {
        let faults = [Self::ABORT, Self::TRAP, Self::SYSTEM_CALL];
        (1..32).map(Self).filter(move |signal| signal.may_be_caught() && !faults.contains(signal))
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known() {
            Some((text, _)) => f.write_str(text),
            None => write!(f, "signal {}", self.0),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known() {
            Some((_, name)) => f.write_str(name),
            None => f.debug_tuple("Signal").field(&self.0).finish(),
        }
    }
}
