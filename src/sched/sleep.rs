//! How a worker sleeps, and how a processor reaches it: what `idle` decides is done here.
//!
//! # Invariants
//! 1. `Worker::handed` is written only by whoever was told by `idle` to hand over to that worker, once per sleep
//!    (idle, I3); the worker takes it, on its own thread, before it runs anything again.

use super::idle::{Handover, Heir, Idle, Passed, Sleeper};
use super::processor::Processor;
use super::scheduler::scheduler;
use super::vigil::{self, Slept};
use super::woken::Woken;
use super::worker::Worker;
use super::{counters, find_work, sysmon, threads, watch};
use crate::primitives::atomic::{AtomicBool, Ordering};
use core::mem;
use core::ptr;
use std::time::{Duration, Instant};

/// A sleep that ends within this does not pay: a worker with visitors lingers after some of them.
const SHORT: Duration = Duration::from_micros(50);

/// The idle protocol over real processors and workers.
pub(super) type Desk = Idle<&'static Processor, &'static Worker>;
type HandoverHere = Handover<&'static Processor, &'static Worker>;

impl PartialEq for Worker {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self, other)
    }
}

impl Sleeper for &'static Worker {
    fn asleep(&self) -> &AtomicBool {
        &self.asleep
    }

    fn is_locked(&self) -> bool {
        self.locked.get() != 0
    }

    fn has_own_work(&self) -> bool {
        self.has_home_work()
    }
}

/// Evidence that its holder is counted as searching. Dropping it says that work was found.
pub(super) struct Searching(());

impl Drop for Searching {
    fn drop(&mut self) {
        hand_over(scheduler().idle.stop_searching());
    }
}

impl Searching {
    /// The right to search of a new worker, whose starter was counted for it.
    pub(super) fn granted() -> Self {
        Self(())
    }
}

/// Gives a processor to its heir. Not under a lock.
pub(super) fn hand_over(handover: Option<HandoverHere>) {
    let Some(Handover { heir, processor: p, searching }) = handover else { return };
    match heir {
        Heir::NewThread => start_heir(p, searching),
        Heir::Worker(w) => {
            let word = ptr::from_ref(p).cast_mut().map_addr(|a| a | usize::from(searching));
            // ORDERING: Release pairs with the Acquire in `wait`: the processor's state goes with it.
            w.handed.store(word, Ordering::Release);
            vigil::ring(w);
        }
    }
    look_after_monitor();
}

/// A processor has come into use.
fn look_after_monitor() {
    if scheduler().idle.rouse_watcher() {
        sysmon::rouse();
    }
}

/// Starts a thread for a processor; if that fails, others go on and leave it idle.
#[cold]
fn start_heir(p: &'static Processor, searching: bool) {
    if threads::start_worker(p, searching).is_ok() {
        return;
    }
    // Those who wait are none, or they would have been the heirs: it becomes idle, or goes out of use.
    hand_over(scheduler().idle.disinherit(p, searching, empty));
}

/// For how long a worker that may not be needed any more sleeps before its thread ends.
const LIFE: Duration = Duration::from_secs(2);

/// What a worker does that has slept for `slept`; says for how long to sleep next.
fn after_a_nap(w: &'static Worker, slept: Duration) -> Option<Duration> {
    if slept == watch::SOON {
        w.trim_stacks();
    }
    watch::after_a_nap(w, slept)
}

/// Whether nobody is at home with `w`, a sleeper, and more sleep than can be needed.
fn is_superfluous(w: &'static Worker) -> bool {
    w.residents.get() == 0 && scheduler().idle.has_too_many_sleepers()
}

pub(super) fn empty(p: &&'static Processor) {
    scheduler().empty_processor(p);
}

impl Desk {
    /// Says that there is new work that any worker may take: wakes one to search, unless one does.
    #[inline]
    pub(super) fn notify(&self) {
        if let Some(handover) = self.announce() {
            hand_over(Some(handover));
        }
    }

    /// Says that something was posted to the inbox of `home`.
    #[inline]
    pub(super) fn notify_home(&self, home: &'static Worker) {
        if let Some(handover) = self.announce_home(home) {
            hand_over(Some(handover));
        }
    }

    /// Begins a search, unless enough others search.
    pub(super) fn start_searching(&self) -> Option<Searching> {
        // Lazily: a `Searching` that is made and dropped would count down.
        self.try_search(scheduler().procs()).then(Searching::granted)
    }

    /// Lets the processor of `w` go and sleeps until it is given one again.
    pub(super) fn sleep(&self, w: &'static Worker, searching: Option<Searching>) -> Option<Searching> {
        let counted = searching.is_some();
        mem::forget(searching);
        let began = Instant::now();
        hand_over(self.lay_down(w, w.held(), counted, empty));
        w.forget_processor();
        let searching = self.settle_asleep(w);
        w.note_sleep(began.elapsed() < SHORT);
        searching
    }

    /// Gives the processor of `w` to a worker that waits for one, or out of use, if either is wanted; with
    /// `insist`, as when a locked worker cannot run what stands on it, to one that can. Comes back with a processor.
    pub(super) fn give_up(&self, w: &'static Worker, insist: bool) -> Option<Searching> {
        match self.pass_on(w, w.held(), insist, empty) {
            Passed::Kept => None,
            Passed::Swapped(other, handover) => {
                w.grant(other);
                hand_over(Some(handover));
                None
            }
            Passed::Gone(handover) => {
                hand_over(handover);
                w.forget_processor();
                self.settle_asleep(w)
            }
        }
    }

    /// Gets a worker whose processor was taken, and which came to its root without, another one: at once, or in its turn.
    pub(super) fn get_one(&self, w: &'static Worker) -> Option<Searching> {
        match self.come_home(w) {
            Some(p) => {
                w.grant(p);
                None
            }
            None => self.settle_asleep(w),
        }
    }

    /// The first steps of a new worker with a processor.
    pub(super) fn begin_with(&self, w: &'static Worker, p: &'static Processor, searching: bool) -> Option<Searching> {
        w.grant(p);
        threads::ensure_spare();
        searching.then(Searching::granted)
    }

    /// The first steps of a new worker without one.
    pub(super) fn begin_asleep(&self, w: &'static Worker) -> Option<Searching> {
        self.enlist(w);
        threads::spare_has_come();
        self.settle_asleep(w)
    }

    /// The last look before the sleep, of a worker that has no processor any more.
    fn settle_asleep(&self, w: &'static Worker) -> Option<Searching> {
        self.look_again();
        if w.inbox_filled() {
            hand_over(self.rouse(w));
        }
        if find_work::anything_to_steal() {
            // Its submitter may have seen us searching, and relied on it: wake a searcher, perhaps ourselves.
            self.notify();
        }
        self.wait(w)
    }

    /// Sleeps until a processor is handed over; the right to search may come with it. Without a processor afterwards, the
    /// worker is dismissed.
    fn wait(&self, w: &'static Worker) -> Option<Searching> {
        let (mut patience, mut slept) = (Some(watch::SOON), Duration::ZERO);
        loop {
            // ORDERING: Acquire pairs with the Release in `hand_over`.
            let handed = w.handed.swap(ptr::null_mut(), Ordering::Acquire);
            if !handed.is_null() {
                counters::refresh_clock();
                // SAFETY: `hand_over` stored a processor here, and those are leaked.
                w.grant(unsafe { &*handed.map_addr(|a| a & !1) });
                threads::ensure_spare();
                // Lazily: a `Searching` that is made and dropped would count down.
                return (handed.addr() & 1 != 0).then(Searching::granted);
            }
            let rung = match vigil::keep(w, patience) {
                Slept::Called(woken) => {
                    if self.serve_asleep(w, woken) {
                        return None;
                    }
                    // A ring may have come with the call, for another look at what is under way (watch, I1).
                    patience = Some(watch::SOON);
                    continue;
                }
                Slept::Elsewhere => w.bell.wait_for(patience),
                Slept::Rung => true,
                Slept::Out => false,
            };
            let (Some(nap), false) = (patience, rung) else {
                // Without a processor it was rung for another look.
                patience = Some(watch::SOON);
                continue;
            };
            slept += nap;
            if slept >= LIFE && is_superfluous(w) && self.leaves(w) {
                return None;
            }
            patience = after_a_nap(w, nap).or_else(|| (slept < LIFE && is_superfluous(w)).then_some(LIFE));
        }
    }

    /// Whether `w`, a sleeper that nobody has needed for long, ends.
    fn leaves(&self, w: &'static Worker) -> bool {
        let leaves = self.dismiss(w);
        if leaves && let Some(other) = self.a_sleeper() {
            // Perhaps we kept the lookout, or were the watchman: somebody else is to ask whether that is needed.
            vigil::ring(other);
        }
        leaves
    }

    /// Does what a sleeper was called for: with an idle processor, if there is one, and then it says yes.
    fn serve_asleep(&self, w: &'static Worker, woken: Woken) -> bool {
        let processor = self.get_up(w);
        if let Some(p) = processor {
            counters::refresh_clock();
            w.grant(p);
            threads::ensure_spare();
            look_after_monitor();
        }
        vigil::serve_with(w, woken);
        processor.is_some()
    }

    /// Changes how many processors are in use; `make` makes one.
    pub(super) fn set_target(&self, target: usize, make: impl FnMut() -> &'static Processor) {
        self.resize(target, make).into_iter().map(Some).for_each(hand_over);
        self.notify();
    }
}
