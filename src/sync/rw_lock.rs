//! [`RwLock`]: the raw reader-writer lock with a value and a poison flag.
//!
//! # Invariants
//! 1. A read guard exists only while its maker is a reader inside `raw`, a write guard only while its maker is the
//!    writer inside; so while a write guard exists no other guard does.

use super::raw_rw_lock::RawRwLock;
use super::{LockResult, PoisonError, TryLockError, TryLockResult, poison};
use crate::primitives::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};

/// Many readers or one writer, with `std::sync::RwLock`'s signatures and poisoning; it parks the goroutine.
///
/// ```
/// use gaggle::sync::RwLock;
///
/// let lock = RwLock::new(vec![1, 2]);
/// {
///     let (a, b) = (lock.read().unwrap(), lock.read().unwrap());
///     assert_eq!(a.len() + b.len(), 4);
/// }
/// lock.write().unwrap().push(3);
/// assert_eq!(*lock.read().unwrap(), [1, 2, 3]);
/// ```
///
/// # Fairness
///
/// A writer that waits keeps new readers out; when a writer leaves, all readers that came meanwhile go before the
/// next writer. So neither side starves the other. Writers among themselves are served as by a
/// [`Mutex`](super::Mutex).
///
/// As with std's and Go's, a reader that reads again while a writer waits blocks for ever: the writer waits for its
/// first guard, and its second waits for the writer.
///
/// # Compared with Go
///
/// `sync.RWMutex`, with the value inside.
pub struct RwLock<T: ?Sized> {
    raw: RawRwLock,
    poison: poison::Flag,
    data: UnsafeCell<T>,
}

/// Sending the lock sends the value.
///
/// # Safety
/// Nothing in it is tied to a thread but, perhaps, the value: `T: Send`.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
/// Sharing the lock lets several parties read at once, and each in turn write.
///
/// # Safety
/// Hence `T: Sync` for the first and `T: Send` for the second (I1).
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T: ?Sized> UnwindSafe for RwLock<T> {}
impl<T: ?Sized> RefUnwindSafe for RwLock<T> {}

impl<T> RwLock<T> {
    const_unless_loom! {
        /// A free lock.
        ///
        /// ```
        /// static LIMITS: gaggle::sync::RwLock<(u32, u32)> = gaggle::sync::RwLock::new((1, 9));
        /// assert_eq!(LIMITS.read().unwrap().1, 9);
        /// ```
        pub const fn new(value: T) -> RwLock<T> {
            RwLock { raw: RawRwLock::new(), poison: poison::Flag::new(), data: UnsafeCell::new(value) }
        }
    }

    /// The value, without locking: nobody else can have the lock.
    ///
    /// # Errors
    /// If the lock is poisoned, the value comes inside the error.
    ///
    /// ```
    /// assert_eq!(gaggle::sync::RwLock::new(3).into_inner().unwrap(), 3);
    /// ```
    pub fn into_inner(self) -> LockResult<T> {
        let RwLock { poison, data, .. } = self;
        poison.wrap(data.into_inner())
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Locks for reading; the guard unlocks when it is dropped.
    ///
    /// # Blocking
    /// Parks while a writer is inside or waits.
    ///
    /// # Errors
    /// If a writer panicked, the guard comes inside the error.
    ///
    /// ```
    /// let lock = gaggle::sync::RwLock::new(1);
    /// assert_eq!(*lock.read().unwrap(), 1);
    /// ```
    #[inline]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.raw.read();
        self.read_guard()
    }

    /// Locks for reading if no writer is inside or waits.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if one does; [`TryLockError::Poisoned`] with the guard if a writer panicked.
    ///
    /// ```
    /// let lock = gaggle::sync::RwLock::new(1);
    /// let writer = lock.write().unwrap();
    /// assert!(lock.try_read().is_err());
    /// drop(writer);
    /// assert!(lock.try_read().is_ok());
    /// ```
    #[inline]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        if self.raw.try_read() { Ok(self.read_guard()?) } else { Err(TryLockError::WouldBlock) }
    }

    /// Locks for writing; the guard unlocks when it is dropped.
    ///
    /// # Blocking
    /// Parks while anybody is inside, and while writers wait that came before.
    ///
    /// # Errors
    /// If a writer panicked, the guard comes inside the error.
    ///
    /// ```
    /// let lock = gaggle::sync::RwLock::new(1);
    /// *lock.write().unwrap() = 2;
    /// assert_eq!(*lock.read().unwrap(), 2);
    /// ```
    #[inline]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.raw.write();
        self.write_guard()
    }

    /// Locks for writing if nobody is inside.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if somebody is; [`TryLockError::Poisoned`] with the guard if a writer panicked.
    ///
    /// ```
    /// let lock = gaggle::sync::RwLock::new(1);
    /// let reader = lock.read().unwrap();
    /// assert!(lock.try_write().is_err());
    /// drop(reader);
    /// assert!(lock.try_write().is_ok());
    /// ```
    #[inline]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        if self.raw.try_write() { Ok(self.write_guard()?) } else { Err(TryLockError::WouldBlock) }
    }

    /// Whether a writer has panicked.
    ///
    /// ```
    /// let lock = gaggle::sync::RwLock::new(1);
    /// assert!(!lock.is_poisoned());
    /// ```
    pub fn is_poisoned(&self) -> bool {
        self.poison.get()
    }

    /// Declares the value sound again.
    ///
    /// ```
    /// let lock = gaggle::sync::RwLock::new(1);
    /// std::thread::scope(|s| {
    ///     let _ = s.spawn(|| {
    ///         let _guard = lock.write().unwrap();
    ///         panic!("with the lock held");
    ///     }).join();
    /// });
    /// assert!(lock.read().is_err());
    /// lock.clear_poison();
    /// assert!(lock.read().is_ok());
    /// ```
    pub fn clear_poison(&self) {
        self.poison.clear();
    }

    /// The value, without locking: nobody else can have the lock.
    ///
    /// # Errors
    /// If the lock is poisoned, the reference comes inside the error.
    ///
    /// ```
    /// let mut lock = gaggle::sync::RwLock::new(1);
    /// *lock.get_mut().unwrap() = 2;
    /// assert_eq!(lock.into_inner().unwrap(), 2);
    /// ```
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let poisoned = self.poison.get();
        // SAFETY: `&mut self` excludes every guard, and lives as long as the reference.
        let data = self.data.with_mut(|data| unsafe { &mut *data });
        if poisoned { Err(PoisonError::new(data)) } else { Ok(data) }
    }

    /// The guard of a caller who has just got in as a reader.
    #[inline]
    fn read_guard(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.poison.wrap(RwLockReadGuard { lock: self, _not_send: PhantomData })
    }

    /// The guard of a caller who has just got in as the writer.
    #[inline]
    fn write_guard(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let witness = self.poison.witness();
        self.poison.wrap(RwLockWriteGuard { lock: self, witness, _not_send: PhantomData })
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_struct("RwLock");
        match self.try_read() {
            Ok(guard) => d.field("data", &&*guard),
            Err(TryLockError::Poisoned(error)) => d.field("data", &&**error.get_ref()),
            Err(TryLockError::WouldBlock) => d.field("data", &format_args!("<locked>")),
        };
        d.field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

/// Shared access to the value of a [`RwLock`]; dropping it unlocks.
///
/// ```
/// let lock = gaggle::sync::RwLock::new("a");
/// let guard = lock.read().unwrap();
/// assert_eq!(*guard, "a");
/// ```
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized + 'a> {
    lock: &'a RwLock<T>,
    _not_send: PhantomData<*mut ()>,
}

/// Exclusive access to the value of a [`RwLock`]; dropping it unlocks.
///
/// ```
/// let lock = gaggle::sync::RwLock::new(1);
/// let mut guard = lock.write().unwrap();
/// *guard += 1;
/// assert_eq!(*guard, 2);
/// ```
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized + 'a> {
    lock: &'a RwLock<T>,
    witness: poison::Witness,
    _not_send: PhantomData<*mut ()>,
}

/// Sharing the guard shares the value.
///
/// # Safety
/// `&RwLockReadGuard` gives `&T` and nothing else, which `T: Sync` allows.
unsafe impl<T: ?Sized + Sync> Sync for RwLockReadGuard<'_, T> {}
/// Sharing the guard shares the value.
///
/// # Safety
/// `&RwLockWriteGuard` gives `&T` and nothing else, which `T: Sync` allows.
unsafe impl<T: ?Sized + Sync> Sync for RwLockWriteGuard<'_, T> {}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Turns the guard into one for reading; no writer gets in between.
    ///
    /// ```
    /// use gaggle::sync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new(1);
    /// let mut guard = lock.write().unwrap();
    /// *guard = 2;
    /// let guard = RwLockWriteGuard::downgrade(guard);
    /// assert_eq!((*guard, *lock.read().unwrap()), (2, 2));
    /// ```
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        let lock = guard.lock;
        lock.poison.settle(guard.witness);
        mem::forget(guard);
        // SAFETY: the guard said that its owner is the writer inside (I1); it is gone, and a reader's is made.
        unsafe { lock.raw.downgrade() };
        RwLockReadGuard { lock, _not_send: PhantomData }
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: there is no write guard while this one exists (I1).
        self.lock.data.with(|data| unsafe { &*data })
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard is the only access (I1).
        self.lock.data.with(|data| unsafe { &*data })
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard is the only access (I1), and borrowed mutably.
        self.lock.data.with_mut(|data| unsafe { &mut *data })
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the guard says that its owner is a reader inside (I1).
        unsafe { self.lock.raw.read_unlock() };
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.poison.settle(self.witness);
        // SAFETY: the guard says that its owner is the writer inside (I1).
        unsafe { self.lock.raw.write_unlock() };
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
