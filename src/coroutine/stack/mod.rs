//! Owns stack memory: size classes, the stacks themselves, and what a goroutine carries about its own.
//!
//! # Invariants
//! 1. A [`Stack`] is the only owner of its slot; a slot belongs to one `Stack`, or is on one free list, never both.
//! 2. Slots are never unmapped. An address once inside a slot tells for ever which slot and class it belongs to.
//! 3. The lowest page of a slot is its guard: nothing but the guard's own upkeep reads or writes it.
//! 4. A [`StackState`] is touched only by whoever runs its goroutine, or owns it exclusively.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(gaggle_portable)))]
mod slots;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(gaggle_portable)))]
use slots as store;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(gaggle_portable))))]
pub(crate) mod generators;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(gaggle_portable))))]
use generators as store;

mod cache;
pub(crate) mod growth;
pub(crate) mod overflow;
mod state;

pub(crate) use cache::{Promises, StackCache};
pub(crate) use state::StackState;
#[cfg(gaggle_asan)]
pub(in crate::coroutine) use store::stack_around;
pub(crate) use store::{Stack, protection};

use crate::primitives::atomic::{AtomicUsize, Ordering};
use core::fmt;
use std::io;

/// The stack a goroutine gets when it asks for none.
pub(crate) const DEFAULT_STACK: usize = 256 << 10;
/// Number of size classes: 64 KiB, and each further one four times as large, up to [`MAX_STACK`].
pub(crate) const CLASSES: usize = 8;
/// The largest stack in one piece.
pub(crate) const MAX_STACK: usize = MIN_SLOT << (2 * (CLASSES - 1));
const MIN_SLOT: usize = 64 << 10;
const _: () = assert!(Class::DEFAULT.bytes() == DEFAULT_STACK);

/// A size class of stacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Class(u8);

impl Class {
    /// The class of [`DEFAULT_STACK`].
    pub(crate) const DEFAULT: Class = Class(1);

    pub(crate) fn all() -> impl Iterator<Item = Class> {
        (0..CLASSES as u8).map(Class)
    }

    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }

    /// The class with this [`index`](Self::index).
    pub(crate) const fn from_index(index: usize) -> Class {
        debug_assert!(index < CLASSES);
        Class(index as u8)
    }

    /// Bytes of a slot of this class, its guard page included.
    pub(crate) const fn bytes(self) -> usize {
        MIN_SLOT << (2 * self.0)
    }

    /// The class four times as large, or the largest.
    const fn next(self) -> Class {
        Class(if self.index() + 1 < CLASSES { self.0 + 1 } else { self.0 })
    }
}

/// The smallest class that holds `bytes`, guard page included.
///
/// # Errors
/// For 0 and for more than [`MAX_STACK`].
pub(crate) fn class_for(bytes: usize) -> Result<Class, StackError> {
    if bytes == 0 || bytes > MAX_STACK {
        return Err(StackError::BadSize { asked: bytes });
    }
    let holds = |class: &Class| class.bytes() >= bytes && class.bytes() >= 4 * store::page_size();
    Class::all().find(holds).ok_or(StackError::BadSize { asked: bytes })
}

/// Where a stack lies: it starts at `top` and may go down to `bottom`, below which is its guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) bottom: usize,
    pub(crate) top: usize,
}

/// What stops a goroutine that runs off its stack. The weaker ones are for kernels that lack the stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(gaggle_portable))),
    allow(dead_code, reason = "generators have one protection")
)]
pub(crate) enum Protection {
    /// A guard page kept in the page tables only (Linux 6.13): any number of them, in a handful of mappings.
    GuardInstall = 0,
    /// A guard page that is a mapping of its own: good for some 30,000 stacks.
    Mprotect = 1,
    /// No guard: the lowest page must still be blank when the goroutine parks. Overflow is found late, but found.
    Canary = 2,
}

/// Why a stack could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum StackError {
    /// A size of 0, or above the largest class.
    BadSize {
        /// The size asked for.
        asked: usize,
    },
    /// Address space or memory ran out.
    OutOfMemory {
        /// Bytes of the stack that could not be had.
        size: usize,
        /// The system's error number, 0 when there was none.
        errno: i32,
    },
}

impl fmt::Display for StackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BadSize { asked } => {
                write!(f, "a stack of {asked} bytes: the accepted range is 1 to {MAX_STACK}")
            }
            Self::OutOfMemory { size, errno: 0 } => write!(f, "no memory for a stack of {size} bytes"),
            Self::OutOfMemory { size, errno } => {
                write!(f, "no memory for a stack of {size} bytes: {}", io::Error::from_raw_os_error(errno))
            }
        }
    }
}

impl core::error::Error for StackError {}

impl From<StackError> for io::Error {
    fn from(error: StackError) -> Self {
        let kind = match error {
            StackError::BadSize { .. } => io::ErrorKind::InvalidInput,
            StackError::OutOfMemory { .. } => io::ErrorKind::OutOfMemory,
        };
        io::Error::new(kind, error)
    }
}

/// What all stacks take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Stacks that were ever made, in use or idle.
    pub(crate) count: usize,
    /// Bytes of memory that they hold: an estimate.
    pub(crate) resident: usize,
}

/// What all stacks take now.
pub(crate) fn usage() -> Usage {
    store::usage()
}

/// Gives some of the memory of idle stacks back to the system; false if there is none. For a thread that has nothing
/// else to do, in pieces of 0.1 ms.
pub(crate) fn scavenge() -> bool {
    store::scavenge()
}

impl Stack {
    /// A stack that comes from no worker's cache.
    ///
    /// # Errors
    /// When address space or memory ran out.
    pub(crate) fn fresh(class: Class) -> Result<Stack, StackError> {
        let mut one = Vec::with_capacity(1);
        store::take(class, 1, &mut one)?;
        Ok(one.pop().expect("the store answered with no stack"))
    }
}

static MAX_PER_GOROUTINE: AtomicUsize = AtomicUsize::new(1 << 30);

/// The most that one goroutine may use, segments included; beyond it growth is reported as overflow.
pub(crate) fn set_max_stack(bytes: usize) {
    // ORDERING: Relaxed; a setting, read anew at each growth; nothing is published through it.
    MAX_PER_GOROUTINE.store(bytes, Ordering::Relaxed);
}

/// See [`set_max_stack`].
pub(crate) fn max_stack() -> usize {
    // ORDERING: Relaxed; see `set_max_stack`.
    MAX_PER_GOROUTINE.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_what_was_asked() {
        // A class too small would overflow a goroutine that asked for the right size.
        assert_eq!(class_for(1).unwrap().bytes(), 64 << 10);
        assert_eq!(class_for(64 << 10).unwrap().bytes(), 64 << 10);
        assert_eq!(class_for((64 << 10) + 1).unwrap().bytes(), DEFAULT_STACK);
        assert_eq!(class_for(MAX_STACK).unwrap().bytes(), 1 << 30);
    }

    #[test]
    fn absurd_sizes_name_the_accepted_range() {
        // The message is all that a user with `stack = 0` gets to see.
        for asked in [0, MAX_STACK + 1, usize::MAX] {
            let error = class_for(asked).unwrap_err();
            let range = "the accepted range is 1 to 1073741824";
            assert_eq!(error.to_string(), format!("a stack of {asked} bytes: {range}"));
            assert_eq!(io::Error::from(error).kind(), io::ErrorKind::InvalidInput);
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod behaviour;
