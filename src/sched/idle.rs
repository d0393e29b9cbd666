//! Who searches, who sleeps, whom to wake: the idle protocol. `README.md` has the proof sketch.
//!
//! # Invariants
//! 1. A processor is held by one worker, or on its way to one (`handed`), or in `idle`, or in `spare`.
//! 2. `waiting` is empty or `idle` is: who lets a processor go gives it to the longest waiting first.
//! 3. A worker that is `asleep` holds no processor. It is in `sleepers` as well unless it is locked: nobody but its
//!    own goroutines can use it, and those rouse it by name. Whoever clears `asleep`, under the lock, takes it out,
//!    and either hands it a processor and rings, or puts it into `waiting`.
//! 4. Submit: make the work visible, F1, look at `n_idle` and `searching`. Sleep: let the processor go, end the
//!    search, F2, look for work. One of the two fences comes first, so one of the two sees the other.
//! 5. The same for home workers: post into the inbox, F3, look at `asleep`; set `asleep`, F2, look at the inbox.
//!
//! # Locking
//! All lists: `lists` (rank Sched). `n_idle` and `wanted` are written under it, and read without it as hints.

use super::processor::Processor;
use super::scheduler::scheduler;
use super::worker::Worker;
use super::{find_work, threads};
use crate::primitives::atomic::{AtomicU32, Ordering, fence};
use crate::primitives::{Lock, LockRank};
use core::mem;
use core::ptr;
use crossbeam_utils::CachePadded;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a worker sleeps before it gives back memory that it keeps for speed.
const TRIM_AFTER: Duration = Duration::from_millis(10);

struct Lists {
    idle: Vec<&'static Processor>,
    /// Out of use, since the number of processors was lowered.
    spare: Vec<&'static Processor>,
    sleepers: Vec<&'static Worker>,
    waiting: VecDeque<&'static Worker>,
    /// How many processors are held, on their way or idle, and how many there should be.
    in_use: usize,
    target: usize,
}

/// Who gets a processor that is let go.
enum Heir {
    Nobody,
    Worker(&'static Worker),
    NewThread,
}

/// See the module's page.
pub(super) struct Idle {
    n_idle: CachePadded<AtomicU32>,
    searching: CachePadded<AtomicU32>,
    /// How many workers wait for a processor, and how many processors are too many.
    wanted: CachePadded<AtomicU32>,
    lists: Lock<Lists>,
}

/// Evidence that its holder is counted as searching. Dropping it says that work was found.
pub(super) struct Searching(());

impl Drop for Searching {
    fn drop(&mut self) {
        let idle = &scheduler().idle;
        // ORDERING: AcqRel; pairs with itself in other workers: the last one to stop looks after the others' work.
        if idle.searching.fetch_sub(1, Ordering::AcqRel) == 1 {
            // There may be more where this came from, and nobody searches any more.
            idle.notify();
        }
    }
}

impl Searching {
    /// The right to search of a new worker, whose starter was counted for it.
    pub(super) fn granted() -> Self {
        Self(())
    }

    /// Ends the search without a find; the caller looks once more after F2 (I4).
    fn retire(self) {
        // ORDERING: AcqRel; F2 follows.
        scheduler().idle.searching.fetch_sub(1, Ordering::AcqRel);
        mem::forget(self);
    }
}

impl Idle {
    pub(super) const fn new() -> Self {
        Self {
            n_idle: CachePadded::new(AtomicU32::new(0)),
            searching: CachePadded::new(AtomicU32::new(0)),
            wanted: CachePadded::new(AtomicU32::new(0)),
            lists: Lock::new(
                LockRank::Sched,
                Lists {
                    idle: Vec::new(),
                    spare: Vec::new(),
                    sleepers: Vec::new(),
                    waiting: VecDeque::new(),
                    in_use: 0,
                    target: 0,
                },
            ),
        }
    }

    /// Publishes the counters that are read without the lock.
    fn publish(&self, lists: &Lists) {
        // ORDERING: Relaxed, both; the unlock or the fences F1 to F3 order them.
        self.n_idle.store(lists.idle.len() as u32, Ordering::Relaxed);
        let wanted = lists.waiting.len() + lists.in_use.saturating_sub(lists.target);
        self.wanted.store(wanted as u32, Ordering::Relaxed);
    }

    /// Whether a processor should be passed on: to a worker that waits for one, or out of use.
    #[inline]
    pub(super) fn processors_wanted(&self) -> bool {
        // ORDERING: Relaxed; a hint, the lock decides.
        self.wanted.load(Ordering::Relaxed) != 0
    }

    /// Says that there is new work that any worker may take: wakes one to search, unless one does.
    #[inline]
    pub(super) fn notify(&self) {
        // ORDERING: F1 (I4): the work before the look; pairs with F2 in `settle_asleep`.
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed, both; ordered by F1.
        if self.n_idle.load(Ordering::Relaxed) != 0 && self.searching.load(Ordering::Relaxed) == 0 {
            self.wake_searcher();
        }
    }

    #[cold]
    fn wake_searcher(&self) {
        // ORDERING: AcqRel; one submitter wins, the others rely on the searcher that it wakes.
        if self.searching.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        let mut lists = self.lists.lock();
        let Some(p) = lists.idle.pop() else {
            // Whoever took the last idle processor looks for work before it lets it go again. Under the lock: after
            // it a processor may become idle, and whoever submits then must not rely on us, who do not look.
            return Searching(()).retire();
        };
        let heir = Self::next_sleeper(&mut lists);
        self.publish(&lists);
        drop(lists);
        self.hand(heir, p, true);
    }

    /// A worker that runs everybody's goroutines, or a new one: of those that wait, or sleep.
    fn next_unlocked(lists: &mut Lists) -> Heir {
        let first = lists.waiting.iter().position(|w| !w.is_locked());
        first.and_then(|i| lists.waiting.remove(i)).map_or_else(|| Self::next_sleeper(lists), Heir::Worker)
    }

    /// A sleeping worker, or a new one (I3).
    fn next_sleeper(lists: &mut Lists) -> Heir {
        let Some(w) = lists.sleepers.pop() else {
            return Heir::NewThread;
        };
        // ORDERING: Relaxed; under the lock.
        w.asleep.store(false, Ordering::Relaxed);
        Heir::Worker(w)
    }

    /// Gives `p` to `heir`, with the right to search if `searching`. Not under the lock.
    fn hand(&self, heir: Heir, p: &'static Processor, searching: bool) {
        match heir {
            Heir::Nobody => {}
            Heir::NewThread => threads::start_worker(p, searching),
            Heir::Worker(w) => {
                let word = ptr::from_ref(p).cast_mut().map_addr(|a| a | usize::from(searching));
                // ORDERING: Release pairs with the Acquire in `wait`: the processor's state goes with it.
                w.handed.store(word, Ordering::Release);
                w.bell.set();
            }
        }
    }

    /// Begins a search, unless enough others search: at most half of the busy ones.
    pub(super) fn start_searching(&self) -> Option<Searching> {
        // ORDERING: Relaxed, both; a limit on waste, nothing depends on its being exact.
        let busy = (scheduler().procs() as u32).saturating_sub(self.n_idle.load(Ordering::Relaxed));
        if 2 * self.searching.load(Ordering::Relaxed) >= busy.max(1) {
            return None;
        }
        // ORDERING: AcqRel; pairs with the other changes of the counter.
        self.searching.fetch_add(1, Ordering::AcqRel);
        Some(Searching(()))
    }

    /// Takes `p` from its holder (I1, I2). The caller hands it to the heir after unlocking.
    fn let_go(&self, lists: &mut Lists, p: &'static Processor) -> Heir {
        if lists.in_use > lists.target {
            lists.in_use -= 1;
            scheduler().empty_processor(p);
            lists.spare.push(p);
            return Heir::Nobody;
        }
        if let Some(w) = lists.waiting.pop_front() {
            return Heir::Worker(w);
        }
        lists.idle.push(p);
        Heir::Nobody
    }

    /// Enters `w` among the sleepers (I3).
    fn lie_down(lists: &mut Lists, w: &'static Worker) {
        // ORDERING: Relaxed; under the lock, and F2 follows (I5).
        w.asleep.store(true, Ordering::Relaxed);
        if !w.is_locked() {
            lists.sleepers.push(w);
        }
    }

    /// Lets the processor of `w` go and sleeps until it is given one again.
    pub(super) fn sleep(&self, w: &'static Worker, searching: Option<Searching>) -> Option<Searching> {
        let p = w.processor();
        let mut lists = self.lists.lock();
        Self::lie_down(&mut lists, w);
        let heir = self.let_go(&mut lists, p);
        self.publish(&lists);
        drop(lists);
        if let Some(token) = searching {
            token.retire();
        }
        self.hand(heir, p, false);
        self.settle_asleep(w)
    }

    /// Gives the processor of `w` to a worker that waits for one, or out of use, if either is wanted; with
    /// `insist`, as when a locked worker cannot run what stands on it, to one that can. Comes back with a processor.
    pub(super) fn pass_on(&self, w: &'static Worker, insist: bool) -> Option<Searching> {
        let p = w.processor();
        let mut lists = self.lists.lock();
        let surplus = lists.in_use > lists.target;
        if !insist && !surplus && lists.waiting.is_empty() {
            return None;
        }
        let heir = if insist && !surplus { Self::next_unlocked(&mut lists) } else { self.let_go(&mut lists, p) };
        if !w.has_home_work() {
            Self::lie_down(&mut lists, w);
        } else if let Some(other) = lists.idle.pop() {
            // Nobody waits while a processor is idle (I2).
            self.publish(&lists);
            drop(lists);
            w.set_processor(other);
            self.hand(heir, p, false);
            return None;
        } else {
            lists.waiting.push_back(w);
        }
        self.publish(&lists);
        drop(lists);
        self.hand(heir, p, false);
        self.settle_asleep(w)
    }

    /// The last look before the sleep, of a worker that has let its processor go.
    fn settle_asleep(&self, w: &'static Worker) -> Option<Searching> {
        w.set_processor(ptr::null());
        // ORDERING: F2 (I4, I5): what was let go and `asleep` before the look for work; pairs with F1 and F3.
        fence(Ordering::SeqCst);
        if w.inbox_filled() {
            self.rouse(w);
        }
        if find_work::anything_to_steal() {
            // Its submitter may have seen us searching, and relied on it: wake a searcher, perhaps ourselves.
            self.notify();
        }
        self.wait(w)
    }

    /// Sleeps until a processor is handed over; the right to search may come with it.
    pub(super) fn wait(&self, w: &'static Worker) -> Option<Searching> {
        let mut patience = Some(TRIM_AFTER);
        loop {
            // ORDERING: Acquire pairs with the Release in `hand`.
            let handed = w.handed.swap(ptr::null_mut(), Ordering::Acquire);
            if !handed.is_null() {
                w.set_processor(handed.map_addr(|a| a & !1));
                // Lazily: a `Searching` that is made and dropped would count down.
                return (handed.addr() & 1 != 0).then(Searching::granted);
            }
            if !w.bell.wait_for(patience) && patience.take().is_some() {
                w.trim_stacks();
            }
        }
    }

    /// Says that something was posted to the inbox of `home`.
    #[inline]
    pub(super) fn notify_home(&self, home: &'static Worker) {
        // ORDERING: F3 (I5): the post before the look; pairs with F2 in `settle_asleep`.
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed; ordered by F3.
        if home.asleep.load(Ordering::Relaxed) {
            self.rouse(home);
        }
    }

    /// Gets a sleeping worker that has work of its own a processor, now or when one is let go.
    #[cold]
    fn rouse(&self, home: &'static Worker) {
        let mut lists = self.lists.lock();
        // ORDERING: Relaxed, both; under the lock (I3).
        if !home.asleep.load(Ordering::Relaxed) {
            return;
        }
        home.asleep.store(false, Ordering::Relaxed);
        lists.sleepers.retain(|w| !ptr::eq(*w, home));
        let p = lists.idle.pop();
        if p.is_none() {
            lists.waiting.push_back(home);
        }
        self.publish(&lists);
        drop(lists);
        if let Some(p) = p {
            self.hand(Heir::Worker(home), p, false);
        }
    }

    /// Changes how many processors are in use; `make` makes one.
    pub(super) fn resize(&self, target: usize, mut make: impl FnMut() -> &'static Processor) {
        let mut heirs = Vec::new();
        let mut lists = self.lists.lock();
        lists.target = target;
        while lists.in_use < target {
            let p = lists.spare.pop().unwrap_or_else(&mut make);
            lists.in_use += 1;
            heirs.push((self.let_go(&mut lists, p), p));
        }
        while lists.in_use > target {
            // Those that are held are passed on by their holders, when they look at `wanted`.
            let Some(p) = lists.idle.pop() else { break };
            lists.in_use -= 1;
            lists.spare.push(p);
        }
        self.publish(&lists);
        drop(lists);
        heirs.into_iter().for_each(|(heir, p)| self.hand(heir, p, false));
        self.notify();
    }
}
