//! Native stacks: slots cut from a few large reservations.
//!
//! The store's contract, which `../generators.rs` fulfils on the portable back end: `Stack`, `protection`, `page_size`,
//! `promise` and `release_promise` (room for stacks to be taken later), `take` (some stacks of a class), `give`
//! (stacks that nobody wants hot), `discard_deep` (what deep use left behind), `discard_spent` (the same of a
//! segment), `give_segment` (one that its goroutine is done with), `scavenge` (memory that nobody needs),
//! `is_overflow` (of a memory fault), `usage` (what all stacks take).

mod arena;
mod guard;
mod regions;
mod surplus;
mod usage;

pub(super) use crate::platform::memory::page_size;
pub(super) use arena::{discard_deep, discard_spent, give, give_segment, promise, release_promise, scavenge, take};
pub(crate) use guard::protection;
pub(super) use usage::usage;

use super::{Bounds, Class, Protection, StackError};
use core::num::NonZeroUsize;
use std::io;

/// How far below its slot the stack pointer of an overflowing frame may be: code without stack probes moves it first.
const OVERSHOOT: usize = 64 << 10;
const CLASS_MASK: usize = 0xf;
const PROTECTION_SHIFT: usize = 4;
const PROTECTION_MASK: usize = 0x3 << PROTECTION_SHIFT;

impl StackError {
    fn out_of_memory(class: Class, error: &io::Error) -> Self {
        Self::OutOfMemory { size: class.bytes(), errno: error.raw_os_error().unwrap_or(0) }
    }
}

/// One owned slot. Dropping it gives the slot back to the arena.
///
/// The address of the slot with class and protection in the low bits, which a page-aligned address leaves free:
/// a million idle stacks are a list of a million words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stack(NonZeroUsize);

impl Stack {
    /// # Safety
    /// The slot at `start` is guarded by `protection`, and the caller owns it (I1 of the parent).
    unsafe fn from_slot(start: usize, class: Class, protection: Protection) -> Stack {
        debug_assert_eq!(start & (CLASS_MASK | PROTECTION_MASK), 0);
        let word = start | class.index() | (protection as usize) << PROTECTION_SHIFT;
        Stack(NonZeroUsize::new(word).expect("a mapping at address 0"))
    }

    #[inline]
    fn start(&self) -> usize {
        self.0.get() & !(CLASS_MASK | PROTECTION_MASK)
    }

    /// The room for frames: the slot without its guard page.
    #[inline]
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds { bottom: self.start() + page_size(), top: self.start() + self.size() }
    }

    #[inline]
    pub(crate) fn class(&self) -> Class {
        Class((self.0.get() & CLASS_MASK) as u8)
    }

    /// Bytes of the slot, its guard page included.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        self.class().bytes()
    }

    /// How this very stack is protected.
    #[inline]
    pub(crate) fn protection(&self) -> Protection {
        match (self.0.get() & PROTECTION_MASK) >> PROTECTION_SHIFT {
            0 => Protection::GuardInstall,
            1 => Protection::Mprotect,
            _ => Protection::Canary,
        }
    }

    /// Whether its guard is an entry in the page tables, as its neighbours' then are: no mapping ends between them, and
    /// the guards survive when memory is given back around them.
    fn is_guarded_alike(&self) -> bool {
        self.protection() == Protection::GuardInstall
    }

    /// False once a stack without a guard was overrun.
    pub(super) fn is_intact(&self) -> bool {
        // SAFETY: the slot is ours (I1 of the parent), and without a guard its lowest page is readable.
        self.protection() != Protection::Canary || unsafe { guard::is_blank(self.start()) }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // The word is copied, and the copy goes on a free list: this owner ends here (I1 of the parent).
        give(vec![Stack(self.0)]);
    }
}

/// Whether a fault at `address` by code whose stack pointer was `sp` hit the guard of the stack it ran on.
///
/// Async-signal-safe.
pub(super) fn is_overflow(address: usize, sp: usize) -> bool {
    regions::find(address).is_some_and(|slot| {
        let in_guard = address < slot.start + page_size();
        let end = slot.start + slot.class.bytes();
        in_guard && (slot.start.saturating_sub(OVERSHOOT)..=end).contains(&sp)
    })
}

/// The stack that `address` lies in, be it a slot's or the calling thread's own.
#[cfg(gaggle_asan)]
pub(in crate::coroutine) fn stack_around(address: usize) -> Option<Bounds> {
    match regions::find(address) {
        Some(slot) => Some(Bounds { bottom: slot.start + page_size(), top: slot.start + slot.class.bytes() }),
        None => crate::platform::memory::thread_stack().map(|(bottom, top)| Bounds { bottom, top }),
    }
}

#[cfg(test)]
mod tests;
