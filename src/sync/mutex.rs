//! [`Mutex`]: the raw mutex with a value and a poison flag.
//!
//! # Invariants
//! 1. A guard exists only while its maker holds `raw`, and holds it until it is dropped; so a guard is the only
//!    access to `data` through `&Mutex`.

use super::raw_mutex::RawMutex;
use super::{LockResult, PoisonError, TryLockError, TryLockResult, poison};
use crate::park::WaitReason;
use crate::primitives::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};

/// A lock around a value, with `std::sync::Mutex`'s signatures and poisoning; it parks the goroutine.
///
/// ```
/// use gaggle::sync::Mutex;
///
/// static LOG: Mutex<Vec<&str>> = Mutex::new(Vec::new());
/// gaggle::go!({ LOG.lock().unwrap().push("a goroutine was here") }).join().unwrap();
/// std::thread::spawn(|| LOG.lock().unwrap().push("and a thread")).join().unwrap();
/// assert_eq!(*LOG.lock().unwrap(), ["a goroutine was here", "and a thread"]);
/// ```
///
/// # Fairness
///
/// A goroutine that is running may take a free lock although others wait for it: that is what makes a busy lock
/// fast. A waiter that has been overtaken for a millisecond is served next, and so are those behind it that have
/// waited as long: from then on the lock is handed over in the order of arrival.
///
/// # Compared with Go
///
/// `sync.Mutex`, with the same two modes. The value is inside, the unlock is the guard's drop, and a panic poisons.
/// As in Go, locking twice in one goroutine blocks for ever.
pub struct Mutex<T: ?Sized> {
    raw: RawMutex,
    poison: poison::Flag,
    data: UnsafeCell<T>,
}

/// Sending the mutex sends the value.
///
/// # Safety
/// Nothing in it is tied to a thread but, perhaps, the value: `T: Send`.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
/// Sharing the mutex lets every party, in turn, use the value mutably.
///
/// # Safety
/// One at a time (I1), so `T: Send` suffices.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T: ?Sized> UnwindSafe for Mutex<T> {}
impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

impl<T> Mutex<T> {
    const_unless_loom! {
        /// A free mutex.
        ///
        /// ```
        /// use gaggle::sync::Mutex;
        ///
        /// static COUNT: Mutex<u64> = Mutex::new(0);
        /// *COUNT.lock().unwrap() += 1;
        /// ```
        pub const fn new(value: T) -> Mutex<T> {
            Mutex { raw: RawMutex::new(), poison: poison::Flag::new(), data: UnsafeCell::new(value) }
        }
    }

    /// The value, without locking: nobody else can have the mutex.
    ///
    /// # Errors
    /// If the mutex is poisoned, the value comes inside the error.
    ///
    /// ```
    /// assert_eq!(gaggle::sync::Mutex::new(3).into_inner().unwrap(), 3);
    /// ```
    pub fn into_inner(self) -> LockResult<T> {
        let Mutex { poison, data, .. } = self;
        poison.wrap(data.into_inner())
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Locks; the guard unlocks when it is dropped.
    ///
    /// # Blocking
    /// Parks while another holds the lock; never returns if that is the caller itself.
    ///
    /// # Errors
    /// If a former holder panicked, the guard comes inside the error.
    ///
    /// ```
    /// use gaggle::sync::Mutex;
    ///
    /// let m = Mutex::new(1);
    /// *m.lock().unwrap() += 1;
    /// assert_eq!(*m.lock().unwrap(), 2);
    /// ```
    #[inline]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.raw.lock(WaitReason::MutexLock);
        self.guard()
    }

    /// Locks if nobody holds the lock, or has waited for it for long.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if it is held; [`TryLockError::Poisoned`] with the guard if a former holder
    /// panicked.
    ///
    /// ```
    /// use gaggle::sync::{Mutex, TryLockError};
    ///
    /// let m = Mutex::new(1);
    /// let guard = m.try_lock().unwrap();
    /// assert!(matches!(m.try_lock(), Err(TryLockError::WouldBlock)));
    /// drop(guard);
    /// assert!(m.try_lock().is_ok());
    /// ```
    #[inline]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        if self.raw.try_lock() { Ok(self.guard()?) } else { Err(TryLockError::WouldBlock) }
    }

    /// Whether a holder has panicked.
    ///
    /// ```
    /// use gaggle::sync::Mutex;
    ///
    /// let m = Mutex::new(1);
    /// std::thread::scope(|s| {
    ///     let _ = s.spawn(|| {
    ///         let _guard = m.lock().unwrap();
    ///         panic!("with the lock held");
    ///     }).join();
    /// });
    /// assert!(m.is_poisoned());
    /// m.clear_poison();
    /// assert!(m.lock().is_ok());
    /// ```
    pub fn is_poisoned(&self) -> bool {
        self.poison.get()
    }

    /// Declares the value sound again.
    ///
    /// ```
    /// let m = gaggle::sync::Mutex::new(1);
    /// m.clear_poison();
    /// assert!(!m.is_poisoned());
    /// ```
    pub fn clear_poison(&self) {
        self.poison.clear();
    }

    /// The value, without locking: nobody else can have the mutex.
    ///
    /// # Errors
    /// If the mutex is poisoned, the reference comes inside the error.
    ///
    /// ```
    /// let mut m = gaggle::sync::Mutex::new(1);
    /// *m.get_mut().unwrap() = 2;
    /// assert_eq!(*m.lock().unwrap(), 2);
    /// ```
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let poisoned = self.poison.get();
        // SAFETY: `&mut self` excludes every guard, and lives as long as the reference.
        let data = self.data.with_mut(|data| unsafe { &mut *data });
        if poisoned { Err(PoisonError::new(data)) } else { Ok(data) }
    }

    /// The guard of a caller who has just locked `raw`.
    #[inline]
    fn guard(&self) -> LockResult<MutexGuard<'_, T>> {
        let witness = self.poison.witness();
        self.poison.wrap(MutexGuard { mutex: self, witness, _not_send: PhantomData })
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_struct("Mutex");
        match self.try_lock() {
            Ok(guard) => d.field("data", &&*guard),
            Err(TryLockError::Poisoned(error)) => d.field("data", &&**error.get_ref()),
            Err(TryLockError::WouldBlock) => d.field("data", &format_args!("<locked>")),
        };
        d.field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

/// Access to the value of a [`Mutex`]; dropping it unlocks.
///
/// As std's it is not `Send`, and `Sync` if the value is. It may be held across anything that parks: a goroutine
/// takes what is on its stack along.
///
/// ```
/// let m = gaggle::sync::Mutex::new(String::from("a"));
/// let mut guard = m.lock().unwrap();
/// guard.push('b');
/// assert_eq!(*guard, "ab");
/// ```
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized + 'a> {
    mutex: &'a Mutex<T>,
    witness: poison::Witness,
    _not_send: PhantomData<*mut ()>,
}

/// Sharing the guard shares the value.
///
/// # Safety
/// `&MutexGuard` gives `&T` and nothing else, which `T: Sync` allows.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Unlocks, calls `wait`, and locks again: what a condition variable does with a guard.
    pub(super) fn unlocked(guard: Self, wait: impl FnOnce()) -> LockResult<Self> {
        let mutex = guard.mutex;
        // SAFETY: the guard exists, so we hold the mutex (I1); nothing can look through it while we have it by
        // value, and the mutex is held again before it is given back. `wait` does not unwind: it only parks.
        unsafe { mutex.raw.unlock() };
        wait();
        mutex.raw.lock(WaitReason::MutexLock);
        mutex.poison.wrap(guard)
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard is the only access (I1), borrowed for as long as the reference lives.
        self.mutex.data.with(|data| unsafe { &*data })
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard is the only access (I1), borrowed mutably for as long as the reference lives.
        self.mutex.data.with_mut(|data| unsafe { &mut *data })
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.poison.settle(self.witness);
        // SAFETY: the guard exists, so its owner holds the mutex (I1).
        unsafe { self.mutex.raw.unlock() };
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
