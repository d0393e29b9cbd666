//! Runs a function on another thread, wherever that thread is: in the handler of a real-time signal.
//!
//! # Invariants
//! 1. The handler makes async-signal-safe calls only, and leaves `errno` as it was.
//! 2. `HANDLER` and `SIGNAL` are written before the first signal is sent, and never change again.

pub(crate) use os::{install, interrupt};

#[cfg(target_os = "linux")]
mod os {
    use crate::platform::signal_pipe::is_default;
    use crate::platform::threads::Probe;
    use crate::primitives::atomic::{AtomicPtr, AtomicU32, Ordering};

    static HANDLER: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());
    static SIGNAL: AtomicU32 = AtomicU32::new(0);

    /// Lets [`interrupt`] call `f`, once per process; false if no real-time signal is free.
    pub(crate) fn install(f: fn()) -> bool {
        // From above: those below are for the programs that count from SIGRTMIN.
        let free = (libc::SIGRTMIN()..libc::SIGRTMAX()).rev().find(|signal| is_default(*signal));
        let Some(signal) = free else { return false };
        // ORDERING: Relaxed, both; the signal that is sent later orders them (I2).
        HANDLER.store(f as *mut (), Ordering::Relaxed);
        SIGNAL.store(signal as u32, Ordering::Relaxed);
        // SAFETY: plain data; the handler has the signature that an action without SA_SIGINFO asks for (I1).
        unsafe {
            let mut action: libc::sigaction = core::mem::zeroed();
            action.sa_sigaction = on_signal as *const () as usize;
            action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
            libc::sigemptyset(&mut action.sa_mask);
            libc::sigaction(signal, &action, core::ptr::null_mut()) == 0
        }
    }

    /// Calls what was installed on the thread of `probe`, soon; false if there is no such thread.
    pub(crate) fn interrupt(probe: &Probe) -> bool {
        // ORDERING: Relaxed; see `install`.
        let signal = SIGNAL.load(Ordering::Relaxed);
        // SAFETY: the signal has a handler (I2); the call touches no memory of ours.
        probe.id().is_some_and(|id| unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), id, signal) } == 0)
    }

    extern "C" fn on_signal(_: libc::c_int) {
        // ORDERING: Relaxed; see `install`.
        let f = HANDLER.load(Ordering::Relaxed);
        // SAFETY: the error number is this thread's own; `install` stored a function of this type (I2).
        unsafe {
            let before = *libc::__errno_location();
            core::mem::transmute::<*mut (), fn()>(f)();
            *libc::__errno_location() = before;
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod os {
    use crate::platform::threads::Probe;

    /// Not here.
    pub(crate) fn install(_: fn()) -> bool {
        false
    }

    /// Not here.
    pub(crate) fn interrupt(_: &Probe) -> bool {
        false
    }
}
