//! Waiters that were claimed under a lock and are to be woken after it: no allocation, however many.
//!
//! # Invariants
//! 1. Every node in the list was claimed by the list's owner and is in no queue. Its sleeper cannot return before
//!    it is woken, so the node's memory stays in place, and its `slot` is ours: it is the link to the next node.
//! 2. The list wakes each node once, in order, at the latest when it is dropped; it must be dropped after the lock.

use crate::park::{Outcome, WaitNode, WaitQueue};
use core::ptr::{self, NonNull};

/// See the module's page.
#[must_use = "dropping it wakes the waiters: unlock first"]
#[derive(Debug)]
pub(super) struct WakeList {
    head: *mut WaitNode,
    tail: *mut WaitNode,
}

impl WakeList {
    pub(super) const fn new() -> Self {
        Self { head: ptr::null_mut(), tail: ptr::null_mut() }
    }

    /// Takes the first waiter out of `queue`, if there is one; says whether it could be claimed. One whose wait was
    /// ended by its deadline could not: it will find itself unlinked.
    ///
    /// # Safety
    /// The lock that guards `queue` is held.
    pub(super) unsafe fn take_front(&mut self, queue: &mut WaitQueue, outcome: Outcome) -> Option<bool> {
        // SAFETY: the lock is held, by the contract.
        let node = unsafe { queue.pop_front() }?;
        // SAFETY: a waiter gives its node up under the lock that we hold, so it is in place.
        let ticket = unsafe { node.as_ref().ticket };
        let claimed = ticket.claim(outcome);
        if claimed {
            self.append(node);
        }
        Some(claimed)
    }

    /// Claims the first waiter of `queue` that can be claimed; false if there is none.
    ///
    /// # Safety
    /// The lock that guards `queue` is held.
    pub(super) unsafe fn claim_front(&mut self, queue: &mut WaitQueue, outcome: Outcome) -> bool {
        loop {
            // SAFETY: the lock is held, by the contract.
            match unsafe { self.take_front(queue, outcome) } {
                Some(false) => {}
                Some(true) => return true,
                None => return false,
            }
        }
    }

    /// Takes and claims all waiters of `queue`.
    ///
    /// # Safety
    /// The lock that guards `queue` is held.
    pub(super) unsafe fn claim_all(&mut self, queue: &mut WaitQueue, outcome: Outcome) {
        // SAFETY: the lock is held, by the contract.
        while unsafe { self.claim_front(queue, outcome) } {}
    }

    fn append(&mut self, node: NonNull<WaitNode>) {
        let node = node.as_ptr();
        // SAFETY: both nodes are claimed and not yet woken, so they are in place and their slots are ours (I1).
        unsafe {
            (*node).slot = ptr::null_mut();
            if self.tail.is_null() {
                self.head = node;
            } else {
                (*self.tail).slot = node.cast();
            }
        }
        self.tail = node;
    }
}

impl Drop for WakeList {
    fn drop(&mut self) {
        while !self.head.is_null() {
            let node = self.head;
            // SAFETY: not yet woken, so in place (I1); both fields are read before the wake, the last touch.
            let ticket = unsafe {
                self.head = (*node).slot.cast();
                (*node).ticket
            };
            ticket.wake();
        }
    }
}
