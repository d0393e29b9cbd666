//! An arm of a select: what it holds ([`RecvArm`], [`SendArm`]), and how `run` sees it ([`Case`]).
//!
//! # Invariants
//! 1. A case's `core` is the head of a `Chan<T>`, its `slot` a `Slot<T>` of the same `T`, and `step` the function
//!    for that `T`. All three, and `done`, are good for as long as the case lives: it borrows its arm.
//! 2. `done` says whether the value has moved: a receive arm holds one exactly if it is `Moved`, a send arm
//!    exactly if it is not.

use crate::chan::core::{Core, Locked, Side};
use crate::chan::shared::{Chan, Slot, Step};
use crate::chan::{Receiver, SendError, Sender};
use core::fmt;
use core::marker::PhantomData;
use core::mem::{self, ManuallyDrop, MaybeUninit};
use core::ptr::NonNull;

/// How an arm stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// It has not won.
    No,
    /// It won: its value has been sent or received.
    Moved,
    /// It won: its channel is closed.
    Closed,
}

type StepFn = unsafe fn(NonNull<Core>, &mut Locked<'_>, *mut ()) -> Step;

/// One arm in the eyes of `run`, whatever type of value it moves.
pub struct Case<'a> {
    /// `None`: a nil channel, or a guard that is false: never ready.
    core: Option<NonNull<Core>>,
    step: StepFn,
    slot: *mut (),
    done: *mut Done,
    side: Side,
    /// Which of the locks of a select is its channel's, while they are held.
    lock: u32,
    _arm: PhantomData<&'a mut ()>,
}

impl<'a> Case<'a> {
    /// The channel, if the arm takes part.
    #[inline]
    pub(super) fn core(&self) -> Option<&'a Core> {
        // SAFETY: good for as long as the case borrows its arm (I1).
        self.core.map(|core| unsafe { core.as_ref() })
    }

    pub(super) fn side(&self) -> Side {
        self.side
    }

    pub(super) fn lock(&self) -> usize {
        self.lock as usize
    }

    #[inline]
    pub(super) fn set_lock(&mut self, number: usize) {
        self.lock = number as u32;
    }

    pub(super) fn slot(&self) -> *mut () {
        self.slot
    }

    /// Whether the operation might be possible, without the lock: a look.
    #[inline]
    pub(super) fn seems_ready(&self, core: &Core) -> bool {
        let word = core.look();
        match self.side {
            Side::Senders => !word.send_would_wait(core.capacity()),
            Side::Receivers => !word.recv_would_wait(),
        }
    }

    /// Does the operation if it is possible now. `locked` is this arm's channel.
    #[inline]
    pub(super) fn step(&mut self, locked: &mut Locked<'_>) -> Step {
        let Some(core) = self.core else { return Step::NotReady };
        debug_assert!(core::ptr::eq(core.as_ptr(), locked.core()), "runtime bug: another channel's lock");
        // SAFETY: core, slot and function belong to one `T` (I1).
        unsafe { (self.step)(core, locked, self.slot) }
    }

    #[inline]
    pub(super) fn set_done(&mut self, done: Done) {
        // SAFETY: the arm is borrowed by this case (I1).
        unsafe { *self.done = done }
    }
}

impl fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("side", &self.side).field("nil", &self.core.is_none()).finish_non_exhaustive()
    }
}

/// # Safety
/// `core` heads a `Chan<T>`, `slot` is a `Slot<T>` with room (I1).
unsafe fn recv_step<T>(core: NonNull<Core>, locked: &mut Locked<'_>, slot: *mut ()) -> Step {
    // SAFETY: by our contract; the core is the channel's first field.
    unsafe { core.cast::<Chan<T>>().as_ref().take(locked, &*slot.cast::<Slot<T>>()) }
}

/// # Safety
/// `core` heads a `Chan<T>`, `slot` is a `Slot<T>` with a value (I1).
unsafe fn send_step<T>(core: NonNull<Core>, locked: &mut Locked<'_>, slot: *mut ()) -> Step {
    // SAFETY: by our contract; the core is the channel's first field.
    unsafe { core.cast::<Chan<T>>().as_ref().offer(locked, &*slot.cast::<Slot<T>>()) }
}

/// A receive: the channel, and the place for what comes.
pub struct RecvArm<'a, T> {
    chan: Option<&'a Chan<T>>,
    place: MaybeUninit<T>,
    slot: Slot<T>,
    done: Done,
}

/// A send: the channel, and the value that is to go.
pub struct SendArm<'a, T> {
    chan: Option<&'a Chan<T>>,
    value: ManuallyDrop<T>,
    slot: Slot<T>,
    done: Done,
}

fn case<'a, T>(chan: Option<&'a Chan<T>>, step: StepFn, side: Side, slot: &'a Slot<T>, done: &'a mut Done) -> Case<'a> {
    Case {
        core: chan.map(|chan| NonNull::from(chan).cast()),
        step,
        slot: slot.erase(),
        done,
        side,
        lock: 0,
        _arm: PhantomData,
    }
}

impl<'a, T> RecvArm<'a, T> {
    #[inline]
    pub(super) fn new(receiver: Option<&'a Receiver<T>>) -> Self {
        let chan = receiver.map(Receiver::chan);
        Self { chan, place: MaybeUninit::uninit(), slot: Slot::new(core::ptr::null_mut()), done: Done::No }
    }

    /// This arm as `run` sees it; the arm must not have won yet.
    #[inline]
    pub fn case(&mut self) -> Case<'_> {
        debug_assert_eq!(self.done, Done::No, "runtime bug: an arm that has won takes part again");
        self.slot = Slot::new(self.place.as_mut_ptr());
        case(self.chan, recv_step::<T>, Side::Receivers, &self.slot, &mut self.done)
    }

    /// What the arm that won received; `None` if its channel is closed and drained.
    #[inline]
    pub fn finish(mut self) -> Option<T> {
        self.take()
    }

    /// As [`finish`](Self::finish), but the arm may take part again.
    pub(super) fn take(&mut self) -> Option<T> {
        self.slot.reclaim();
        match mem::replace(&mut self.done, Done::No) {
            // SAFETY: Moved says that the value is here (I2), and it is taken out once: the arm is No now.
            Done::Moved => Some(unsafe { self.place.assume_init_read() }),
            Done::Closed => None,
            Done::No => panic!("this arm was not selected"),
        }
    }

    pub(super) fn done(&self) -> Done {
        self.done
    }

    pub(super) fn core(&self) -> Option<&Core> {
        self.chan.map(Chan::core)
    }

    /// Lets an arm whose channel was found closed take part again.
    pub(super) fn rearm(&mut self) {
        debug_assert_ne!(self.done, Done::Moved, "runtime bug: a received value would be lost");
        self.done = Done::No;
    }
}

impl<T> Drop for RecvArm<'_, T> {
    fn drop(&mut self) {
        if self.done == Done::Moved {
            // SAFETY: Moved says that the value is here (I2).
            unsafe { self.place.assume_init_drop() }
        }
    }
}

impl<'a, T> SendArm<'a, T> {
    #[inline]
    pub(super) fn new(sender: Option<&'a Sender<T>>, value: T) -> Self {
        let chan = sender.map(Sender::chan);
        let value = ManuallyDrop::new(value);
        Self { chan, value, slot: Slot::new(core::ptr::null_mut()), done: Done::No }
    }

    /// This arm as `run` sees it; the arm must not have won yet.
    #[inline]
    pub fn case(&mut self) -> Case<'_> {
        debug_assert_eq!(self.done, Done::No, "runtime bug: an arm that has won takes part again");
        self.slot = Slot::new(&raw mut *self.value);
        case(self.chan, send_step::<T>, Side::Senders, &self.slot, &mut self.done)
    }

    /// How the send of the arm that won went; a closed channel gives the value back.
    #[inline]
    pub fn finish(mut self) -> Result<(), SendError<T>> {
        self.take_result()
    }

    /// As [`finish`](Self::finish); the arm is left without a value.
    pub(super) fn take_result(&mut self) -> Result<(), SendError<T>> {
        self.slot.reclaim();
        match mem::replace(&mut self.done, Done::Moved) {
            Done::Moved => Ok(()),
            // SAFETY: not Moved, so the value was here (I2); it is taken out once: the arm is Moved now.
            Done::Closed => Err(SendError(unsafe { ManuallyDrop::take(&mut self.value) })),
            Done::No => {
                self.done = Done::No;
                panic!("this arm was not selected")
            }
        }
    }

    /// As [`finish`](Self::finish), for an arm that has no use for the error.
    ///
    /// # Panics
    /// `send on closed channel`, as in Go; the value is dropped.
    #[inline]
    #[track_caller]
    pub fn finish_or_panic(self) {
        if self.finish().is_err() {
            send_on_closed_channel()
        }
    }

    /// The value, which has not been sent.
    pub(super) fn into_value(mut self) -> T {
        let done = mem::replace(&mut self.done, Done::Moved);
        assert!(done != Done::Moved, "runtime bug: the value of this arm has been sent");
        // SAFETY: not Moved, so the value was here (I2); it is taken out once: the arm is Moved now.
        unsafe { ManuallyDrop::take(&mut self.value) }
    }

    pub(super) fn done(&self) -> Done {
        self.done
    }

    pub(super) fn core(&self) -> Option<&Core> {
        self.chan.map(Chan::core)
    }

    /// Lets an arm whose channel was found closed take part again.
    pub(super) fn rearm(&mut self) {
        debug_assert_ne!(self.done, Done::Moved, "runtime bug: a sent value takes part again");
        self.done = Done::No;
    }
}

impl<T> Drop for SendArm<'_, T> {
    fn drop(&mut self) {
        if self.done != Done::Moved {
            // SAFETY: not Moved, so the value is here (I2).
            unsafe { ManuallyDrop::drop(&mut self.value) }
        }
    }
}

#[cold]
#[track_caller]
fn send_on_closed_channel() -> ! {
    panic!("send on closed channel")
}

impl<T> fmt::Debug for RecvArm<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvArm").field("done", &self.done).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for SendArm<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendArm").field("done", &self.done).finish_non_exhaustive()
    }
}
