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

    /// Takes the first waiter out of `queue` and claims it; false if the queue was empty. A waiter whose wait was
    /// ended by its deadline is skipped: it finds itself unlinked.
    ///
    /// # Safety
    /// The lock that guards `queue` is held.
    pub(super) unsafe fn claim_front(&mut self, queue: &mut WaitQueue, outcome: Outcome) -> bool {
        // SAFETY: the lock is held, by the contract.
        while let Some(node) = unsafe { queue.pop_front() } {
            // SAFETY: the waiter unlinks or forgets its node under the lock that we hold, so it is in place.
            let ticket = unsafe { node.as_ref().ticket };
            if ticket.claim(outcome) {
                self.append(node);
                return true;
            }
        }
        false
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
