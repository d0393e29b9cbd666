//! Processors that are taken away: who gets them, what becomes of the workers that lost them, and when the watcher, which
//! takes them, may sleep. The invariants and the lock are those of [`Idle`].

use super::{Handover, Idle, Sleeper};
use crate::primitives::atomic::{Ordering, fence};

/// What came of the wish to take a processor away from a worker that keeps it.
#[derive(Debug, PartialEq)]
pub(in super::super) enum Retaken<P, W> {
    /// There is nobody who could use it.
    NoHeir,
    /// Its holder came back in time.
    Kept,
    Taken(Option<Handover<P, W>>),
}

impl<P, W> Idle<P, W> {
    /// Whether a worker sleeps, or waits, that could be given a processor. A hint.
    #[inline]
    pub(in super::super) fn has_heir(&self) -> bool {
        // ORDERING: Relaxed; a hint, the lock decides.
        self.heirs.load(Ordering::Relaxed) != 0
    }

    /// How many processors are idle. A hint.
    pub(in super::super) fn idle_processors(&self) -> usize {
        // ORDERING: Relaxed; a number.
        self.n_idle.load(Ordering::Relaxed) as usize
    }

    /// How many workers run a goroutine although their processor was taken away.
    pub(in super::super) fn bereft(&self) -> usize {
        // ORDERING: Relaxed; a number.
        self.bereft.load(Ordering::Relaxed) as usize
    }

    /// Whether no processor is held or on its way, and no worker bereft. The watcher's, which may sleep if so until
    /// [`rouse_watcher`](Self::rouse_watcher) says yes (I8).
    pub(in super::super) fn lay_watcher_down(&self) -> bool {
        // ORDERING: Relaxed; F4 orders it.
        self.watcher_sleeps.store(true, Ordering::Relaxed);
        // ORDERING: F4 (I8): the word before the look; pairs with F4 in `rouse_watcher`.
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed, both; ordered by F4. A late ring is one needless look.
        let quiet = self.active.load(Ordering::Relaxed) == 0;
        if !quiet {
            self.watcher_sleeps.store(false, Ordering::Relaxed);
        }
        quiet
    }

    /// Of whoever hands a processor over: whether it has to ring for the watcher.
    #[inline]
    pub(in super::super) fn rouse_watcher(&self) -> bool {
        // ORDERING: F4 (I8): the count before the look; pairs with F4 in `lay_watcher_down`.
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed look, ordered by F4; then a swap, so that one of many rings.
        self.watcher_sleeps.load(Ordering::Relaxed) && self.watcher_sleeps.swap(false, Ordering::Relaxed)
    }
}

impl<P, W: Sleeper> Idle<P, W> {
    /// Takes a processor away from a worker that keeps it: `take` asks it, when there is an heir.
    pub(in super::super) fn retake(&self, take: impl FnOnce() -> Option<P>, retire: impl FnOnce(&P)) -> Retaken<P, W> {
        let mut lists = self.lists.lock();
        if lists.surplus() == 0 && lists.waiting.is_empty() && lists.sleepers.is_empty() {
            return Retaken::NoHeir;
        }
        let Some(p) = take() else { return Retaken::Kept };
        lists.bereft += 1;
        let handover = if lists.surplus() == 0 && lists.waiting.is_empty() {
            Some(Handover { heir: lists.next_sleeper(), processor: p, searching: false })
        } else {
            lists.let_go(p, retire)
        };
        self.publish(&lists);
        Retaken::Taken(handover)
    }

    /// An idle processor for a bereft worker that can go on with it, if there is one (I7).
    #[inline]
    pub(in super::super) fn regain(&self) -> Option<P> {
        // ORDERING: Relaxed; a hint, the lock decides.
        if self.n_idle.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut lists = self.lists.lock();
        let p = lists.idle.pop()?;
        lists.bereft -= 1;
        self.publish(&lists);
        Some(p)
    }

    /// Ends the errand of `w`, a bereft worker that has nothing to run any more (I7): an idle processor, or it waits or
    /// sleeps. Then the caller calls [`look_again`](Self::look_again), and sleeps.
    pub(in super::super) fn come_home(&self, w: W) -> Option<P> {
        let mut lists = self.lists.lock();
        lists.bereft -= 1;
        let own = w.has_own_work();
        let p = if own || !w.is_locked() { lists.idle.pop() } else { None };
        match p {
            Some(_) => {}
            None if own => lists.waiting.push_back(w),
            None => lists.lie_down(w),
        }
        self.publish(&lists);
        p
    }

    /// Strikes `w`, a sleeper at whose home nobody lives, off the lists, if more sleep than may be needed: its thread ends.
    /// Enough are left for all processors to be taken away at once.
    pub(in super::super) fn dismiss(&self, w: W) -> bool {
        let mut lists = self.lists.lock();
        let place = lists.sleepers.iter().position(|other| *other == w);
        let Some(place) = place.filter(|_| lists.has_too_many_sleepers()) else { return false };
        lists.sleepers.remove(place);
        // ORDERING: Relaxed; under the lock.
        w.asleep().store(false, Ordering::Relaxed);
        self.publish(&lists);
        true
    }

    /// Whether more workers sleep than may be needed.
    #[cfg_attr(loom, allow(dead_code, reason = "nobody is dismissed in a model"))]
    pub(in super::super) fn has_too_many_sleepers(&self) -> bool {
        self.lists.lock().has_too_many_sleepers()
    }

    /// Enters `w`, a new worker without a processor, among the sleepers. The caller sleeps.
    pub(in super::super) fn enlist(&self, w: W) {
        let mut lists = self.lists.lock();
        lists.lie_down(w);
        self.publish(&lists);
    }

    /// Takes back a processor that its heir, a new thread, could not be started for: with it, the right to search.
    pub(in super::super) fn disinherit(
        &self,
        p: P,
        searching: bool,
        retire: impl FnOnce(&P),
    ) -> Option<Handover<P, W>> {
        let mut lists = self.lists.lock();
        let handover = lists.let_go(p, retire);
        self.publish(&lists);
        drop(lists);
        if searching {
            self.retire();
        }
        handover
    }
}
