//! The cell that a goroutine and its join handle share: the body first, the result later.
//!
//! # Invariants
//! 1. Before the run the storage holds the body; from `DONE` on the result; in between nothing. A value of up to
//!    [`INLINE_WORDS`] words stands in the storage itself, a larger one in a box.
//! 2. `DONE` is set once, by the goroutine; `JOINING` and `DETACHED` by the handle, at most one of them. The words are
//!    read-modify-writes, so exactly one side sees the other's bit: after `DONE` and `DETACHED` the later one drops
//!    the result; after `DONE` and `JOINING` the later one ends the join.
//! 3. `joiner` is written before `JOINING` is set, and read by the goroutine only after it saw that bit.

use super::panic::Exited;
use crate::park::{Outcome, Ticket, WaitReason, begin_wait};
use crate::primitives::atomic::{AtomicU32, Ordering};
use crate::primitives::cell::UnsafeCell;
use core::any::Any;
use core::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

const DONE: u32 = 1;
const JOINING: u32 = 2;
const DETACHED: u32 = 4;

/// How many words of a body or a result stand in the goroutine itself.
const INLINE_WORDS: usize = 6;

/// What a panic left.
pub(crate) type PanicPayload = Box<dyn Any + Send + 'static>;
/// How a goroutine ended.
pub(crate) type Ended<T> = Result<T, PanicPayload>;

/// Whether somebody should hear of it: a goroutine that called `exit` has not panicked.
fn is_panic<T>(ended: &Ended<T>) -> bool {
    ended.as_ref().is_err_and(|payload| !payload.is::<Exited>())
}

/// What happens around the end of a body; see [`TaskCell::run`].
pub(crate) trait Around: Send {
    /// The body ended, with a panic or without; nobody was told yet.
    fn before_end(&self, panic: Option<&PanicPayload>);
    /// All is over, and the result is stored or dropped: `unhandled` is true if a panic was dropped with it.
    fn after_end(self, unhandled: bool);
}

/// See the module's page.
#[repr(C)]
pub(crate) struct TaskCell {
    state: AtomicU32,
    joiner: UnsafeCell<Option<Ticket>>,
    storage: UnsafeCell<[MaybeUninit<u64>; INLINE_WORDS]>,
}

// SAFETY: storage and joiner are accessed as I1 to I3 say; the typed functions ask for `Send` values.
unsafe impl Send for TaskCell {}
// SAFETY: as above.
unsafe impl Sync for TaskCell {}

const fn fits<V>() -> bool {
    size_of::<V>() <= INLINE_WORDS * 8 && align_of::<V>() <= 8
}

impl TaskCell {
    /// A cell that holds the body `f`, with what happens around its end.
    #[inline]
    pub(crate) fn new<F, A>(f: F, around: A) -> Self {
        let cell = Self {
            state: AtomicU32::new(0),
            joiner: UnsafeCell::new(None),
            storage: UnsafeCell::new([MaybeUninit::uninit(); INLINE_WORDS]),
        };
        // SAFETY: the storage is empty and nobody else knows the cell.
        unsafe { cell.put((f, around)) };
        cell
    }

    /// # Safety
    /// The storage is empty, and the caller's by I1.
    #[inline]
    unsafe fn put<V>(&self, value: V) {
        self.storage.with_mut(|storage| {
            if fits::<V>() {
                // SAFETY: it fits, and by the contract overwrites nothing.
                unsafe { storage.cast::<V>().write(value) }
            } else {
                // SAFETY: a pointer fits, and by the contract overwrites nothing.
                unsafe { storage.cast::<*mut V>().write(Box::into_raw(Box::new(value))) }
            }
        });
    }

    /// # Safety
    /// The storage holds a `V` that was `put` there, and is the caller's by I1; it is empty afterwards.
    #[inline]
    unsafe fn take<V>(&self) -> V {
        self.storage.with_mut(|storage| {
            if fits::<V>() {
                // SAFETY: by the contract.
                unsafe { storage.cast::<V>().read() }
            } else {
                // SAFETY: by the contract the pointer came from a box.
                unsafe { *Box::from_raw(storage.cast::<*mut V>().read()) }
            }
        })
    }

    /// Runs the body to its end, stores the result, tells the joiner. Never unwinds.
    ///
    /// # Safety
    /// The cell was made by `new::<F, A>`; called once, with the same types. `this` stays valid until the handle's
    /// side is gone and the call has returned.
    pub(crate) unsafe fn run<F, A, T>(this: *const Self)
    where
        F: FnOnce() -> T + Send,
        A: Around,
        T: Send,
    {
        // SAFETY: by the contract the cell is valid, and the storage still holds the body (I1).
        let (f, around) = unsafe { (*this).take::<(F, A)>() };
        let ended: Ended<T> = catch_unwind(AssertUnwindSafe(f));
        around.before_end(ended.as_ref().err());
        // SAFETY: by the contract; the storage is empty until DONE is set (I1).
        let unhandled = unsafe { Self::finish(this, ended) };
        around.after_end(unhandled);
    }

    /// # Safety
    /// As `run`; the storage is empty.
    unsafe fn finish<T>(this: *const Self, ended: Ended<T>) -> bool {
        let panicked = is_panic(&ended);
        // SAFETY: by the contract.
        let cell = unsafe { &*this };
        // SAFETY: by the contract the storage is empty and ours (I1).
        unsafe { cell.put(ended) };
        // ORDERING: AcqRel. Release publishes the result to the handle's Acquire in `join` or `detach`; Acquire pairs
        // with the handle's Release: its ticket is visible with JOINING (I2, I3).
        let before = cell.state.fetch_or(DONE, Ordering::AcqRel);
        if before & DETACHED != 0 {
            // SAFETY: both bits are set and we came later: the result is ours to drop (I2).
            let ended = unsafe { cell.take::<Ended<T>>() };
            // A destructor that panics hurts nobody else; its message was printed.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(ended)));
            return panicked;
        }
        if before & JOINING != 0 {
            // SAFETY: the joiner is there (I3), and waits until it is woken.
            let ticket = cell.joiner.with_mut(|joiner| unsafe { (*joiner).take() });
            if let Some(ticket) = ticket.filter(|t| t.claim(Outcome::selected(0))) {
                ticket.wake();
            }
        }
        false
    }

    /// Whether the result is there.
    pub(crate) fn is_done(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `finish`, so that "finished" implies all that it did.
        self.state.load(Ordering::Acquire) & DONE != 0
    }

    /// Waits for the end of the body and takes the result.
    ///
    /// # Safety
    /// The handle's side only, once, and not after `detach`; `T` is the body's type.
    pub(crate) unsafe fn join<T>(&self, reason: WaitReason) -> Ended<T> {
        if !self.is_done() {
            let ticket = begin_wait();
            // SAFETY: JOINING is not set yet, so the goroutine does not look (I3).
            self.joiner.with_mut(|joiner| unsafe { *joiner = Some(ticket) });
            // ORDERING: AcqRel; Release publishes the ticket to `finish`, Acquire pairs with its Release of the result.
            if self.state.fetch_or(JOINING, Ordering::AcqRel) & DONE == 0 {
                ticket.wait(reason);
            } else {
                // The goroutine came first and did not look for a joiner (I2).
                ticket.cancel();
            }
        }
        // SAFETY: DONE is set and was acquired: the result is there, and nobody else takes it (I1, I2).
        unsafe { self.take::<Ended<T>>() }
    }

    /// Gives the result up; true if it was there already, and a panic.
    ///
    /// # Safety
    /// The handle's side only, once, and not after `join`; `T` is the body's type.
    pub(crate) unsafe fn detach<T>(&self) -> bool {
        // ORDERING: AcqRel; Acquire pairs with the Release of the result in `finish`, Release lets the goroutine's
        // Acquire there come after all that the handle did.
        if self.state.fetch_or(DETACHED, Ordering::AcqRel) & DONE == 0 {
            return false;
        }
        // SAFETY: both bits are set and we came later: the result is ours to drop (I2).
        is_panic(&unsafe { self.take::<Ended<T>>() })
    }
}
