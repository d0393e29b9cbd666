//! What the native back ends share: the word, where frames start, and how a closure is called on another stack.
//!
//! # Invariants
//! 1. The word of a suspended context is its stack pointer; what the switch saved lies around it as the back end's
//!    picture shows, and nowhere else.
//! 2. The word is written by `init`, and by the switch, whose `mov` or `str` stands for a relaxed store: so anybody may
//!    look at it, as a hint, for as long as the context's memory is there.

use super::super::Entry;
use crate::coroutine::sanitizer::{self, Fiber};
use crate::coroutine::stack::{Bounds, Stack, StackState};
use crate::primitives::atomic::{AtomicPtr, Ordering};
use crate::primitives::prefetch;
use core::ffi::c_void;

/// A suspended machine context: its stack pointer, first because the switch looks there.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Context {
    pub(super) sp: AtomicPtr<u8>,
    /// Of no size, unless the build is for a sanitizer.
    pub(in crate::coroutine) fiber: Fiber,
}

const _: () = assert!(cfg!(any(gaggle_asan, gaggle_tsan)) || size_of::<Context>() == size_of::<usize>());

impl Context {
    /// Nothing to resume yet; also what a thread's own context is before it first leaves.
    pub(crate) const fn empty() -> Self {
        Self { sp: AtomicPtr::new(core::ptr::null_mut()), fiber: Fiber::new() }
    }

    /// It will be resumed soon: brings near what is used first then, the innermost frames and the room below them.
    /// Whoever runs on it by then does not mind.
    ///
    /// # Safety
    /// `this` points to a context, be it in use or not.
    #[inline]
    pub(crate) unsafe fn approach(this: *const Self) {
        const LINE: usize = 64;
        const BELOW: usize = 2;
        const LINES: usize = 9;
        // ORDERING: Relaxed; a hint.
        // SAFETY: by the contract it is there, and this field of it is atomic (I2).
        let sp = unsafe { (*this).sp.load(Ordering::Relaxed) }.addr();
        if sp != 0 {
            (0..LINES).for_each(|line| prefetch((sp - BELOW * LINE).wrapping_add(line * LINE)));
        }
    }
}

/// Where the first frame on an idle stack starts, be it a goroutine's first stack or a segment.
///
/// Stacks of one class lie a power of two apart, so that their tops would compete for the same few lines of every
/// cache; the tops of neighbours are therefore shifted by some lines each. On one stack it is always the same place:
/// what lies below a frame that returned is out of bounds to valgrind, but for 128 bytes.
fn first_frame(stack: &Stack) -> *mut u8 {
    const COLOURS: usize = 8;
    const SHIFT: usize = 128;
    let Bounds { top, .. } = stack.bounds();
    let colour = (top >> stack.size().trailing_zeros()) % COLOURS;
    (top - SHIFT - colour * SHIFT) as *mut u8
}

/// Where a fresh context starts, and what it calls there with what argument.
///
/// # Safety
/// As `init`.
pub(super) unsafe fn start(
    ctx: *mut Context,
    state: *mut StackState,
    entry: Entry,
    arg: *mut (),
) -> (*mut u8, Entry, *mut ()) {
    // SAFETY: the caller's promise for `state`, `ctx` and the stack.
    unsafe {
        let stack = (*state).base_stack().expect("no stack is bound");
        let frame = first_frame(stack);
        let (entry, arg) = sanitizer::begin(ctx, frame, stack.bounds(), entry, arg);
        (frame, entry, arg)
    }
}

/// Calls `f` on `stack`, which must be idle, and comes back to this one. Panics unwind through, backtraces cross.
///
/// # Safety
/// `stack` holds no frames and stays alive until the call is over; it is not the stack of the caller.
#[inline(never)]
pub(crate) unsafe fn call_on(stack: &Stack, f: &mut dyn FnMut()) {
    unsafe extern "C-unwind" fn call(closure: *mut c_void) {
        // SAFETY: `closure` is the pointer to the closure's reference given below, alive until we return.
        let f = unsafe { &mut *closure.cast::<&mut dyn FnMut()>() };
        f();
    }
    sanitizer::cross(stack.bounds(), f, |mut f| {
        let closure = (&raw mut f).cast::<c_void>();
        // SAFETY: the stack is idle (the caller's promise), and its first frame aligned as calls want it.
        unsafe { super::call_on_stack(closure, first_frame(stack), call) }
    });
}
