//! A body on a stack of its own, which whoever drives it enters and leaves.
//!
//! ```text
//!   driver:  resume ──swap──┐                      ┌──swap── … goes on
//!   body:                   └─ runs … suspend ─────┘            (suspended in `context`)
//! ```
//!
//! To the scheduler the body *is* the goroutine that drives it, on another stack: if it parks, the goroutine parks there,
//! and is resumed there. What the goroutine carries about its stack must therefore be the body's while the body runs:
//! `exchange` swaps the two on the way in and on the way out. So growth, the room that is left, the guard and the
//! report of an overflow are right on either side, and generators in generators are exchanges in exchanges.
//!
//! # Invariants
//! 1. A fiber is touched by whoever drives it, or by its body: they take turns, on one thread of control.
//! 2. `driver` is saved exactly while the body runs; `context` exactly while it is suspended.
//! 3. While the body runs, `stack` holds the state of whoever drives it, and the place of that state holds the body's.
//! 4. A started body is only ever entered by the goroutine (or thread) that started it, and as long as the goroutine
//!    locals are there that were there at the last suspension: its frames may refer to those, and to guards that belong
//!    to a goroutine. Where that cannot be had, the body is never entered again, and its stack is leaked.

use crate::coroutine::stack::{Stack, StackCache, StackError, StackState, class_for};
use crate::coroutine::switch::{self, Context};
use crate::go::locals_serial;
use crate::primitives::atomic::{AtomicU32, Ordering};
use crate::primitives::{Lock, LockRank};
use crate::sched::current;
use core::ptr;

/// Stacks that are kept for the next generators: a fresh one costs some microseconds.
static IDLE: Lock<StackCache> = Lock::new(LockRank::Sched, StackCache::new());

fn give_back(stack: Stack) {
    /// After how many generators the memory of those that went deep is given back.
    const OFTEN: u32 = 256;
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let mut idle = IDLE.lock();
    idle.give(stack);
    // ORDERING: Relaxed; a count.
    if GIVEN.fetch_add(1, Ordering::Relaxed).is_multiple_of(OFTEN) {
        idle.trim();
    }
}

/// Who may drive a body (I4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// The goroutine's number; 0 for a plain thread, of which a generator knows only one, as it is not `Send`.
    goroutine: u64,
    /// The number of the goroutine's locals; 0 if it has none.
    locals: u64,
}

impl Place {
    /// `None` while the locals of a plain thread are being destroyed.
    fn here() -> Option<Self> {
        let locals = locals_serial()?;
        // SAFETY: it runs here.
        let goroutine = current::goroutine().map_or(0, |g| unsafe { g.as_ref() }.id());
        Some(Self { goroutine, locals })
    }

    /// Whether a body that was last suspended at `self` may be entered at `now`.
    fn admits(self, now: Self) -> bool {
        self.goroutine == now.goroutine && (self.locals == 0 || self.locals == now.locals)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Fresh,
    Suspended,
    Running,
    Done,
}

/// What the fiber runs on its stack; it must not unwind.
pub(super) type Body = unsafe fn(*mut ());

/// See the module's page.
#[derive(Debug)]
pub(super) struct Fiber {
    context: Context,
    driver: Context,
    stack: StackState,
    body: Body,
    arg: *mut (),
    phase: Phase,
    last: Place,
}

impl Fiber {
    /// A fiber that will call `body(arg)`, on a stack that it gets when it starts.
    pub(super) const fn new(body: Body, arg: *mut ()) -> Self {
        Self {
            context: Context::empty(),
            driver: Context::empty(),
            stack: StackState::new(),
            body,
            arg,
            phase: Phase::Fresh,
            last: Place { goroutine: 0, locals: 0 },
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether the body, if it has started, may be entered by the caller (I4).
    pub(super) fn may_enter(&self) -> bool {
        self.phase == Phase::Fresh || Place::here().is_some_and(|now| self.last.admits(now)) && !state_here().is_null()
    }

    /// Gives a fresh fiber its stack of at least `bytes`.
    ///
    /// # Errors
    /// When there is no such stack.
    ///
    /// # Safety
    /// `this` is fresh, stays in place until it is done, and is the caller's.
    pub(super) unsafe fn start(this: *mut Fiber, bytes: usize) -> Result<(), StackError> {
        let stack = IDLE.lock().take(class_for(bytes)?)?;
        // SAFETY: the caller's promise; the stack is idle, and `entry` gets the fiber.
        unsafe {
            (*this).stack.bind(stack);
            switch::init(&raw mut (*this).context, &raw mut (*this).stack, entry, this.cast());
            (*this).phase = Phase::Suspended;
        }
        Ok(())
    }

    /// Enters the body; returns when it suspends itself or is done.
    ///
    /// # Safety
    /// `this` is suspended, stays in place, is the caller's, and [`may_enter`](Self::may_enter) said so.
    pub(super) unsafe fn resume(this: *mut Fiber) {
        // SAFETY: the caller's promise; no reference is held across the switch, after which the fiber is ours again (I1).
        unsafe {
            (*this).phase = Phase::Running;
            exchange(this);
            switch::swap(&raw mut (*this).driver, &raw const (*this).context);
            exchange(this);
            if (*this).phase == Phase::Done {
                // The last jump away from the stack has been made.
                give_back((*this).stack.unbind());
            } else if let Some(now) = Place::here() {
                (*this).last = now;
            }
        }
    }

    /// In the body: back to the driver; returns when it is entered again.
    ///
    /// # Safety
    /// Called by the body of `this`, on its stack.
    pub(super) unsafe fn suspend(this: *mut Fiber) {
        // SAFETY: the driver waits in `resume` (I2).
        unsafe {
            (*this).phase = Phase::Suspended;
            switch::swap(&raw mut (*this).context, &raw const (*this).driver);
        }
    }
}

/// Swaps what is known of the stack: the driver's for the body's, or back (I3).
///
/// # Safety
/// Called by the driver, right before or after the switch.
#[inline]
unsafe fn exchange(this: *mut Fiber) {
    let state = state_here();
    // Null while the locals of a plain thread are being destroyed: then nothing grows.
    if !state.is_null() {
        // SAFETY: the state of whoever runs here, which the fiber's is not; nobody holds a reference to either.
        unsafe { ptr::swap(state, &raw mut (*this).stack) };
    }
}

/// Where whoever runs here keeps what it knows of its stack; null while the locals of a plain thread are being destroyed.
fn state_here() -> *mut StackState {
    let state = current::stack_state();
    if state.is_null() { current::thread_stack_state() } else { state }
}

unsafe extern "C" fn entry(arg: *mut ()) -> *const Context {
    let this = arg.cast::<Fiber>();
    // SAFETY: `start` passes the fiber, which stays in place; the body does not unwind, and the driver waits (I2).
    unsafe {
        ((*this).body)((*this).arg);
        (*this).phase = Phase::Done;
        &raw const (*this).driver
    }
}
