//! An intrusive singly linked FIFO list: items carry their own link, so queueing never allocates.
//!
//! # Invariants
//! 1. An item is in at most one list at a time, and who owns the list owns the links of its items.

use crate::primitives::cell::UnsafeCell;
use core::ptr::{self, NonNull};

/// An item with room for a link.
///
/// # Safety
/// `link` always returns the same cell, which nothing but the list that holds the item accesses.
pub(crate) unsafe trait Linked: Sized {
    fn link(&self) -> &UnsafeCell<*mut Self>;
}

/// See the module's page.
#[derive(Debug)]
pub(crate) struct List<T> {
    head: *mut T,
    tail: *mut T,
    len: usize,
}

// SAFETY: a list is a bag of pointers to items; moving it moves the right to their links (I1), no more.
unsafe impl<T: Sync> Send for List<T> {}

impl<T: Linked> List<T> {
    pub(crate) const fn new() -> Self {
        Self { head: ptr::null_mut(), tail: ptr::null_mut(), len: 0 }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The first item, or null. It stays in the list.
    #[cfg_attr(loom, allow(dead_code, reason = "the monitor's"))]
    pub(crate) fn front(&self) -> *mut T {
        self.head
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_null()
    }

    /// # Safety
    /// `item` is alive and in no list (I1).
    #[inline]
    pub(crate) unsafe fn push_back(&mut self, item: NonNull<T>) {
        let item = item.as_ptr();
        // SAFETY: the item is alive and its link ours (I1).
        unsafe { (*item).link().with_mut(|link| *link = ptr::null_mut()) };
        if self.tail.is_null() {
            self.head = item;
        } else {
            // SAFETY: the tail is in this list, so it is alive and its link ours (I1).
            unsafe { (*self.tail).link().with_mut(|link| *link = item) };
        }
        self.tail = item;
        self.len += 1;
    }

    /// # Safety
    /// `item` is alive and in no list (I1).
    #[inline]
    pub(crate) unsafe fn push_front(&mut self, item: NonNull<T>) {
        let item = item.as_ptr();
        let head = self.head;
        // SAFETY: the item is alive and its link ours (I1).
        unsafe { (*item).link().with_mut(|link| *link = head) };
        if self.tail.is_null() {
            self.tail = item;
        }
        self.head = item;
        self.len += 1;
    }

    #[inline]
    pub(crate) fn pop_front(&mut self) -> Option<NonNull<T>> {
        let item = NonNull::new(self.head)?;
        // SAFETY: the head is in this list, so it is alive and its link ours (I1).
        self.head = unsafe { item.as_ref().link().with(|link| *link) };
        if self.head.is_null() {
            self.tail = ptr::null_mut();
        }
        self.len -= 1;
        Some(item)
    }

    /// Moves all of `other` behind this list.
    pub(crate) fn append(&mut self, other: &mut Self) {
        if other.is_empty() {
            return;
        }
        if self.tail.is_null() {
            self.head = other.head;
        } else {
            // SAFETY: the tail is in this list, so it is alive and its link ours (I1).
            unsafe { (*self.tail).link().with_mut(|link| *link = other.head) };
        }
        self.tail = other.tail;
        self.len += other.len;
        *other = Self::new();
    }
}
