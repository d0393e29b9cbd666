//! [`Group`]: goroutines that do one piece of work, of which the first error is told.
//!
//! # Invariants
//! 1. `active` counts the members that have been let in and have not told their end; each of them tells it once, also
//!    when it panics or could not be started.
//!
//! # Locking
//! `state`: a [`Mutex`] of goroutines, which is not held while a member runs or anything of a user's is dropped.

use super::{CancelFn, Context, with_cancel};
use crate::go::{Exited, site_here, spawn_at};
use crate::primitives::sync::Arc;
use crate::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use core::any::Any;
use core::fmt;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind, resume_unwind};

type Payload = Box<dyn Any + Send>;

/// Goroutines that work on one thing: [`wait`](Self::wait) waits for all, and says the first error. A clone is another
/// handle to the same group.
///
/// ```
/// use gaggle::sync::Group;
///
/// let group = Group::new();
/// for word in ["1", "2", "three", "4"] {
///     group.go(move || word.parse::<u32>().map(drop));
/// }
/// assert!(group.wait().is_err());
/// ```
///
/// # Compared with Go
/// `x/sync/errgroup.Group`.
pub struct Group<E> {
    inner: Arc<Inner<E>>,
}

struct Inner<E> {
    state: Mutex<State<E>>,
    /// Somebody has left: room below the limit, or nobody there any more.
    left: Condvar,
    cancel: Option<CancelFn>,
}

struct State<E> {
    active: usize,
    limit: Option<usize>,
    error: Option<E>,
    panic: Option<Payload>,
}

impl<E: Send + 'static> Group<E> {
    /// A group without a context and without a limit.
    ///
    /// ```
    /// let group = gaggle::sync::Group::<String>::new();
    /// assert_eq!(group.wait(), Ok(()));
    /// ```
    pub fn new() -> Self {
        Self::with(None)
    }

    /// A group, and a context under `parent` that is done at the first error or panic, and when `wait` returns.
    ///
    /// # Compared with Go
    /// `errgroup.WithContext`; there a panic does not cancel. An `E` is no `Error`, so it is not the context's cause.
    ///
    /// ```
    /// use gaggle::context::background;
    /// use gaggle::sync::Group;
    ///
    /// let (group, ctx) = Group::with_context(&background());
    /// group.go(move || { ctx.done().recv(); Ok(()) });
    /// group.go(|| Err("no such page"));
    /// assert_eq!(group.wait(), Err("no such page"));
    /// ```
    pub fn with_context(parent: &Context) -> (Self, Context) {
        let (ctx, cancel) = with_cancel(parent);
        (Self::with(Some(cancel)), ctx)
    }

    fn with(cancel: Option<CancelFn>) -> Self {
        let state = Mutex::new(State { active: 0, limit: None, error: None, panic: None });
        Self { inner: Arc::new(Inner { state, left: Condvar::new(), cancel }) }
    }

    /// Runs `f` in a new goroutine, once there is room for it. Members may add members.
    ///
    /// # Blocking
    /// Parks while as many members run as [`set_limit`](Self::set_limit) allows: with a limit of 0, for ever.
    ///
    /// # Panics
    /// If there is no address space left for a stack.
    ///
    /// ```
    /// let group = gaggle::sync::Group::new();
    /// group.go(|| Err(5));
    /// assert_eq!(group.wait(), Err(5));
    /// ```
    #[track_caller]
    pub fn go<F: FnOnce() -> Result<(), E> + Send + 'static>(&self, f: F) {
        let site = site_here();
        let mut state = self.inner.lock();
        while state.is_full() {
            state = self.inner.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.active += 1;
        drop(state);
        let member = Member::of(self);
        spawn_at(site, move || member.run(f));
    }

    /// Runs `f` in a new goroutine if there is room for it: false if not.
    ///
    /// # Panics
    /// If there is no address space left for a stack.
    ///
    /// ```
    /// let group = gaggle::sync::Group::<()>::new();
    /// group.set_limit(0);
    /// assert!(!group.try_go(|| Ok(())));
    /// ```
    #[track_caller]
    pub fn try_go<F: FnOnce() -> Result<(), E> + Send + 'static>(&self, f: F) -> bool {
        let site = site_here();
        let mut state = self.inner.lock();
        if state.is_full() {
            return false;
        }
        state.active += 1;
        drop(state);
        let member = Member::of(self);
        spawn_at(site, move || member.run(f));
        true
    }

    /// Waits for all members, and ends the group's context.
    ///
    /// # Blocking
    /// Parks while members run.
    ///
    /// # Errors
    /// The first one that a member returned. It is handed out once; the group may be used again.
    ///
    /// # Panics
    /// If a member panicked: with the payload of the first one that did, once all have ended. One that calls
    /// [`exit`](crate::runtime::exit) has not failed.
    ///
    /// ```
    /// let group = gaggle::sync::Group::<()>::new();
    /// group.go(|| panic!("oh"));
    /// let payload = std::panic::catch_unwind(|| group.wait()).unwrap_err();
    /// assert_eq!(payload.downcast_ref(), Some(&"oh"));
    /// ```
    pub fn wait(&self) -> Result<(), E> {
        let mut state = self.inner.lock();
        while state.active > 0 {
            state = self.inner.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let (error, panic) = (state.error.take(), state.panic.take());
        drop(state);
        self.inner.cancel();
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
        error.map_or(Ok(()), Err)
    }

    /// Lets no more than `limit` members run at once.
    ///
    /// # Panics
    /// If members are running.
    ///
    /// ```
    /// let group = gaggle::sync::Group::<()>::new();
    /// group.set_limit(2);
    /// for _ in 0..10 {
    ///     group.go(|| Ok(()));
    /// }
    /// group.wait().unwrap();
    /// ```
    #[track_caller]
    pub fn set_limit(&self, limit: usize) {
        let mut state = self.inner.lock();
        let active = state.active;
        if active == 0 {
            state.limit = Some(limit);
        }
        drop(state);
        assert!(active == 0, "errgroup: modify limit while {active} goroutines in the group are still active");
    }
}

impl<E> State<E> {
    fn is_full(&self) -> bool {
        self.limit.is_some_and(|limit| self.active >= limit)
    }
}

impl<E> Inner<E> {
    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cancel(&self) {
        if let Some(cancel) = &self.cancel {
            cancel();
        }
    }
}

/// One that was let in: its drop tells that it has left (I1).
struct Member<E>(Arc<Inner<E>>);

impl<E> Member<E> {
    fn of(group: &Group<E>) -> Self {
        Member(group.inner.clone())
    }

    fn run(self, f: impl FnOnce() -> Result<(), E>) {
        // What is not the first is dropped here, without the lock.
        match catch_unwind(AssertUnwindSafe(f)) {
            Ok(Ok(())) => {}
            // It has ended its own goroutine, not that of the one who waits.
            Err(payload) if payload.is::<Exited>() => {}
            Ok(Err(error)) => drop(self.keep(|state| &mut state.error, error)),
            Err(payload) => drop(self.keep(|state| &mut state.panic, payload)),
        }
    }

    /// Keeps what came first, and ends the context; gives back what came later.
    fn keep<V>(&self, place: impl FnOnce(&mut State<E>) -> &mut Option<V>, value: V) -> Option<V> {
        let mut state = self.0.lock();
        let place = place(&mut state);
        if place.is_some() {
            return Some(value);
        }
        *place = Some(value);
        drop(state);
        self.0.cancel();
        None
    }
}

impl<E> Drop for Member<E> {
    fn drop(&mut self) {
        self.0.lock().active -= 1;
        self.0.left.notify_all();
    }
}

impl<E> Clone for Group<E> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<E: Send + 'static> Default for Group<E> {
    fn default() -> Self {
        Self::new()
    }
}

// A panic cannot leave it half changed: no user code runs under its lock.
impl<E> UnwindSafe for Group<E> {}
impl<E> RefUnwindSafe for Group<E> {}

impl<E> fmt::Debug for Group<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").finish_non_exhaustive()
    }
}
