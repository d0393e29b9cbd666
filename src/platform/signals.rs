//! Alternate signal stacks, and the handler for memory faults.
//!
//! # Invariants
//! 1. The handler runs on an alternate stack, and makes async-signal-safe calls only: it loads atomics, writes to
//!    standard error, aborts, or passes the fault on.
//! 2. A fault that is not ours reaches the handler that was there before, with the very arguments it would have got.
//! 3. `PREVIOUS` is filled before our handler can run, and never changes again.

use crate::primitives::atomic::{AtomicPtr, Ordering};
use crate::primitives::cell::UnsafeCell;
use crate::primitives::{Lock, LockRank};
use core::marker::PhantomData;
use core::mem::MaybeUninit;

/// Room for the report and for a backtrace taken by the user's own handler; std's 8 KiB is too small for one.
const ALT_STACK: usize = 256 << 10;
const FAULTS: [libc::c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

/// The calling thread's alternate signal stack; dropping it restores the one before.
#[derive(Debug)]
pub(crate) struct AltStack {
    base: usize,
    len: usize,
    before: libc::stack_t,
    /// An alternate stack belongs to the thread that installed it.
    _not_send: PhantomData<*mut ()>,
}

impl AltStack {
    /// Gives the calling thread an alternate stack of 256 KiB with a guard below it.
    ///
    /// Without memory for one the thread keeps what it has: a fault is then still reported, in less room.
    pub(crate) fn install() -> AltStack {
        let nothing = libc::stack_t { ss_sp: core::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        let mut alt = AltStack { base: 0, len: 0, before: nothing, _not_send: PhantomData };
        // SAFETY: sysconf only reads a constant of the system.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let len = ALT_STACK + page;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh mapping disturbs nobody.
        let base = unsafe { libc::mmap(core::ptr::null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return alt;
        }
        (alt.base, alt.len) = (base as usize, len);
        let stack = libc::stack_t { ss_sp: (alt.base + page) as *mut _, ss_flags: 0, ss_size: ALT_STACK };
        // SAFETY: the mapping is ours; the kernel copies `stack` and fills `before`.
        unsafe {
            libc::mprotect(base, page, libc::PROT_NONE);
            libc::sigaltstack(&stack, &mut alt.before);
        }
        alt
    }
}

impl Drop for AltStack {
    fn drop(&mut self) {
        if self.base == 0 {
            return;
        }
        // SAFETY: restores what `install` found, on the same thread (the type is not Send); after that nothing uses
        // the mapping. Signal handlers do not run Drop, so we are not on it.
        unsafe {
            libc::sigaltstack(&self.before, core::ptr::null_mut());
            libc::munmap(self.base as *mut _, self.len);
        }
    }
}

/// A memory fault, as far as the system tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// The address that could not be accessed.
    pub(crate) address: usize,
    /// The stack pointer of the code that faulted; 0 when it is not known on this target.
    pub(crate) sp: usize,
}

/// Answers whether a fault was a stack overflow; if so it reports it, and the process aborts.
pub(crate) type Judge = fn(Fault) -> bool;

type Action = libc::sigaction;

struct Previous(UnsafeCell<MaybeUninit<[Action; FAULTS.len()]>>);

// SAFETY: written once, under the lock of `install_judge`, before anybody reads it (I3).
unsafe impl Sync for Previous {}

static PREVIOUS: Previous = Previous(UnsafeCell::new(MaybeUninit::uninit()));
static JUDGE: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());
static INSTALLED: Lock<bool> = Lock::new(LockRank::Leaf, false);

/// Installs the handler for SIGSEGV and SIGBUS, once per process; `judge` runs in it (I1).
pub(crate) fn install_judge(judge: Judge) {
    let mut installed = INSTALLED.lock();
    if core::mem::replace(&mut *installed, true) {
        return;
    }
    let current = actions();
    // SAFETY: the handler is not installed yet and the lock is held: nobody else looks (I3).
    PREVIOUS.0.with_mut(|previous| unsafe { (*previous).write(current) });
    // ORDERING: Release publishes `PREVIOUS`; pairs with the Acquire in `on_fault`.
    JUDGE.store(judge as *mut (), Ordering::Release);
    // SAFETY: plain data; the handler has the signature that SA_SIGINFO asks for and keeps to I1.
    unsafe {
        let mut action: Action = core::mem::zeroed();
        action.sa_sigaction = on_fault as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigemptyset(&mut action.sa_mask);
        for signal in FAULTS {
            libc::sigaction(signal, &action, core::ptr::null_mut());
        }
    }
}

/// The actions in force for [`FAULTS`].
fn actions() -> [Action; FAULTS.len()] {
    FAULTS.map(|signal| {
        // SAFETY: plain data, filled by the next call.
        let mut action: Action = unsafe { core::mem::zeroed() };
        // SAFETY: only asks what is in force.
        unsafe { libc::sigaction(signal, core::ptr::null(), &mut action) };
        action
    })
}

/// Calls `f`, which may replace the fault handlers, and puts them back in force.
#[cfg_attr(not(gaggle_portable), allow(dead_code, reason = "the portable back end's"))]
pub(crate) fn keep_actions<T>(f: impl FnOnce() -> T) -> T {
    let before = actions();
    let value = f();
    for (signal, action) in FAULTS.into_iter().zip(&before) {
        // SAFETY: the action was in force a moment ago.
        unsafe { libc::sigaction(signal, action, core::ptr::null_mut()) };
    }
    value
}

unsafe extern "C" fn on_fault(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // ORDERING: Acquire pairs with the Release of `install_judge`, for `PREVIOUS` below.
    let judge = JUDGE.load(Ordering::Acquire);
    // SAFETY: only `install_judge` stores here, before it installs us, and it stores a `Judge`.
    let judge: Judge = unsafe { core::mem::transmute::<*mut (), Judge>(judge) };
    // SAFETY: the kernel passes valid pointers to both.
    let (fault, code) =
        unsafe { (Fault { address: (*info).si_addr() as usize, sp: stack_pointer(context.cast()) }, (*info).si_code) };
    // A signal that somebody sent (code 0 and below) carries no address.
    if code > 0 && judge(fault) {
        std::process::abort();
    }
    // SAFETY: written before this handler was installed (I3).
    let previous = PREVIOUS.0.with(|previous| unsafe { (*previous).assume_init_ref() });
    let action = &previous[usize::from(signal == FAULTS[1])];
    // SAFETY: the arguments are the kernel's own (I2).
    unsafe { pass_on(action, signal, info, context, code > 0) };
}

/// # Safety
/// `signal`, `info` and `context` are what the kernel called a handler with; `action` was in force for the signal.
unsafe fn pass_on(
    action: &Action,
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
    is_fault: bool,
) {
    match action.sa_sigaction {
        libc::SIG_IGN if !is_fault => {}
        libc::SIG_DFL | libc::SIG_IGN => {
            // A fault repeats when we return, and meets the default action then; a sent signal must be sent again.
            // SAFETY: both calls are async-signal-safe.
            unsafe {
                libc::signal(signal, libc::SIG_DFL);
                if !is_fault {
                    libc::raise(signal);
                }
            }
        }
        handler if action.sa_flags & libc::SA_SIGINFO != 0 => {
            type Handler = unsafe extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
            // SAFETY: an action with SA_SIGINFO holds such a function.
            let handler = unsafe { core::mem::transmute::<usize, Handler>(handler) };
            // SAFETY: the caller's promise.
            unsafe { handler(signal, info, context) }
        }
        handler => {
            type Handler = unsafe extern "C" fn(libc::c_int);
            // SAFETY: an action without SA_SIGINFO holds such a function.
            let handler = unsafe { core::mem::transmute::<usize, Handler>(handler) };
            // SAFETY: the caller's promise.
            unsafe { handler(signal) }
        }
    }
}

/// The stack pointer of the interrupted code, 0 where we do not know how to read it.
///
/// # Safety
/// `context` is what the kernel passed to a handler.
unsafe fn stack_pointer(context: *const libc::ucontext_t) -> usize {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    // SAFETY: the caller's promise.
    return unsafe { (*context).uc_mcontext.gregs[libc::REG_RSP as usize] as usize };
    #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
    // SAFETY: the caller's promise.
    return unsafe { (*context).uc_mcontext.sp as usize };
    #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    {
        let _ = context;
        0
    }
}
