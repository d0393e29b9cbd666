//! Goroutines that borrow from the frame that starts them.
//!
//! # Invariants
//! 1. `running` counts the goroutines of the scope that have not ended and dropped all that they borrow. [`scope`]
//!    returns, or unwinds, only when it is zero.
//! 2. A goroutine's last access to the scope is the wake in `leave`, or, without one, its release of the lock.

use super::join::{Id, RawHandle};
use super::panic::ending;
use super::task::{Around, PanicPayload};
use super::{cannot_spawn, site_here, spawn_unchecked};
use crate::park::{Outcome, SpawnOptions, Ticket, WaitReason, begin_wait};
use crate::primitives::{Lock, LockRank};
use core::fmt;
use core::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

#[derive(Debug)]
struct State {
    running: usize,
    panicked: bool,
    owner: Option<Ticket>,
}

/// A scope in which goroutines may borrow; see [`scope`].
///
/// ```
/// use gaggle::go::Scope;
///
/// /// Adds both halves up at the same time.
/// fn sum<'scope>(s: &'scope Scope<'scope, '_>, numbers: &'scope [u64]) -> u64 {
///     let (left, right) = numbers.split_at(numbers.len() / 2);
///     let left = s.go(|| left.iter().sum::<u64>());
///     right.iter().sum::<u64>() + left.join().unwrap()
/// }
/// let numbers: Vec<_> = (1..=100).collect();
/// assert_eq!(gaggle::scope(|s| sum(s, &numbers)), 5050);
/// ```
pub struct Scope<'scope, 'env: 'scope> {
    state: Lock<State>,
    _scope: PhantomData<&'scope mut &'scope ()>,
    _env: PhantomData<&'env mut &'env ()>,
}

/// Calls `f` with a scope whose goroutines may borrow from the enclosing frame, and waits for all of them.
///
/// # Blocking
/// After `f` has returned, until every goroutine of the scope has ended.
///
/// # Panics
/// With the panic of `f`; or if a goroutine of the scope panicked and was not joined. One that called
/// [`exit`](super::exit) has not panicked.
///
/// # Compared with Go
/// A `WaitGroup` with the guarantee that nobody forgot to wait.
///
/// ```
/// let words = vec!["goroutines", "borrow", "too"];
/// let lengths = gaggle::scope(|s| {
///     let handles: Vec<_> = words.iter().map(|w| s.go(move || w.len())).collect();
///     handles.into_iter().map(|h| h.join().unwrap()).collect::<Vec<_>>()
/// });
/// assert_eq!(lengths, [10, 6, 3]);
/// ```
#[track_caller]
pub fn scope<'env, F, R>(f: F) -> R
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> R,
{
    let scope = Scope {
        state: Lock::new(LockRank::Sync, State { running: 0, panicked: false, owner: None }),
        _scope: PhantomData,
        _env: PhantomData,
    };
    let result = catch_unwind(AssertUnwindSafe(|| f(&scope)));
    scope.wait();
    match result {
        Err(payload) => resume_unwind(payload),
        Ok(_) if scope.state.lock().panicked => panic!("a scoped goroutine panicked"),
        Ok(value) => value,
    }
}

impl<'scope> Scope<'scope, '_> {
    /// Runs `f` in a new goroutine that ends before the scope does.
    ///
    /// # Panics
    /// If there is no address space left for its stack.
    #[track_caller]
    pub fn go<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.state.lock().running += 1;
        let member = Member { state: &self.state };
        // SAFETY: the scope waits for the goroutine, and for the drop of its result, before it ends (I1).
        match unsafe { spawn_unchecked(SpawnOptions::new(site_here()), f, member) } {
            Ok(spawned) => ScopedJoinHandle { raw: Some(RawHandle::new(spawned)), state: &self.state },
            Err(error) => {
                self.state.lock().running -= 1;
                cannot_spawn(&error)
            }
        }
    }

    fn wait(&self) {
        let mut state = self.state.lock();
        if state.running != 0 {
            let ticket = begin_wait();
            state.owner = Some(ticket);
            drop(state);
            ticket.wait(WaitReason::ScopeJoin);
        }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// A goroutine's membership in a scope.
struct Member<'scope> {
    state: &'scope Lock<State>,
}

impl Around for Member<'_> {
    fn before_end(&self, panic: Option<&PanicPayload>) {
        #[cfg(loom)]
        crate::park::model::scope_will_tell();
        ending(panic);
    }

    fn after_end(self, unhandled: bool) {
        let mut state = self.state.lock();
        state.panicked |= unhandled;
        state.running -= 1;
        let owner = if state.running == 0 { state.owner.take() } else { None };
        drop(state);
        // Wake after unlock: the woken owner frees the lock with its frame (I2).
        if let Some(ticket) = owner.filter(|owner| owner.claim(Outcome::selected(0))) {
            ticket.wake();
        }
    }
}

/// Owns the right to the result of a scoped goroutine. Dropping it leaves the wait to the scope's end.
///
/// ```
/// let word = String::from("goroutine");
/// let length = gaggle::scope(|s| {
///     let handle = s.go(|| word.len());
///     println!("goroutine {} has ended: {}", handle.id(), handle.is_finished());
///     handle.join().unwrap()
/// });
/// assert_eq!(length, 9);
/// ```
pub struct ScopedJoinHandle<'scope, T> {
    raw: Option<RawHandle<T>>,
    state: &'scope Lock<State>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Waits for the goroutine to end and returns its result; as [`JoinHandle::join`](super::JoinHandle::join).
    ///
    /// # Blocking
    /// Until the goroutine has ended.
    ///
    /// # Errors
    /// The payload of the panic that ended it.
    pub fn join(mut self) -> Result<T, Box<dyn core::any::Any + Send + 'static>> {
        match self.raw.take() {
            Some(raw) => raw.join(WaitReason::Join),
            None => unreachable!("only `join` and `drop` take the handle"),
        }
    }

    /// Whether the goroutine has ended. Never blocks.
    pub fn is_finished(&self) -> bool {
        self.raw.as_ref().is_some_and(|raw| raw.cell().is_done())
    }

    /// The goroutine's number.
    pub fn id(&self) -> Id {
        self.raw.as_ref().map_or(Id(0), RawHandle::id)
    }
}

impl<T> Drop for ScopedJoinHandle<'_, T> {
    fn drop(&mut self) {
        if self.raw.take().is_some_and(RawHandle::detach) {
            self.state.lock().panicked = true;
        }
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").field("is_finished", &self.is_finished()).finish_non_exhaustive()
    }
}
