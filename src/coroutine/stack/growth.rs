//! Growth beyond a stack: the rest of a recursion runs on a linked segment, and comes back.
//!
//! # Invariants
//! 1. Frames never move: a segment is a further stack, so every reference into the older ones stays good.
//! 2. The segment is unlinked when its call returns or unwinds, whichever comes first, by a frame on the older stack.
//! 3. The state may belong to a goroutine that parks inside `f` and goes on elsewhere: no reference to it is held
//!    across the call.

use super::{StackState, overflow};
use crate::coroutine::switch;

/// Runs `f` on a segment: the goroutine's spare one, or a fresh one. Panics unwind through.
///
/// # Safety
/// `state` belongs to the goroutine or thread that calls, stays in place until `f` is done, and nobody holds a
/// reference to it.
pub(crate) unsafe fn run_on_segment(state: *mut StackState, f: &mut dyn FnMut()) {
    // SAFETY: the caller's promise.
    unsafe { run_with_room(state, 0, f) }
}

/// As [`run_on_segment`], on a segment with at least `least` bytes for `f`.
///
/// # Safety
/// As [`run_on_segment`].
pub(crate) unsafe fn run_with_room(state: *mut StackState, least: usize, f: &mut dyn FnMut()) {
    // SAFETY: the state is ours (the caller's promise), and the borrow ends before `f` runs (I3).
    let segment = match unsafe { (*state).push_segment(least) } {
        Ok(Some(segment)) => core::ptr::from_ref(segment),
        Ok(None) => overflow::die(format_args!("it may use {} bytes at most, segments included", super::max_stack())),
        Err(error) => crate::platform::fatal::fatal(format_args!("a goroutine cannot grow: {error}")),
    };
    let _left = Left(state);
    // SAFETY: the segment is linked, so it is alive and holds no frames; `_left` unlinks it after the call (I2).
    unsafe { switch::call_on(&*segment, f) }
}

/// Unlinks the segment when its call is over (I2).
struct Left(*mut StackState);

impl Drop for Left {
    fn drop(&mut self) {
        // SAFETY: `run_with_room`'s caller keeps the state in place; `f` is done with it (I3).
        unsafe { (*self.0).pop_segment() }
    }
}
