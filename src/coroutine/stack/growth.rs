//! Growth beyond a stack: the rest of a recursion runs on a linked segment, and comes back.
//!
//! # Invariants
//! 1. Frames never move: a segment is a further stack, so every reference into the older ones stays good.
//! 2. The segment is unlinked when its call returns or unwinds, whichever comes first, by a frame on the older stack.
//! 3. The state may belong to a goroutine that parks inside `f` and goes on elsewhere, or to a generator whose body is
//!    suspended inside `f` and driven by somebody else: no pointer to it is held across the call, it is looked up again.

use super::{StackState, overflow};
use crate::coroutine::switch;

/// Tells where the state of whoever runs here is; null when there is none any more.
pub(crate) type Whose<'a> = &'a dyn Fn() -> *mut StackState;

/// Runs `f` on a segment: the spare one, or a fresh one. Panics unwind through.
///
/// # Safety
/// `whose` tells the state of the goroutine, generator or thread that calls, which is there at first, and to which
/// nobody holds a reference.
pub(crate) unsafe fn run_on_segment(whose: Whose<'_>, f: &mut dyn FnMut()) {
    // SAFETY: the caller's promise.
    unsafe { run_with_room(whose, 0, f) }
}

/// As [`run_on_segment`], on a segment with at least `least` bytes for `f`.
///
/// # Safety
/// As [`run_on_segment`].
pub(crate) unsafe fn run_with_room(whose: Whose<'_>, least: usize, f: &mut dyn FnMut()) {
    // SAFETY: the state is ours (the caller's promise), and the borrow ends before `f` runs (I3).
    let segment = match unsafe { (*whose()).push_segment(least) } {
        Ok(Some(segment)) => core::ptr::from_ref(segment),
        Ok(None) => overflow::die(format_args!("it may use {} bytes at most, segments included", super::max_stack())),
        Err(error) => crate::platform::fatal::fatal(format_args!("a goroutine cannot grow: {error}")),
    };
    let _left = Left(whose);
    // SAFETY: the segment is linked, so it is alive and holds no frames; `_left` unlinks it after the call (I2).
    unsafe { switch::call_on(&*segment, f) }
}

/// Unlinks the segment when its call is over (I2).
struct Left<'a>(Whose<'a>);

impl Drop for Left<'_> {
    fn drop(&mut self) {
        // SAFETY: null, or the state in which the segment was linked (I3); `f` is done with it. Null when the locals of a
        // thread are being destroyed: then the segment goes with its owner.
        if let Some(state) = unsafe { (self.0)().as_mut() } {
            state.pop_segment();
        }
    }
}
