//! Recursion as deep as memory allows.
//!
//! A goroutine starts on a stack of 256 KiB (or what `stack = …` asked for), which the system commits page by page.
//! Code that recurses deeply asks for more where it recurses: [`macro@crate::growable`] on the function, or [`grow`]
//! around the call. Either looks how much room is left, which takes a nanosecond, and when it is short continues on a
//! freshly linked segment. Segments grow fourfold, and are given back when the recursion returns.
//!
//! ```
//! /// As deep as the list is long.
//! fn count(list: Option<&Node>) -> usize {
//!     gaggle::stack::grow(|| list.map_or(0, |node| 1 + count(node.next.as_deref())))
//! }
//!
//! struct Node {
//!     next: Option<Box<Node>>,
//! }
//!
//! let list = Node { next: Some(Box::new(Node { next: None })) };
//! assert_eq!(count(Some(&list)), 2);
//! ```
//!
//! Growth works in goroutines and on plain threads. Frames never move: references into the stack, wherever they are
//! kept, stay good. Panics unwind from segment to segment.
//!
//! A goroutine that runs off its stack without asking ends the process with
//! `fatal error: goroutine stack overflow` and the goroutine's name, as does one that grows beyond
//! `runtime::Builder::max_stack`.
//!
//! # Compared with Go
//! Go checks in every function and moves the frames to a larger stack. Rust's frames cannot be moved, so here the
//! functions that recurse are marked, and nothing moves.

use crate::coroutine::stack::{StackState, growth};
use crate::coroutine::switch::stack_pointer;
use crate::sched::current;

/// Calls `f` with room on the stack: where it is, or, when little is left there, on a linked segment.
///
/// "Little" is less than 32 KiB, or a quarter of a smaller stack. For a call that needs more, see [`with_room`].
///
/// ```
/// fn sum(n: u64) -> u64 {
///     gaggle::stack::grow(|| if n == 0 { 0 } else { n + sum(n - 1) })
/// }
/// let task = gaggle::spawn(|| sum(100_000));
/// assert_eq!(task.join().unwrap(), 5_000_050_000);
/// ```
///
/// # Panics
/// As `f` does. Without memory for a segment, or beyond `runtime::Builder::max_stack`, the process ends with a
/// report: a stack that is short cannot be unwound on.
#[inline]
pub fn grow<R>(f: impl FnOnce() -> R) -> R {
    growable(f)
}

/// Calls `f` with at least `bytes` of room on the stack, on a linked segment when less is left where it is.
///
/// ```
/// let sum: u64 = gaggle::stack::with_room(2 << 20, || {
///     let large = [1_u8; 1 << 20];
///     std::hint::black_box(&large).iter().map(|&byte| u64::from(byte)).sum()
/// });
/// assert_eq!(sum, 1 << 20);
/// ```
///
/// # Panics
/// As [`grow`].
pub fn with_room<R>(bytes: usize, f: impl FnOnce() -> R) -> R {
    if remaining() >= bytes {
        return f();
    }
    erased(f, |f| grow_by(bytes, f))
}

/// Bytes left on the stack that the caller runs on, before it needs another segment or hits the guard.
///
/// 0 where that is not known: on a plain thread of a system that does not tell.
///
/// ```
/// let left = gaggle::spawn(gaggle::stack::remaining).join().unwrap();
/// assert!(left > 100_000 && left < 256 << 10);
/// ```
#[must_use]
pub fn remaining() -> usize {
    let sp = stack_pointer();
    let state = state();
    // SAFETY: null, or the state of whoever runs here, borrowed for this call only.
    unsafe { state.as_ref() }.map_or(0, |state| state.room(sp))
}

/// What `#[growable]` expands to.
#[doc(hidden)]
#[inline]
pub fn growable<R>(f: impl FnOnce() -> R) -> R {
    let limit = current::stack_limit();
    // A limit of 0 is that of a plain thread, which the slow path looks up.
    if limit != 0 && stack_pointer() >= limit {
        return f();
    }
    erased(f, grow_if_short)
}

/// Passes `f` to `run` as a closure without a type, so that the slow path exists once.
#[inline]
fn erased<R>(f: impl FnOnce() -> R, run: impl FnOnce(&mut dyn FnMut())) -> R {
    let (mut f, mut result) = (Some(f), None);
    run(&mut || result = f.take().map(|f| f()));
    result.expect("runtime bug: a grown call came back without its result")
}

#[cold]
#[inline(never)]
fn grow_if_short(f: &mut dyn FnMut()) {
    let state = state();
    // SAFETY: null, or the state of whoever runs here, borrowed for this look only.
    let limit = unsafe { state.as_ref() }.map_or(0, StackState::limit);
    if stack_pointer() >= limit {
        return f();
    }
    // SAFETY: `state` tells that of whoever runs here.
    unsafe { growth::run_on_segment(&self::state, f) }
}

#[cold]
fn grow_by(bytes: usize, f: &mut dyn FnMut()) {
    if state().is_null() {
        return f();
    }
    // SAFETY: `state` tells that of whoever runs here.
    unsafe { growth::run_with_room(&state, bytes, f) }
}

/// The state of the goroutine that runs here, or of the plain thread; null when neither has one. While a generator's
/// body runs, it is the generator's (`generator::fiber`).
fn state() -> *mut StackState {
    let state = current::stack_state();
    if !state.is_null() {
        return state;
    }
    let state = current::thread_stack_state();
    // SAFETY: null, or this thread's own state, borrowed for this call only.
    let known = unsafe { state.as_mut() }.is_some_and(StackState::adopt_thread);
    if known { state } else { core::ptr::null_mut() }
}
