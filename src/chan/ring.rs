//! Where buffered values lie: a ring of a fixed size, or one that grows and shrinks (the unbounded channel).
//!
//! # Invariants
//! 1. `buffer` has `slots` places for a `T`, aligned; it is dangling when `slots` or the size of `T` is zero.
//! 2. With `len` values in the ring (the channel's word counts them), the places `head .. head + len`, wrapped
//!    at `slots`, are initialised and no others. `head < slots`, or both are zero. `len <= slots`.
//! 3. `shrink_at` is less than `slots`; zero in a ring of a fixed size.
//!
//! The ring does not know how many values it holds: that number is kept once, in the channel's word, and handed
//! in. Dropping a ring frees its memory only; values are dropped by [`Values`], outside the channel's lock.
//! No `T`, and no array of them, is ever made on the stack here: values move straight between their places.

use core::alloc::Layout;
use core::marker::PhantomData;
use core::mem;
use core::ptr::{self, NonNull};
use std::alloc::{alloc, dealloc, handle_alloc_error};

pub(crate) struct Ring<T> {
    buffer: NonNull<T>,
    slots: usize,
    head: usize,
    /// A receive that leaves this many values or fewer gives memory back.
    shrink_at: usize,
    _values: PhantomData<T>,
}

impl<T> Ring<T> {
    /// A growing ring is never smaller than this, once it has memory at all.
    const MIN_SLOTS: usize = match mem::size_of::<T>() {
        0..=64 => 16,
        65..=1024 => 4,
        _ => 1,
    };

    /// A ring without memory; the start of one that grows, and the whole of a rendezvous channel's.
    pub(crate) const fn empty() -> Self {
        let slots = if mem::size_of::<T>() == 0 { super::core::Word::MAX_LEN } else { 0 };
        Self { buffer: NonNull::dangling(), slots, head: 0, shrink_at: 0, _values: PhantomData }
    }

    /// A ring of `slots` places, all of them allocated now; `None` if there is not that much memory.
    pub(crate) fn fixed(slots: usize) -> Option<Self> {
        let layout = Layout::array::<T>(slots).ok()?;
        let buffer = if layout.size() == 0 {
            NonNull::dangling()
        } else {
            // SAFETY: the layout's size is not zero.
            NonNull::new(unsafe { alloc(layout) })?.cast()
        };
        Some(Self { buffer, slots, head: 0, shrink_at: 0, _values: PhantomData })
    }

    #[inline]
    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// The place of the value number `offset`, counted from the head.
    #[inline]
    fn place(&self, offset: usize) -> *mut T {
        let at = self.head + offset;
        let at = if at >= self.slots { at - self.slots } else { at };
        // SAFETY: head and offset are below `slots`, so `at` is too: within the allocation (I1, I2).
        unsafe { self.buffer.as_ptr().add(at) }
    }

    /// Moves the value at `from` to the tail.
    ///
    /// # Safety
    /// `len` values are in the ring, fewer than `slots`; `from` is a `T` that is the ring's from now on.
    #[inline]
    pub(crate) unsafe fn push(&mut self, len: usize, from: *const T) {
        // SAFETY: the place is free (I2) and ours; `from` is readable by our contract, and not in the ring.
        unsafe { ptr::copy_nonoverlapping(from, self.place(len), 1) }
    }

    /// Moves the value at the head to `into`.
    ///
    /// # Safety
    /// `len` values are in the ring, at least one; `into` has room for a `T`.
    #[inline]
    pub(crate) unsafe fn pop(&mut self, len: usize, into: *mut T) {
        // SAFETY: the head is initialised (I2), `into` is writable by our contract.
        unsafe { ptr::copy_nonoverlapping(self.place(0), into, 1) };
        self.head += 1;
        if self.head == self.slots {
            self.head = 0;
        }
        if len <= self.shrink_at {
            // SAFETY: one value fewer is in the ring now.
            unsafe { self.shrink(len - 1) };
        }
    }

    /// Doubles the room.
    ///
    /// # Safety
    /// `len` values are in the ring, and it is one that grows.
    #[cold]
    pub(crate) unsafe fn grow(&mut self, len: usize) {
        // SAFETY: as our contract; twice the room holds what half of it held.
        unsafe { self.resize(len, (self.slots * 2).max(Self::MIN_SLOTS)) }
    }

    /// Halves the room of a ring that is a quarter full: a burst's memory goes back as it is drained, and a ring
    /// that breathes around one size does not move its values at every breath.
    ///
    /// # Safety
    /// As [`grow`](Self::grow).
    #[cold]
    unsafe fn shrink(&mut self, len: usize) {
        // SAFETY: as our contract; `len` is at most a quarter of the room (I3).
        unsafe { self.resize(len, self.slots / 2) }
    }

    /// Moves the values to a buffer of `slots` places.
    ///
    /// # Safety
    /// `len` values are in the ring, no more than `slots`.
    unsafe fn resize(&mut self, len: usize, slots: usize) {
        let Some(mut next) = Self::fixed(slots) else {
            let layout = Layout::array::<T>(slots);
            handle_alloc_error(layout.unwrap_or_else(|_| panic!("unbounded channel: {slots} values do not fit")))
        };
        let first = len.min(self.slots - self.head);
        // SAFETY: the values lie in `head..` and, wrapped, from the start of the old buffer (I2); the new one has
        // room for them all.
        unsafe {
            let (old, new) = (self.buffer.as_ptr(), next.buffer.as_ptr());
            ptr::copy_nonoverlapping(old.add(self.head), new, first);
            ptr::copy_nonoverlapping(old, new.add(first), len - first);
        }
        next.shrink_at = if slots > Self::MIN_SLOTS { slots / 4 } else { 0 };
        // The old ring is dropped here: its memory only, the values have moved.
        *self = next;
    }

    /// Takes everything out, memory included.
    ///
    /// # Safety
    /// `len` values are in the ring; afterwards none are.
    pub(crate) unsafe fn take_all(&mut self, len: usize) -> Values<T> {
        Values { ring: mem::replace(self, Self::empty()), len }
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        if mem::size_of::<T>() != 0 && self.slots != 0 {
            let layout = Layout::array::<T>(self.slots).expect("runtime bug: a ring of impossible size");
            // SAFETY: allocated with this layout (I1), and nobody else frees it.
            unsafe { dealloc(self.buffer.as_ptr().cast(), layout) }
        }
    }
}

/// The values of a ring that nobody will receive; dropping it drops each of them once, whatever panics.
pub(crate) struct Values<T> {
    ring: Ring<T>,
    len: usize,
}

impl<T> Drop for Values<T> {
    fn drop(&mut self) {
        struct Rest<T>(*mut [T]);
        impl<T> Drop for Rest<T> {
            fn drop(&mut self) {
                // SAFETY: these values are initialised, and dropped nowhere else.
                unsafe { ptr::drop_in_place(self.0) }
            }
        }
        let buffer = self.ring.buffer.as_ptr();
        let first = self.len.min(self.ring.slots - self.ring.head);
        // A slice goes on dropping the others when one of its values panics, and `_wrapped` is dropped then too.
        let _wrapped = Rest(ptr::slice_from_raw_parts_mut(buffer, self.len - first));
        // SAFETY: `head` is within the buffer (I2).
        drop(Rest(ptr::slice_from_raw_parts_mut(unsafe { buffer.add(self.ring.head) }, first)));
    }
}
