//! A channel of `T`: the core, the ring, the count of handles, and the four moves of a value that they allow.
//!
//! # Invariants
//! 1. `ring` holds as many values as the core's word says, and is accessed only under the core's lock.
//! 2. The channel is freed by the second of its two sides to go; a side goes when its count of handles falls to
//!    zero, and has done all it does with the channel before it says so in `one_side_gone`. Every other access
//!    is made through a handle.
//! 3. When the last receiver goes the channel is closed and emptied; so it is empty when it is freed.
//! 4. A [`Slot`]'s pointer is good for one `T`, and stays so until its owner has been woken.
//!
//! # Locking
//! As in `core.rs`: values move under the lock, waking and dropping come after it.

use super::core::{Core, Locked, Side};
use super::ring::{Ring, Values};
use crate::park::{Outcome, OutcomeKind, Ticket};
use crate::primitives::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::primitives::cell::UnsafeCell;
use core::ptr::{self, NonNull};

/// See the module's page. The core comes first, so that a pointer to it is one to the channel (see `select`).
#[repr(C)]
pub(crate) struct Chan<T> {
    core: Core,
    ring: UnsafeCell<Ring<T>>,
    senders: AtomicUsize,
    receivers: AtomicUsize,
    one_side_gone: AtomicBool,
}

// SAFETY: a channel moves values between threads, which `T: Send` allows; it never shares a `&T`. What it holds
// besides is atomics and what its lock guards (I1).
unsafe impl<T: Send> Send for Chan<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Chan<T> {}

/// Where a waiter's value is, or is to go.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    value: *mut T,
    /// Stands for the value in loom's eyes: two who touch it without order between them are found out.
    watch: UnsafeCell<()>,
}

impl<T> Slot<T> {
    pub(crate) fn new(value: *mut T) -> Self {
        Self { value, watch: UnsafeCell::new(()) }
    }

    #[inline]
    fn with<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        self.watch.with_mut(|_| f(self.value))
    }

    /// The slot as a wait node, or a select's case, keeps it.
    pub(crate) fn erase(&self) -> *mut () {
        ptr::from_ref(self).cast_mut().cast()
    }

    /// Says that the waiter has its value again, or the one that it waited for: nobody else touches the slot now.
    #[inline]
    pub(crate) fn reclaim(&self) {
        self.watch.with_mut(|_| {});
    }
}

/// What one look at a channel, under its lock, came to.
pub(crate) enum Step {
    /// The value has moved; whoever waited for that is to be woken after unlocking.
    Done(Option<Ticket>),
    /// The channel is closed (and, for a receive, drained): the value has not moved, and never will.
    Closed,
    /// The operation would have to wait.
    NotReady,
}

/// How an operation on one channel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Done,
    Closed,
    TimedOut,
}

impl From<OutcomeKind> for Ended {
    fn from(outcome: OutcomeKind) -> Self {
        match outcome {
            OutcomeKind::Selected(_) => Self::Done,
            OutcomeKind::Closed(_) => Self::Closed,
            OutcomeKind::TimedOut => Self::TimedOut,
        }
    }
}

impl<T> Chan<T> {
    /// A channel with one handle on each side.
    #[cfg_attr(loom, track_caller)]
    pub(crate) fn new(capacity: usize, ring: Ring<T>) -> NonNull<Self> {
        NonNull::from(Box::leak(Box::new(Self {
            core: Core::new(capacity),
            ring: UnsafeCell::new(ring),
            senders: AtomicUsize::new(1),
            receivers: AtomicUsize::new(1),
            one_side_gone: AtomicBool::new(false),
        })))
    }

    #[inline]
    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// Sends the value at `value` if the buffer has room for it and nobody is to be woken.
    ///
    /// # Safety
    /// `value` is a `T`, which is the channel's if the answer is true.
    #[inline]
    unsafe fn send_quietly(&self, locked: &mut Locked<'_>, value: *const T) -> bool {
        let word = locked.word();
        let pushed = word.is_quiet_for_send()
            && self.ring.with_mut(|ring| {
                // SAFETY: the lock is held (I1). A ring has no more slots than the channel's capacity.
                let ring = unsafe { &mut *ring };
                let room = word.len() < ring.slots();
                if room {
                    // SAFETY: there is room; `value` is as in our own contract.
                    unsafe { ring.push(word.len(), value) };
                }
                room
            });
        if pushed {
            locked.set(word.one_more());
        }
        pushed
    }

    /// Receives a buffered value if nobody is to be woken for it.
    ///
    /// # Safety
    /// `into` has room for a `T`; it holds one if the answer is true.
    #[inline]
    unsafe fn recv_quietly(&self, locked: &mut Locked<'_>, into: *mut T) -> bool {
        let word = locked.word();
        if !word.is_quiet_for_recv() {
            return false;
        }
        // SAFETY: the lock is held (I1), and a value is buffered.
        self.ring.with_mut(|ring| unsafe { (*ring).pop(word.len(), into) });
        locked.set(word.one_less());
        true
    }

    /// Sends if that is possible now.
    ///
    /// # Safety
    /// `from` points to a `T`, which is gone when the answer is [`Step::Done`].
    pub(crate) unsafe fn offer(&self, locked: &mut Locked<'_>, from: &Slot<T>) -> Step {
        if locked.word().is_closed() {
            return Step::Closed;
        }
        if let Some(receiver) = locked.take_waiter(Side::Receivers) {
            // SAFETY: a waiting receiver's slot is a `Slot<T>` with room for one, and ours until the wake (I4).
            let into = unsafe { &*receiver.slot.cast::<Slot<T>>() };
            // SAFETY: the two slots belong to different waiters.
            from.with(|from| into.with(|into| unsafe { ptr::copy_nonoverlapping(from, into, 1) }));
            return Step::Done(Some(receiver.ticket));
        }
        let word = locked.word();
        if word.len() >= self.core.capacity() {
            return Step::NotReady;
        }
        self.ring.with_mut(|ring| {
            // SAFETY: the lock is held (I1).
            let ring = unsafe { &mut *ring };
            if word.len() == ring.slots() {
                // SAFETY: the capacity allows more than there are slots: this ring grows.
                unsafe { ring.grow(word.len()) };
            }
            // SAFETY: there is room now.
            from.with(|from| unsafe { ring.push(word.len(), from) });
        });
        locked.set(word.one_more());
        Step::Done(None)
    }

    /// Receives if that is possible now.
    ///
    /// # Safety
    /// `into` has room for a `T`, and holds one when the answer is [`Step::Done`].
    #[inline]
    pub(crate) unsafe fn take(&self, locked: &mut Locked<'_>, into: &Slot<T>) -> Step {
        let word = locked.word();
        if word.len() == 0 {
            let Some(sender) = locked.take_waiter(Side::Senders) else {
                return if word.is_closed() { Step::Closed } else { Step::NotReady };
            };
            // SAFETY: a waiting sender's slot is a `Slot<T>` with a value, and ours until the wake (I4).
            let from = unsafe { &*sender.slot.cast::<Slot<T>>() };
            // SAFETY: the two slots belong to different waiters.
            from.with(|from| into.with(|into| unsafe { ptr::copy_nonoverlapping(from, into, 1) }));
            return Step::Done(Some(sender.ticket));
        }
        // SAFETY: the lock is held (I1), and a value is buffered.
        self.ring.with_mut(|ring| into.with(|into| unsafe { (*ring).pop(word.len(), into) }));
        if word.is_quiet_for_recv() {
            locked.set(word.one_less());
            return Step::Done(None);
        }
        // The place that became free is the first waiting sender's: nobody can get in before it.
        let Some(sender) = locked.take_waiter(Side::Senders) else {
            let word = locked.word();
            locked.set(word.one_less());
            return Step::Done(None);
        };
        // SAFETY: as above.
        let from = unsafe { &*sender.slot.cast::<Slot<T>>() };
        // SAFETY: the lock is held (I1), and one value fewer is in the ring than the word says.
        self.ring.with_mut(|ring| from.with(|from| unsafe { (*ring).push(word.len() - 1, from) }));
        Step::Done(Some(sender.ticket))
    }

    /// Sends the value at `value`, waiting with `wait` while it must.
    ///
    /// # Safety
    /// `value` is a `T`, which is gone when the answer is [`Ended::Done`].
    #[inline]
    pub(crate) unsafe fn send(&self, value: *mut T, wait: impl FnOnce(Ticket) -> Outcome) -> Ended {
        let mut locked = self.core.lock();
        // SAFETY: as our contract.
        if unsafe { self.send_quietly(&mut locked, value) } {
            return Ended::Done;
        }
        // SAFETY: as our contract.
        unsafe { self.send_slowly(locked, value, wait) }
    }

    /// # Safety
    /// As [`send`](Self::send).
    #[inline(never)]
    unsafe fn send_slowly(&self, mut locked: Locked<'_>, value: *mut T, wait: impl FnOnce(Ticket) -> Outcome) -> Ended {
        let slot = Slot::new(value);
        // SAFETY: `value` is a `T` by the contract of `send`.
        match unsafe { self.offer(&mut locked, &slot) } {
            Step::Done(Some(receiver)) => {
                // The wake is a read-modify-write.
                locked.unlock_lightly();
                receiver.wake();
                Ended::Done
            }
            Step::Done(None) => Ended::Done,
            Step::Closed => Ended::Closed,
            Step::NotReady => {
                let outcome = self.core.block(locked, Side::Senders, slot.erase(), wait);
                slot.reclaim();
                outcome.into()
            }
        }
    }

    /// Sends the value at `value` if that is possible now; [`Ended::TimedOut`] says that it is not.
    ///
    /// # Safety
    /// As [`send`](Self::send).
    #[inline]
    pub(crate) unsafe fn try_send(&self, value: *mut T) -> Ended {
        let word = self.core.look();
        if word.send_would_wait(self.core.capacity()) {
            return Ended::TimedOut;
        }
        let mut locked = self.core.lock();
        // SAFETY: as our contract.
        if unsafe { self.send_quietly(&mut locked, value) } {
            return Ended::Done;
        }
        // SAFETY: as our contract.
        let step = unsafe { self.offer(&mut locked, &Slot::new(value)) };
        drop(locked);
        ended(step)
    }

    /// Receives into `into`, waiting with `wait` while it must.
    ///
    /// # Safety
    /// `into` has room for a `T`, and holds one when the answer is [`Ended::Done`].
    #[inline]
    pub(crate) unsafe fn recv(&self, into: *mut T, wait: impl FnOnce(Ticket) -> Outcome) -> Ended {
        let mut locked = self.core.lock();
        // SAFETY: as our contract.
        if unsafe { self.recv_quietly(&mut locked, into) } {
            return Ended::Done;
        }
        // SAFETY: as our contract.
        unsafe { self.recv_slowly(locked, into, wait) }
    }

    /// # Safety
    /// As [`recv`](Self::recv).
    #[inline(never)]
    unsafe fn recv_slowly(&self, mut locked: Locked<'_>, into: *mut T, wait: impl FnOnce(Ticket) -> Outcome) -> Ended {
        let slot = Slot::new(into);
        // SAFETY: `into` has room for a `T` by the contract of `recv`.
        match unsafe { self.take(&mut locked, &slot) } {
            Step::Done(Some(sender)) => {
                // The wake is a read-modify-write.
                locked.unlock_lightly();
                sender.wake();
                Ended::Done
            }
            Step::Done(None) => Ended::Done,
            Step::Closed => Ended::Closed,
            Step::NotReady => {
                let outcome = self.core.block(locked, Side::Receivers, slot.erase(), wait);
                slot.reclaim();
                outcome.into()
            }
        }
    }

    /// Receives into `into` if that is possible now; [`Ended::TimedOut`] says that it is not.
    ///
    /// # Safety
    /// As [`recv`](Self::recv).
    #[inline]
    pub(crate) unsafe fn try_recv(&self, into: *mut T) -> Ended {
        // One word says both that nothing is there and whether it is closed (core, I1): a value sent before the
        // close can't slip between two looks.
        let word = self.core.look();
        if word.recv_would_wait() {
            return Ended::TimedOut;
        }
        if word.is_over() {
            return Ended::Closed;
        }
        let mut locked = self.core.lock();
        // SAFETY: as our contract.
        if unsafe { self.recv_quietly(&mut locked, into) } {
            return Ended::Done;
        }
        // SAFETY: as our contract.
        let step = unsafe { self.take(&mut locked, &Slot::new(into)) };
        drop(locked);
        ended(step)
    }

    /// Closes the channel; true for the one call that did.
    pub(crate) fn close(&self) -> bool {
        // The guard of the `let` is gone at its end: the waiters are woken after unlocking.
        let closed = self.core.lock().close();
        closed.map(|waiters| waiters.wake()).is_some()
    }

    /// Closes the channel for want of receivers, and takes out what nobody will receive.
    fn close_and_empty(&self) -> Values<T> {
        let mut locked = self.core.lock();
        let closed = locked.close();
        let len = locked.word().len();
        // SAFETY: the lock is held, and the word is put right below (I1).
        let values = self.ring.with_mut(|ring| unsafe { (*ring).take_all(len) });
        locked.forget_values();
        drop(locked);
        if let Some(waiters) = closed {
            waiters.wake();
        }
        values
    }

    pub(crate) fn add_handle(&self, side: Side) {
        // ORDERING: Relaxed, as in Arc: a new handle is made from one that keeps the channel.
        let before = self.handles(side).fetch_add(1, Ordering::Relaxed);
        // As in Arc: only a program that leaks handles comes here, and wrapping would free the channel under it.
        if before > isize::MAX as usize {
            std::process::abort();
        }
    }

    fn handles(&self, side: Side) -> &AtomicUsize {
        match side {
            Side::Senders => &self.senders,
            Side::Receivers => &self.receivers,
        }
    }

    /// Gives one handle of `side` up.
    ///
    /// # Safety
    /// The caller owns that handle, and does not use it again.
    #[inline]
    pub(crate) unsafe fn drop_handle(this: NonNull<Self>, side: Side) {
        // SAFETY: the handle that is given up keeps the channel so far (I2).
        let handles = unsafe { this.as_ref() }.handles(side);
        // ORDERING: Release publishes this handle's uses to the last one of its side; pairs with the load below.
        if handles.fetch_sub(1, Ordering::Release) == 1 {
            // ORDERING: Acquire pairs with the Release of every earlier handle of this side. (ThreadSanitizer would not
            // see a fence.)
            handles.load(Ordering::Acquire);
            // SAFETY: ours was the last handle of its side.
            unsafe { Self::side_gone(this, side) }
        }
    }

    /// # Safety
    /// The last handle of `side` was just given up.
    #[cold]
    unsafe fn side_gone(this: NonNull<Self>, side: Side) {
        /// Frees the channel if the other side has gone too; also when a value's destructor panics.
        struct Leave<T>(NonNull<Chan<T>>);
        impl<T> Drop for Leave<T> {
            fn drop(&mut self) {
                // SAFETY: this side has not said yet that it is gone (I2).
                let gone = unsafe { &self.0.as_ref().one_side_gone };
                // ORDERING: AcqRel; the first side releases its uses of the channel to the second, which frees it.
                if gone.swap(true, Ordering::AcqRel) {
                    // SAFETY: both sides are done with the channel (I2); it came from a Box in `new`.
                    let chan = unsafe { Box::from_raw(self.0.as_ptr()) };
                    // To free is to access, which loom does not see by itself.
                    chan.ring.with_mut(|_| {});
                }
            }
        }
        let leave = Leave(this);
        // SAFETY: the channel is there until `leave` is dropped (I2).
        let chan = unsafe { leave.0.as_ref() };
        match side {
            Side::Senders => {
                chan.close();
            }
            // The values are dropped with no lock held: a destructor may use this very channel, or panic.
            Side::Receivers => drop(chan.close_and_empty()),
        }
    }
}

/// Wakes who waited for an operation that is done; the channel must be unlocked: the woken takes its lock first
/// thing, and would find it taken.
#[inline]
pub(crate) fn wake(waiter: Option<Ticket>) {
    if let Some(ticket) = waiter {
        ticket.wake();
    }
}

/// The end of an operation that does not wait.
fn ended(step: Step) -> Ended {
    match step {
        Step::Done(waiter) => {
            wake(waiter);
            Ended::Done
        }
        Step::Closed => Ended::Closed,
        Step::NotReady => Ended::TimedOut,
    }
}
