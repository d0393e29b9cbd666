//! The queue of those who wait at one place: intrusive, first come first served, O(1) at every operation.
//!
//! # Invariants
//! 1. A queue and its nodes are accessed only under the lock of the primitive that owns the queue.
//! 2. A node is linked from `push_back` until `pop_front` or `remove`; its memory (on the waiter's stack) stays
//!    in place that long. The waiter unlinks its own node, under the lock, before its frame goes.
//! 3. `linked` says which of the two it is; `prev` and `next` mean something only while it is true.

use super::Ticket;
use crate::primitives::prefetch;
use core::ptr::{self, NonNull};

/// One party in one queue.
#[derive(Debug)]
pub(crate) struct WaitNode {
    /// The wait that a claim would end.
    pub(crate) ticket: Ticket,
    /// Which arm of the wait this is; goes into the outcome.
    pub(crate) arm: u32,
    /// Where the value is, or is to go: the winner of the claim owns it until it wakes the waiter.
    pub(crate) slot: *mut (),
    prev: *mut WaitNode,
    next: *mut WaitNode,
    linked: bool,
}

impl WaitNode {
    pub(crate) fn new(ticket: Ticket, arm: u32, slot: *mut ()) -> Self {
        Self { ticket, arm, slot, prev: ptr::null_mut(), next: ptr::null_mut(), linked: false }
    }

    /// Whether the node stands in a queue.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn is_linked(&self) -> bool {
        self.linked
    }
}

/// See the module's page.
#[derive(Debug)]
pub(crate) struct WaitQueue {
    head: *mut WaitNode,
    tail: *mut WaitNode,
    /// Where its object was made, for the report of a model.
    #[cfg(loom)]
    made: &'static core::panic::Location<'static>,
}

// SAFETY: the pointers are followed only under the owner's lock (I1), by whichever thread holds it.
unsafe impl Send for WaitQueue {}

impl WaitQueue {
    #[cfg_attr(loom, track_caller)]
    pub(crate) const fn new() -> Self {
        Self {
            head: ptr::null_mut(),
            tail: ptr::null_mut(),
            #[cfg(loom)]
            made: core::panic::Location::caller(),
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_null()
    }

    /// The first waiter, left in place.
    #[inline]
    pub(crate) fn front(&self) -> Option<NonNull<WaitNode>> {
        NonNull::new(self.head)
    }

    /// Appends `node`.
    ///
    /// # Safety
    /// The owner's lock is held (I1); the node is unlinked and stays in place until it is unlinked again (I2).
    #[inline]
    pub(crate) unsafe fn push_back(&mut self, node: *mut WaitNode) {
        // SAFETY: by the contract the node is ours to write, and so is the tail, which is linked (I1, I2).
        unsafe {
            debug_assert!(!(*node).linked, "runtime bug: node queued twice");
            (*node).prev = self.tail;
            (*node).next = ptr::null_mut();
            (*node).linked = true;
            if self.tail.is_null() {
                self.head = node;
            } else {
                (*self.tail).next = node;
            }
        }
        self.tail = node;
        // SAFETY: as above.
        #[cfg(loom)]
        unsafe { (*node).ticket }.stands_in_queue(self.made);
    }

    /// Takes the first waiter out.
    ///
    /// # Safety
    /// The owner's lock is held (I1).
    #[inline]
    pub(crate) unsafe fn pop_front(&mut self) -> Option<NonNull<WaitNode>> {
        let node = NonNull::new(self.head)?;
        // SAFETY: the head is linked, so its memory is in place (I2), and the lock is held (I1).
        unsafe { self.unlink(node.as_ptr()) };
        Some(node)
    }

    /// Takes `node` out if it is still in; says whether it was.
    ///
    /// # Safety
    /// The owner's lock is held (I1), and the node is linked in this queue or in none.
    #[inline]
    pub(crate) unsafe fn remove(&mut self, node: *mut WaitNode) -> bool {
        // SAFETY: by the contract we may access the node; while linked, its neighbours are in place (I2).
        unsafe {
            if !(*node).linked {
                return false;
            }
            self.unlink(node);
        }
        true
    }

    /// # Safety
    /// The owner's lock is held (I1) and the node is linked in this queue.
    unsafe fn unlink(&mut self, node: *mut WaitNode) {
        // SAFETY: the node is linked, so it and its neighbours are in place (I2), and ours to write (I1).
        unsafe {
            let (prev, next) = ((*node).prev, (*node).next);
            (*node).linked = false;
            if prev.is_null() {
                self.head = next;
            } else {
                (*prev).next = next;
            }
            if next.is_null() {
                self.tail = prev;
            } else {
                (*next).prev = prev;
            }
        }
    }
}

/// Brings the nodes of a long queue near while it is walked.
///
/// Each node lies on the stack of its waiter, and tells where the next one is only when it has arrived itself. But those
/// who were started one after the other, and came to wait in this order, lie one slot apart, shifted by as much as their
/// stacks' tops are: so from a node to the one eight further on it is as far as it was from the one eight before.
#[derive(Debug, Default)]
pub(crate) struct Course {
    past: [usize; 8],
    walked: usize,
}

impl Course {
    /// The walk has come to `node`.
    #[inline]
    pub(crate) fn approach_next(&mut self, node: NonNull<WaitNode>) {
        let here = node.addr().get();
        let before = core::mem::replace(&mut self.past[self.walked % 8], here);
        self.walked += 1;
        if before != 0 {
            prefetch(here.wrapping_add(here.wrapping_sub(before)));
        }
    }
}

#[cfg(all(test, not(loom)))]
#[path = "queue_tests.rs"]
mod tests;
