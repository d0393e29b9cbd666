//! Who searches, who sleeps, whom to wake: the idle protocol. `README.md` has the proof sketch.
//!
//! A plain data structure that answers who gets which processor, and neither rings nor sleeps: `sleep.rs` does. So
//! the same source runs under loom (`idle_tests.rs`). It knows processors and workers as `P` and `W` only.
//!
//! # Invariants
//! 1. A processor is held by one worker, or on its way to one (a [`Handover`]), or in `idle`, or in `spare`.
//! 2. `waiting` is empty or `idle` is: who lets a processor go gives it to the longest waiting first. `idle` is
//!    empty too while more processors are in use than should be.
//! 3. A worker that is `asleep` holds no processor. It is in `sleepers` as well unless it is locked: nobody but its
//!    own goroutines can use it, and those rouse it by name. Whoever clears `asleep`, under the lock, takes it out,
//!    and either hands it a processor, or puts it into `waiting`.
//! 4. Submit: make the work visible, F1, look at `n_idle` and `searching`. Sleep: let the processor go, end the
//!    search, F2, look for work. One of the two fences comes first, so one of the two sees the other.
//! 5. The same for home workers: post into the inbox, F3, look at `asleep`; set `asleep`, F2, look at the inbox.
//! 6. A search ends with a find ([`stop_searching`](Idle::stop_searching)), in [`retire`](Idle::retire) before the
//!    look after F2, or under the lock while no processor is idle: whoever relied on it is never left alone.
//! 7. A worker whose processor was taken is `bereft` and in no list, until it regains an idle processor, or comes home:
//!    then it takes an idle one, or waits, or sleeps, as if it had let its own go at that moment.
//! 8. The watcher sleeps only while nothing is `active`: it writes that it sleeps, F4, and looks; who hands a processor
//!    over has counted it, F4, and looks whether the watcher sleeps.
//!
//! # Locking
//! All lists: `lists` (rank Sched). `n_idle` and `wanted` are written under it, and read without it as hints.

#[cfg(not(loom))]
pub(super) use handoff::Retaken;

use crate::primitives::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use crate::primitives::{Lock, LockRank};
use crossbeam_utils::CachePadded;
use std::collections::VecDeque;

/// A worker, as far as this protocol knows it.
pub(super) trait Sleeper: Copy + PartialEq {
    /// It holds no processor and sleeps, or is about to (I3).
    fn asleep(&self) -> &AtomicBool;
    /// Whether it runs only goroutines of its own. Asked by itself, or under the lock of a worker in the lists, which
    /// runs nothing that could change the answer.
    fn is_locked(&self) -> bool;
    /// Whether goroutines of its own are runnable. Asked by itself.
    fn has_own_work(&self) -> bool;
}

/// Who gets a processor.
#[derive(Debug, PartialEq)]
pub(super) enum Heir<W> {
    Worker(W),
    NewThread,
}

/// A processor on its way (I1): the caller hands it over after unlocking.
#[derive(Debug, PartialEq)]
#[must_use = "a processor that nobody gets is lost"]
pub(super) struct Handover<P, W> {
    pub(super) heir: Heir<W>,
    pub(super) processor: P,
    /// Whether the right to search goes with it: its giver was counted for the heir.
    pub(super) searching: bool,
}

/// What came of passing a processor on.
#[derive(Debug, PartialEq)]
pub(super) enum Passed<P, W> {
    /// Nobody wanted it: its holder keeps it.
    Kept,
    /// Its holder goes on with another one.
    Swapped(P, Handover<P, W>),
    /// Its holder has none now, and sleeps or waits.
    Gone(Option<Handover<P, W>>),
}

/// Who is at work, at one instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attendance {
    /// Processors without work.
    pub(crate) idle: usize,
    /// Workers that sleep, locked ones not counted; and that search.
    pub(crate) sleepers: usize,
    pub(crate) searching: usize,
}

struct Lists<P, W> {
    idle: Vec<P>,
    /// Out of use, since the number of processors was lowered.
    spare: Vec<P>,
    sleepers: Vec<W>,
    waiting: VecDeque<W>,
    /// How many processors are held, on their way or idle, and how many there should be.
    in_use: usize,
    target: usize,
    /// How many workers run a goroutine although their processor was taken away (I7).
    bereft: usize,
}

impl<P, W> Lists<P, W> {
    const fn new() -> Self {
        Self {
            idle: Vec::new(),
            spare: Vec::new(),
            sleepers: Vec::new(),
            waiting: VecDeque::new(),
            in_use: 0,
            target: 0,
            bereft: 0,
        }
    }

    fn has_too_many_sleepers(&self) -> bool {
        self.sleepers.len() > 2 * self.target + 1
    }

    fn surplus(&self) -> usize {
        self.in_use.saturating_sub(self.target)
    }
}

impl<P, W: Sleeper> Lists<P, W> {
    /// Enters `w` among the sleepers (I3).
    fn lie_down(&mut self, w: W) {
        // ORDERING: Relaxed; under the lock, and F2 follows (I5).
        w.asleep().store(true, Ordering::Relaxed);
        if !w.is_locked() {
            self.sleepers.push(w);
        }
    }

    /// A sleeping worker, or a new one (I3).
    fn next_sleeper(&mut self) -> Heir<W> {
        let Some(w) = self.sleepers.pop() else {
            return Heir::NewThread;
        };
        // ORDERING: Relaxed; under the lock.
        w.asleep().store(false, Ordering::Relaxed);
        Heir::Worker(w)
    }

    /// A worker that runs everybody's goroutines: of those that wait, or sleep, or a new one.
    fn next_unlocked(&mut self) -> Heir<W> {
        let first = self.waiting.iter().position(|w| !w.is_locked());
        match first.and_then(|i| self.waiting.remove(i)) {
            Some(w) => Heir::Worker(w),
            None => self.next_sleeper(),
        }
    }

    /// Takes `p` from its holder (I1, I2); `retire` empties it if it goes out of use.
    fn let_go(&mut self, p: P, retire: impl FnOnce(&P)) -> Option<Handover<P, W>> {
        if self.surplus() != 0 {
            self.in_use -= 1;
            retire(&p);
            self.spare.push(p);
            return None;
        }
        if let Some(w) = self.waiting.pop_front() {
            return Some(Handover { heir: Heir::Worker(w), processor: p, searching: false });
        }
        self.idle.push(p);
        None
    }
}

/// See the module's page.
pub(super) struct Idle<P, W> {
    n_idle: CachePadded<AtomicU32>,
    searching: CachePadded<AtomicU32>,
    /// How many workers wait for a processor, and how many processors are too many.
    wanted: CachePadded<AtomicU32>,
    /// How many workers could be given a processor, as a hint.
    heirs: AtomicU32,
    /// How many processors are held or on their way, and workers bereft.
    active: AtomicU32,
    bereft: AtomicU32,
    watcher_sleeps: AtomicBool,
    lists: Lock<Lists<P, W>>,
}

/// Loom's constructors are not `const`.
macro_rules! idle {
    () => {
        Self {
            n_idle: CachePadded::new(AtomicU32::new(0)),
            searching: CachePadded::new(AtomicU32::new(0)),
            wanted: CachePadded::new(AtomicU32::new(0)),
            heirs: AtomicU32::new(0),
            active: AtomicU32::new(0),
            bereft: AtomicU32::new(0),
            watcher_sleeps: AtomicBool::new(false),
            lists: Lock::new(LockRank::Sched, Lists::new()),
        }
    };
}

impl<P, W> Idle<P, W> {
    #[cfg(not(loom))]
    pub(super) const fn new() -> Self {
        idle!()
    }

    #[cfg(loom)]
    pub(super) fn new() -> Self {
        idle!()
    }

    /// Publishes the counters that are read without the lock.
    fn publish(&self, lists: &Lists<P, W>) {
        // ORDERING: Relaxed, all; the unlock or the fences F1 to F4 order them.
        self.n_idle.store(lists.idle.len() as u32, Ordering::Relaxed);
        self.wanted.store((lists.waiting.len() + lists.surplus()) as u32, Ordering::Relaxed);
        self.heirs.store((lists.sleepers.len() + lists.waiting.len()) as u32, Ordering::Relaxed);
        self.active.store((lists.in_use - lists.idle.len() + lists.bereft) as u32, Ordering::Relaxed);
        self.bereft.store(lists.bereft as u32, Ordering::Relaxed);
    }

    /// Whether a processor should be passed on: to a worker that waits for one, or out of use.
    #[inline]
    pub(super) fn processors_wanted(&self) -> bool {
        // ORDERING: Relaxed; a hint, the lock decides.
        self.wanted.load(Ordering::Relaxed) != 0
    }

    /// Counts the caller as searching, one of `procs` processors being its own; false if enough others search: half
    /// of the busy ones.
    pub(super) fn try_search(&self, procs: usize) -> bool {
        // ORDERING: Relaxed, both; a limit on waste, nothing depends on its being exact.
        let busy = (procs as u32).saturating_sub(self.n_idle.load(Ordering::Relaxed));
        if 2 * self.searching.load(Ordering::Relaxed) >= busy.max(1) {
            return false;
        }
        // ORDERING: AcqRel; pairs with the other changes of the counter.
        self.searching.fetch_add(1, Ordering::AcqRel);
        true
    }

    /// Whether all processors but the caller's are idle. A hint.
    #[cfg_attr(loom, allow(dead_code, reason = "nobody asks in a model"))]
    pub(super) fn is_last_at_work(&self, procs: usize) -> bool {
        // ORDERING: Relaxed; a hint: a search that is left out is no reason to sleep beside work, as F2 follows.
        self.n_idle.load(Ordering::Relaxed) as usize + 1 >= procs
    }

    /// Whether all processors in use are idle, none being held or on its way, and no worker does without.
    #[cfg_attr(loom, allow(dead_code, reason = "nobody asks in a model"))]
    pub(crate) fn all_idle(&self) -> bool {
        let lists = self.lists.lock();
        lists.idle.len() == lists.in_use && lists.waiting.is_empty() && lists.bereft == 0
    }

    /// Who is at work now.
    #[cfg_attr(loom, allow(dead_code, reason = "nobody asks in a model"))]
    pub(crate) fn attendance(&self) -> Attendance {
        let lists = self.lists.lock();
        Attendance {
            idle: lists.idle.len(),
            sleepers: lists.sleepers.len(),
            // ORDERING: Relaxed; a statistic.
            searching: self.searching.load(Ordering::Relaxed) as usize,
        }
    }

    /// Ends a search without a find: the caller looks once more after F2, or holds the lock while no processor is
    /// idle (I6).
    fn retire(&self) {
        // ORDERING: AcqRel; F2 or the unlock follows.
        self.searching.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<P, W: Sleeper> Idle<P, W> {
    /// Says that there is new work that any worker may take: one is to search, unless one does.
    #[inline]
    pub(super) fn announce(&self) -> Option<Handover<P, W>> {
        // ORDERING: F1 (I4): the work before the look; pairs with F2 in `look_again`.
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed, both; ordered by F1.
        if self.n_idle.load(Ordering::Relaxed) == 0 || self.searching.load(Ordering::Relaxed) != 0 {
            return None;
        }
        self.wake_searcher()
    }

    #[cold]
    fn wake_searcher(&self) -> Option<Handover<P, W>> {
        // ORDERING: AcqRel; one submitter wins, the others rely on the searcher that it wakes.
        if self.searching.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return None;
        }
        let mut lists = self.lists.lock();
        let Some(processor) = lists.idle.pop() else {
            // Whoever took the last idle processor looks for work before it lets it go again. Under the lock: after
            // it a processor may become idle, and whoever submits then must not rely on us, who do not look (I6).
            self.retire();
            return None;
        };
        let heir = lists.next_sleeper();
        self.publish(&lists);
        Some(Handover { heir, processor, searching: true })
    }

    /// Ends a search with a find.
    pub(super) fn stop_searching(&self) -> Option<Handover<P, W>> {
        // ORDERING: AcqRel; pairs with itself in other workers: the last one to stop looks after the others' work.
        if self.searching.fetch_sub(1, Ordering::AcqRel) != 1 {
            return None;
        }
        // There may be more where this came from, and nobody searches any more.
        self.announce()
    }

    /// Lets `p`, the processor of `w`, go, and its right to search if it has it. The caller hands over, calls
    /// [`look_again`](Self::look_again), and sleeps.
    pub(super) fn lay_down(&self, w: W, p: P, searching: bool, retire: impl FnOnce(&P)) -> Option<Handover<P, W>> {
        let mut lists = self.lists.lock();
        lists.lie_down(w);
        let handover = lists.let_go(p, retire);
        self.publish(&lists);
        drop(lists);
        if searching {
            self.retire();
        }
        handover
    }

    /// Gives `p`, the processor of `w`, to a worker that waits for one, or out of use, if either is wanted; with
    /// `insist`, as when a locked worker cannot run what stands on it, to one that can.
    pub(super) fn pass_on(&self, w: W, p: P, insist: bool, retire: impl FnOnce(&P)) -> Passed<P, W> {
        let mut lists = self.lists.lock();
        let surplus = lists.surplus() != 0;
        if !insist && !surplus && lists.waiting.is_empty() {
            return Passed::Kept;
        }
        let handover = if insist && !surplus {
            Some(Handover { heir: lists.next_unlocked(), processor: p, searching: false })
        } else {
            lists.let_go(p, retire)
        };
        if !w.has_own_work() {
            lists.lie_down(w);
            self.publish(&lists);
            return Passed::Gone(handover);
        }
        // Nobody waits while a processor is idle (I2).
        let other = lists.idle.pop();
        if other.is_none() {
            lists.waiting.push_back(w);
        }
        self.publish(&lists);
        match (other, handover) {
            (Some(other), Some(handover)) => Passed::Swapped(other, handover),
            (None, handover) => Passed::Gone(handover),
            // What is out of use, or idle, leaves none idle that could be ours.
            (Some(_), None) => unreachable!("a processor was idle while one was wanted"),
        }
    }

    /// F2, between the laying down and the last look for work, which decides on [`rouse`](Self::rouse) and
    /// [`announce`](Self::announce).
    pub(super) fn look_again(&self) {
        // ORDERING: F2 (I4, I5): what was let go and `asleep` before the look for work; pairs with F1 and F3.
        fence(Ordering::SeqCst);
    }

    /// Says that something was posted to the inbox of `home`.
    #[inline]
    pub(super) fn announce_home(&self, home: W) -> Option<Handover<P, W>> {
        // ORDERING: F3 (I5): the post before the look; pairs with F2 in `look_again`.
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed; ordered by F3.
        if home.asleep().load(Ordering::Relaxed) { self.rouse(home) } else { None }
    }

    /// Gets a sleeping worker that has work of its own a processor, now or when one is let go.
    #[cold]
    pub(super) fn rouse(&self, home: W) -> Option<Handover<P, W>> {
        let mut lists = self.lists.lock();
        // ORDERING: Relaxed, both; under the lock (I3).
        if !home.asleep().load(Ordering::Relaxed) {
            return None;
        }
        home.asleep().store(false, Ordering::Relaxed);
        lists.sleepers.retain(|w| *w != home);
        let processor = lists.idle.pop();
        if processor.is_none() {
            lists.waiting.push_back(home);
        }
        self.publish(&lists);
        Some(Handover { heir: Heir::Worker(home), processor: processor?, searching: false })
    }

    /// Gives `w`, a sleeper that has found something to do, an idle processor, if there is one (I3).
    pub(super) fn get_up(&self, w: W) -> Option<P> {
        let mut lists = self.lists.lock();
        // ORDERING: Relaxed, both; under the lock (I3).
        if !w.asleep().load(Ordering::Relaxed) || w.is_locked() {
            return None;
        }
        let processor = lists.idle.pop()?;
        w.asleep().store(false, Ordering::Relaxed);
        lists.sleepers.retain(|other| *other != w);
        self.publish(&lists);
        Some(processor)
    }

    /// One who sleeps, and runs everybody's goroutines.
    #[cfg_attr(loom, allow(dead_code, reason = "nobody asks in a model"))]
    pub(super) fn a_sleeper(&self) -> Option<W> {
        self.lists.lock().sleepers.last().copied()
    }

    /// Whether a worker that sleeps is to keep the lookout: not while all processors are at work, whose holders look.
    #[cfg_attr(loom, allow(dead_code, reason = "as `announce`, as far as a model goes"))]
    pub(super) fn needs_lookout(&self) -> bool {
        // ORDERING: Relaxed, both; who asks has let its processor go before, under the lock, or somebody else is at work
        // and asks later.
        self.n_idle.load(Ordering::Relaxed) != 0 || self.active.load(Ordering::Relaxed) == 0
    }

    /// Changes how many processors are in use; `make` makes one. The caller hands over, and announces: what was
    /// made idle has not been looked at.
    pub(super) fn resize(&self, target: usize, mut make: impl FnMut() -> P) -> Vec<Handover<P, W>> {
        let mut lists = self.lists.lock();
        lists.target = target;
        // Room for all of them, in either list: the monitor, which puts them there too, never allocates.
        let more = target.saturating_sub(lists.in_use);
        let all = lists.in_use + lists.spare.len().max(more);
        let (idle, spare) = (all.saturating_sub(lists.idle.len()), all.saturating_sub(lists.spare.len()));
        lists.idle.reserve(idle);
        lists.spare.reserve(spare);
        let mut handovers = Vec::new();
        while lists.in_use < target {
            let p = lists.spare.pop().unwrap_or_else(&mut make);
            lists.in_use += 1;
            handovers.extend(lists.let_go(p, |_| unreachable!("it was just taken into use")));
        }
        while lists.surplus() != 0 {
            // Those that are held are passed on by their holders, when they look at `wanted`.
            let Some(p) = lists.idle.pop() else { break };
            lists.in_use -= 1;
            lists.spare.push(p);
        }
        self.publish(&lists);
        handovers
    }
}

mod handoff;

#[cfg(test)]
#[path = "idle_tests.rs"]
mod tests;
