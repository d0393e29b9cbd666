//! The body used in models: loom's types under the same names.

/// A static that each execution has anew: loom's types are not `const`.
#[cfg(test)]
pub(crate) use loom::lazy_static;
#[allow(unused_imports, reason = "both bodies export the same names")]
pub(crate) use loom::thread_local;

pub(crate) mod atomic {
    #[allow(unused_imports, reason = "both bodies export the same names")]
    pub(crate) use loom::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };
}

pub(crate) mod sync {
    pub(crate) use loom::sync::Arc;
}

pub(crate) mod hint {
    pub(crate) use loom::hint::spin_loop;
}

pub(crate) mod cell {
    pub(crate) use loom::cell::UnsafeCell;
}

/// The pair of fences, in the form that a model understands.
pub(crate) mod barrier {
    use super::atomic::{Ordering, fence};

    pub(crate) fn light() {
        // ORDERING: SeqCst; pairs with the fence in `heavy`.
        fence(Ordering::SeqCst);
    }

    #[must_use]
    pub(crate) fn heavy() -> bool {
        // ORDERING: SeqCst; pairs with the fence in `light`.
        fence(Ordering::SeqCst);
        true
    }
}

/// What a model does not see: the state of its checker, which no goroutine of it may touch.
pub(crate) mod unmodelled {
    pub(crate) use std::thread_local;
}

use super::LockRank;

/// loom's mutex under our name; ranks are checked by the std body only.
#[derive(Debug)]
pub(crate) struct Lock<T>(loom::sync::Mutex<T>);

pub(crate) type LockGuard<'a, T> = loom::sync::MutexGuard<'a, T>;

impl<T> Lock<T> {
    pub(crate) fn new(_rank: LockRank, value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> LockGuard<'_, T> {
        // A model that panics while it holds the lock has failed already.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The words behind it have models of their own, in `raw_lock`.
    pub(crate) fn unlock_lightly(guard: LockGuard<'_, T>) {
        drop(guard);
    }
}
