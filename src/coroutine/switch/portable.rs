//! The switch on the `generator` crate, for targets without one of our own.
//!
//! Generators know only two moves, resume and yield, so a symmetric switch takes a detour over the thread's own
//! stack: the leaving goroutine leaves word which context is next, and yields; the loop in the root's [`swap`] resumes
//! that one. A goroutine on a segment is a generator inside a generator: it yields outward link by link, and is
//! resumed inward the same way.
//!
//! ```text
//!   thread:  swap(root, a) ─ resume a ──────┐            ┌─ resume b ──────┐
//!   a:                       └ swap(a, b): pending = b; yield             │
//!   b:                                                    └ swap(b, root): pending = root; yield ─> root's swap returns
//! ```
//!
//! # Invariants
//! 1. A context of a goroutine holds the routine of its base stack; a context of a thread holds none.
//! 2. A goroutine that leaves stores its context before it yields, and the next one is resumed after the yield is over:
//!    only the successor can tell others (I2 of the parent).

use super::Entry;
use crate::coroutine::stack::generators::{self, Job, Routine};
use crate::coroutine::stack::{Stack, StackState};
use core::ptr;

/// A suspended goroutine, or a thread's own context (I1).
#[derive(Debug)]
pub(crate) struct Context {
    routine: *mut Routine,
}

impl Context {
    /// Nothing to resume yet; also what a thread's own context is.
    pub(crate) const fn empty() -> Self {
        Self { routine: ptr::null_mut() }
    }

    /// Nobody here knows where the frames of a generator are.
    ///
    /// # Safety
    /// None: as the native ones.
    #[inline]
    pub(crate) unsafe fn approach(_: *const Self) {}
}

/// Prepares `ctx` so that the first swap into it calls `entry(arg)` on the stack bound to `state`.
///
/// # Safety
/// The stack holds no frames and stays bound until the context is done; `ctx` and `state` are the caller's alone;
/// `entry(arg)` may be called, never unwinds, and returns a context that may be resumed.
pub(crate) unsafe fn init(ctx: *mut Context, state: *mut StackState, entry: Entry, arg: *mut ()) {
    // SAFETY: the caller's promise for `state`.
    let routine = unsafe { (*state).base_stack() }.expect("no stack is bound").routine();
    // SAFETY: only the pointee of the returned pointer changes its name.
    let entry = unsafe { core::mem::transmute::<Entry, unsafe extern "C" fn(*mut ()) -> *const ()>(entry) };
    // SAFETY: the stack holds no frames, so its routine is idle, or about to be: it returned from its last entry.
    unsafe {
        Routine::assign(routine, Job::Enter(entry, arg));
        (*ctx).routine = routine;
    }
}

/// Suspends the caller into `save` and resumes `load`; returns when somebody resumes `save`.
///
/// # Safety
/// `save` is the caller's alone until it is resumed; `load` was saved or initialised and is not resumed by anybody
/// else. Nothing bound to a thread is held across it, unless `save` is resumed on this one.
#[inline(never)]
pub(crate) unsafe fn swap(save: *mut Context, load: *const Context) {
    let innermost = generators::innermost();
    // SAFETY: the caller's promises; the caller runs on `innermost`.
    unsafe {
        let base = Routine::base_of(innermost);
        (*save).routine = base;
        if base.is_null() {
            run_until_root(load);
        } else {
            generators::set_pending(load.cast());
            Routine::pause(innermost);
        }
    }
}

/// Resumes one goroutine after the other until one leaves for the thread itself.
///
/// # Safety
/// As [`swap`], on the thread's own stack, or a segment of it.
unsafe fn run_until_root(load: *const Context) {
    let mut next = load;
    loop {
        // SAFETY: what a goroutine leaves for may be resumed (the promise of its `swap` or entry). The routine is read
        // before it runs, after which the context may be gone.
        let routine = unsafe { (*next).routine };
        if routine.is_null() {
            return;
        }
        // SAFETY: as above: it is suspended, and ours to resume.
        unsafe { Routine::resume(routine) };
        next = generators::take_pending().cast();
    }
}

/// Calls `f` on `stack`, which must be idle, and comes back to this one. A panic comes back too.
///
/// # Safety
/// `stack` holds no frames and stays alive until the call is over; it is not the stack of the caller.
pub(crate) unsafe fn call_on(stack: &Stack, f: &mut dyn FnMut()) {
    let routine = stack.routine();
    let mut f = f;
    let below = generators::innermost();
    // SAFETY: the stack is idle, the closure outlives the loop, and the routine is suspended whenever we touch it.
    unsafe {
        (*routine).below = below;
        (*routine).is_segment = true;
        Routine::assign(routine, Job::Call((&raw mut f).cast()));
        loop {
            Routine::resume(routine);
            if (*routine).idle {
                break;
            }
            // It parked inside: we yield on its behalf, and let it go on when we are resumed, on whatever thread.
            Routine::pause(below);
        }
        (*routine).is_segment = false;
        (*routine).below = ptr::null_mut();
        if let Some(payload) = (*routine).panic.take() {
            std::panic::resume_unwind(payload);
        }
    }
}

/// Generators keep the saved registers to themselves: a plain call.
///
/// # Safety
/// None is needed.
pub(in crate::coroutine) unsafe fn call_as_if_from(
    _context: *const Context,
    arg: *mut core::ffi::c_void,
    f: extern "C" fn(*mut core::ffi::c_void),
) {
    f(arg);
}

pub(crate) use generators::stack_address as stack_pointer;
