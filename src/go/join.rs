//! The handle of a goroutine: wait for it, or let it go.

use super::task::{Ended, TaskCell};
use crate::park::{Spawned, WaitReason};
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;

/// The number of a goroutine: 1 is the one of `main`; none is used twice.
///
/// ```
/// let (one, other) = (gaggle::spawn(|| ()), gaggle::spawn(|| ()));
/// assert_ne!(one.id(), other.id());
/// println!("goroutine {} was told apart from {}", one.id(), other.id().get());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub(crate) u64);

impl Id {
    /// The number itself.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.0)
    }
}

/// Owns the right to the result of a goroutine. Dropping it detaches the goroutine, which goes on.
///
/// ```
/// let sum = gaggle::spawn(|| (1..=100).sum::<u32>());
/// assert_eq!(sum.join().unwrap(), 5050);
/// ```
pub struct JoinHandle<T> {
    raw: RawHandle<T>,
}

impl<T> JoinHandle<T> {
    pub(super) fn new(spawned: Spawned) -> Self {
        Self { raw: RawHandle { spawned: ManuallyDrop::new(spawned), _result: PhantomData } }
    }

    /// Waits for the goroutine to end and returns its result.
    ///
    /// # Blocking
    /// Parks the calling goroutine, or blocks the calling thread, until the goroutine has ended.
    ///
    /// # Errors
    /// The payload of the panic that ended it; an [`Exited`](super::Exited) if it called
    /// [`exit`](crate::go::exit).
    ///
    /// # Compared with Go
    /// Go has no join: there a channel or a `WaitGroup` says that a goroutine is done. Both work here too.
    ///
    /// ```
    /// let broken = gaggle::spawn(|| { if true { panic!("oh") } });
    /// assert_eq!(broken.join().unwrap_err().downcast_ref(), Some(&"oh"));
    /// ```
    pub fn join(self) -> Result<T, Box<dyn core::any::Any + Send + 'static>> {
        self.raw.join(WaitReason::Join)
    }

    /// Whether the goroutine has ended. Never blocks.
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan::<()>(0);
    /// let waiter = gaggle::spawn(move || { rx.recv(); });
    /// assert!(!waiter.is_finished());
    /// tx.close();
    /// waiter.join().unwrap();
    /// ```
    pub fn is_finished(&self) -> bool {
        self.raw.cell().is_done()
    }

    /// The goroutine's number.
    ///
    /// ```
    /// let (a, b) = (gaggle::spawn(|| ()), gaggle::spawn(|| ()));
    /// assert_ne!(a.id(), b.id());
    /// ```
    pub fn id(&self) -> Id {
        self.raw.id()
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("id", &self.id()).field("is_finished", &self.is_finished()).finish()
    }
}

/// What [`JoinHandle`] and the handle of a scope have in common: exactly one of `join`, `detach` or a drop.
pub(super) struct RawHandle<T> {
    spawned: ManuallyDrop<Spawned>,
    _result: PhantomData<fn() -> T>,
}

// SAFETY: the handle is the right to a result of type `T`, to be taken on whatever thread it is on.
unsafe impl<T: Send> Send for RawHandle<T> {}
// SAFETY: `&RawHandle` gives no access to the result.
unsafe impl<T: Send> Sync for RawHandle<T> {}

impl<T> RawHandle<T> {
    pub(super) fn new(spawned: Spawned) -> Self {
        Self { spawned: ManuallyDrop::new(spawned), _result: PhantomData }
    }

    pub(super) fn cell(&self) -> &TaskCell {
        // SAFETY: the cell was written before the goroutine was started, and lives as long as our reference.
        unsafe { &*self.spawned.payload().cast::<TaskCell>() }
    }

    pub(super) fn id(&self) -> Id {
        Id(self.spawned.id())
    }

    pub(super) fn join(self, reason: WaitReason) -> Ended<T> {
        let mut this = ManuallyDrop::new(self);
        #[cfg(loom)]
        this.spawned.begin_join();
        // SAFETY: the handle's side, and for once: `this` is not dropped. `T` is the type it was made with.
        let ended = unsafe { this.cell().join::<T>(reason) };
        #[cfg(loom)]
        Spawned::end_join();
        // SAFETY: not used again.
        unsafe { ManuallyDrop::drop(&mut this.spawned) };
        ended
    }

    /// Gives the result up; true if it was there already, and a panic.
    pub(super) fn detach(self) -> bool {
        let mut this = ManuallyDrop::new(self);
        this.release()
    }

    fn release(&mut self) -> bool {
        // Held until the end, and given back as well if the destructor of the result panics.
        // SAFETY: not used again: the callers never use the handle again.
        let spawned = unsafe { ManuallyDrop::take(&mut self.spawned) };
        let cell = spawned.payload().cast::<TaskCell>();
        // SAFETY: the cell lives as long as our reference. It is the handle's side, and for once.
        unsafe { (*cell).detach::<T>() }
    }
}

impl<T> Drop for RawHandle<T> {
    fn drop(&mut self) {
        self.release();
    }
}
