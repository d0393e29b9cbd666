//! [`Once`]: one run of a closure, however many ask for it.
//!
//! # Invariants
//! 1. The phase goes INCOMPLETE or POISONED -> RUNNING -> COMPLETE or POISONED; COMPLETE is final. Whoever moved it
//!    to RUNNING runs the closure and moves it on, also when the closure panics.
//! 2. QUEUED is set, under the queue's lock, by a waiter that saw a phase to wait for in the same compare-and-swap,
//!    before it queues. The step out of RUNNING clears it, and then wakes everybody in the queue; the woken look
//!    again, so it does not matter if they belong to a later run.
//!
//! # Locking
//! `waiters`: guarded by its lock (rank Sync). Waiters are woken after it is released.

use super::wake_list::WakeList;
use crate::park::{Outcome, WaitNode, WaitQueue, WaitReason, begin_wait};
use crate::primitives::atomic::{AtomicU32, Ordering};
use crate::primitives::{Lock, LockRank};
use core::{fmt, ptr};
use std::panic::{RefUnwindSafe, UnwindSafe};

const INCOMPLETE: u32 = 0;
const POISONED: u32 = 1;
const RUNNING: u32 = 2;
const COMPLETE: u32 = 3;
const PHASE: u32 = 3;
const QUEUED: u32 = 4;

const POISON_MESSAGE: &str = "Once instance has previously been poisoned";

/// Runs a closure once, with `std::sync::Once`'s signatures and poisoning; the others park until it is done.
///
/// ```
/// use gaggle::sync::Once;
///
/// static START: Once = Once::new();
/// let starts = std::sync::atomic::AtomicUsize::new(0);
/// std::thread::scope(|s| {
///     for _ in 0..3 {
///         s.spawn(|| START.call_once(|| { starts.fetch_add(1, std::sync::atomic::Ordering::Relaxed); }));
///     }
/// });
/// assert_eq!(starts.into_inner(), 1);
/// ```
///
/// # Compared with Go
///
/// `sync.Once`, but a closure that panics poisons: Go counts it as done, and the next caller goes on with what was
/// only half made. As in Go, a closure that asks for its own `Once` blocks for ever.
pub struct Once {
    state: AtomicU32,
    waiters: Lock<WaitQueue>,
}

impl UnwindSafe for Once {}
impl RefUnwindSafe for Once {}

/// What a closure given to [`Once::call_once_force`] may ask.
///
/// ```
/// gaggle::sync::Once::new().call_once_force(|state| assert!(!state.is_poisoned()));
/// ```
#[derive(Debug)]
pub struct OnceState {
    poisoned: bool,
}

impl OnceState {
    /// Whether an earlier run panicked.
    ///
    /// ```
    /// use gaggle::sync::Once;
    ///
    /// static START: Once = Once::new();
    /// let _ = std::thread::spawn(|| START.call_once(|| panic!("half way"))).join();
    /// START.call_once_force(|state| assert!(state.is_poisoned()));
    /// assert!(START.is_completed());
    /// ```
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }
}

/// Ends a run, also when the closure unwinds (I1).
struct Finish<'a> {
    once: &'a Once,
    phase: u32,
}

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        // ORDERING: Release publishes what the closure did; pairs with the Acquire of everybody who sees the phase.
        let before = self.once.state.swap(self.phase, Ordering::Release);
        if before & QUEUED != 0 {
            self.once.wake_all();
        }
    }
}

impl Once {
    const_unless_loom! {
        /// A `Once` that has not run.
        ///
        /// ```
        /// static START: gaggle::sync::Once = gaggle::sync::Once::new();
        /// assert!(!START.is_completed());
        /// ```
        pub const fn new() -> Once {
            Once { state: AtomicU32::new(INCOMPLETE), waiters: Lock::new(LockRank::Sync, WaitQueue::new()) }
        }
    }

    /// Runs `f` if no call has completed yet. When this returns, one has, and what it did is visible.
    ///
    /// # Blocking
    /// Parks while another call runs its closure.
    ///
    /// # Panics
    /// If `f` panics, and in every later call: `Once instance has previously been poisoned`.
    ///
    /// ```
    /// let once = gaggle::sync::Once::new();
    /// let mut n = 0;
    /// once.call_once(|| n += 1);
    /// once.call_once(|| n += 1);
    /// assert_eq!(n, 1);
    /// ```
    #[inline]
    #[track_caller]
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        if !self.is_completed() {
            let mut f = Some(f);
            self.call(false, &mut |_| {
                if let Some(f) = f.take() {
                    f()
                }
            });
        }
    }

    /// As [`call_once`](Self::call_once), but an earlier panic does not count: `f` can ask whether there was one.
    ///
    /// # Blocking
    /// Parks while another call runs its closure.
    ///
    /// ```
    /// let once = gaggle::sync::Once::new();
    /// once.call_once_force(|_| ());
    /// assert!(once.is_completed());
    /// ```
    #[inline]
    pub fn call_once_force<F: FnOnce(&OnceState)>(&self, f: F) {
        if !self.is_completed() {
            let mut f = Some(f);
            self.call(true, &mut |state| {
                if let Some(f) = f.take() {
                    f(state)
                }
            });
        }
    }

    /// Whether a call has completed.
    ///
    /// ```
    /// let once = gaggle::sync::Once::new();
    /// once.call_once(|| ());
    /// assert!(once.is_completed());
    /// ```
    #[inline]
    pub fn is_completed(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `Finish`: what the closure did is visible.
        self.state.load(Ordering::Acquire) & PHASE == COMPLETE
    }

    /// Waits until a call has completed, without making one.
    ///
    /// # Blocking
    /// Parks until another has completed a call.
    ///
    /// # Panics
    /// If that call panicked.
    ///
    /// ```
    /// let once = gaggle::sync::Once::new();
    /// std::thread::scope(|s| {
    ///     s.spawn(|| once.call_once(|| ()));
    ///     once.wait();
    /// });
    /// ```
    #[track_caller]
    pub fn wait(&self) {
        while !self.is_completed() {
            let seen = self.wait_while(|phase| phase == INCOMPLETE || phase == RUNNING);
            assert!(seen & PHASE != POISONED, "{POISON_MESSAGE}");
        }
    }

    /// As [`wait`](Self::wait), but waits on when a call panicked.
    ///
    /// # Blocking
    /// Parks until another has completed a call.
    ///
    /// ```
    /// let once = gaggle::sync::Once::new();
    /// std::thread::scope(|s| {
    ///     s.spawn(|| once.call_once_force(|_| ()));
    ///     once.wait_force();
    /// });
    /// ```
    pub fn wait_force(&self) {
        while !self.is_completed() {
            self.wait_while(|phase| phase != COMPLETE);
        }
    }

    #[cold]
    #[track_caller]
    fn call(&self, force: bool, f: &mut dyn FnMut(&OnceState)) {
        // ORDERING: Acquire pairs with the Release in `Finish`.
        let mut seen = self.state.load(Ordering::Acquire);
        loop {
            match seen & PHASE {
                COMPLETE => return,
                RUNNING => seen = self.wait_while(|phase| phase == RUNNING),
                POISONED if !force => panic!("{POISON_MESSAGE}"),
                phase => {
                    let running = seen & QUEUED | RUNNING;
                    // ORDERING: Acquire, both ways, pairs with the Release in `Finish`: an earlier run's traces, and
                    // the result of the one that was quicker.
                    match self.state.compare_exchange(seen, running, Ordering::Acquire, Ordering::Acquire) {
                        Ok(_) => return self.run(phase == POISONED, f),
                        Err(now) => seen = now,
                    }
                }
            }
        }
    }

    fn run(&self, poisoned: bool, f: &mut dyn FnMut(&OnceState)) {
        let mut finish = Finish { once: self, phase: POISONED };
        f(&OnceState { poisoned });
        finish.phase = COMPLETE;
    }

    /// Parks until woken if the phase is one to wait for; returns the state then.
    fn wait_while(&self, waits: impl Fn(u32) -> bool) -> u32 {
        let mut queue = self.waiters.lock();
        // ORDERING: Acquire, here and below, pairs with the Release in `Finish`.
        let mut seen = self.state.load(Ordering::Acquire);
        loop {
            if !waits(seen & PHASE) {
                return seen;
            }
            // ORDERING: Acquire; as above, for the failure. Success publishes nothing: the queue is under the lock.
            match self.state.compare_exchange(seen, seen | QUEUED, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        let ticket = begin_wait();
        let mut node = WaitNode::new(ticket, 0, ptr::null_mut());
        // SAFETY: the lock is held, and the node lives on this frame until `wake_all` has unlinked it.
        unsafe { queue.push_back(&raw mut node) };
        drop(queue);
        ticket.wait(WaitReason::OnceWait);
        // ORDERING: Acquire pairs with the Release in `Finish`.
        self.state.load(Ordering::Acquire)
    }

    #[cold]
    fn wake_all(&self) {
        let mut woken = WakeList::new();
        let mut queue = self.waiters.lock();
        // SAFETY: the lock is held.
        unsafe { woken.claim_all(&mut queue, Outcome::selected(0)) };
        // Wake after unlocking: `woken` is dropped last.
        drop(queue);
    }
}

impl Default for Once {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").field("completed", &self.is_completed()).finish_non_exhaustive()
    }
}
