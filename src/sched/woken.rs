//! Those whom an event or the clock has woken, gathered so as to be queued together.
//!
//! # Invariants
//! 1. A waiter heads a goroutine if `thread` is none.
//! 2. Whoever may wake a goroutine holds an external until it has: here from before the first claim until the goroutines
//!    are queued. So nobody calls the program deadlocked.

use super::goroutine::Goroutine;
use super::list::List;
use super::readiness::Waiting;
use super::run;
use super::status::{Duty, Outcome, ParkWord};
use super::watch::External;
use super::worker::Worker;
use core::ptr::NonNull;

/// What a wait for an event ends with.
pub(crate) const READY: Outcome = Outcome::selected(0);

/// A copy of a ticket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Waiter {
    pub(crate) word: NonNull<ParkWord>,
    pub(crate) sequence: u32,
    /// What wakes a plain thread, after its word; none: the word heads a goroutine (I1).
    pub(crate) thread: Option<WakeThread>,
}

/// Lets the thread go on whose word this is, and whose wake has left this duty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WakeThread(pub(crate) unsafe fn(NonNull<ParkWord>, Duty));

impl PartialEq for WakeThread {
    fn eq(&self, _: &Self) -> bool {
        // There is one such function; the word tells threads apart.
        true
    }
}

// SAFETY: the word is type-stable and atomic (README of `park`).
unsafe impl Send for Waiter {}

impl Waiting for Waiter {
    fn claim(self) -> bool {
        self.claim_with(READY)
    }
}

impl Waiter {
    /// Ends the wait with `outcome`; true for the one call that did, whose caller must wake.
    pub(super) fn claim_with(self, outcome: Outcome) -> bool {
        // SAFETY: the word is type-stable.
        unsafe { self.word.as_ref() }.claim(self.sequence, outcome)
    }
}

/// See the module's page.
pub(crate) struct Woken {
    list: List<Goroutine>,
    external: Option<External>,
}

impl Woken {
    pub(super) const fn new() -> Self {
        Self { list: List::new(), external: None }
    }

    /// To be called before the first claim (I2).
    pub(super) fn begin(&mut self) {
        self.external.get_or_insert_with(External::begin);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Ends the wait of `waiter`, whose claim was won.
    pub(super) fn wake(&mut self, waiter: Waiter) {
        // SAFETY: the word is type-stable.
        let duty = unsafe { waiter.word.as_ref() }.wake();
        match waiter.thread {
            // SAFETY: the word is that of a thread, which that function is for.
            Some(WakeThread(wake)) => unsafe { wake(waiter.word, duty) },
            None if duty == Duty::MakeRunnable => {
                let g = waiter.word.cast::<Goroutine>();
                // SAFETY: the word heads a goroutine (I1), and the duty to run it is ours: it is in no list.
                unsafe {
                    g.as_ref().set_runnable();
                    self.list.push_back(g);
                }
            }
            None => {}
        }
    }

    /// Takes those in whom the worker has gathered meanwhile.
    pub(super) fn append(&mut self, gathered: &mut List<Goroutine>) {
        self.list.append(gathered);
    }

    /// Queues them where they belong: from a goroutine's code, or a plain thread.
    pub(super) fn submit(mut self) {
        if !self.is_empty() {
            run::ready_list(&mut self.list);
        }
    }

    /// Queues them, at `w` if it can run them. On its root.
    pub(super) fn submit_on(mut self, w: &'static Worker) {
        run::ready_here(w, &mut self.list);
    }
}
