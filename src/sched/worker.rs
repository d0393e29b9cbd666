//! The M: an OS thread of the runtime, and the switches made on it.
//!
//! Switches are symmetric: a goroutine that parks picks the next one and jumps straight to it. What must happen
//! after the old stack is left (commit the park, queue it again, free its stack) is noted in `after` and done by
//! the successor, first thing. The worker's own stack, the *root*, runs only when there is nothing to run.
//!
//! # Invariants
//! 1. A worker is leaked: never freed. Fields marked *owner* are accessed on its thread only; it has one at a time.
//! 2. `after` is set right before a switch and taken right after it, on the same thread: nothing runs in between.
//! 3. A goroutine's context is saved before `after` is looked at, so only the successor may make it runnable.
//! 4. `current` is the goroutine on whose stack the thread runs, or null on the root.
//! 5. After a switch returns, the thread may be another one (migrating mode): the worker is looked up again.
//! 6. The owner is inside its lease except while a goroutine's own code runs, and uses `processor` only inside. It may
//!    find itself without one then: what it does must work without, up to its root, where it gets one again.

use super::goroutine::{Goroutine, State, flags};
use super::lease::Lease;
use super::list::List;
use super::processor::Processor;
use super::scheduler::scheduler;
use super::status::Duty;
use super::strict::Pausing;
use super::{current, find_work, lock_thread, run, watch};
use crate::coroutine::stack::{self, Protection, StackCache, overflow::AltStack};
use crate::coroutine::switch::{self, Context};
use crate::platform::threads::Probe;
use crate::primitives::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use crate::primitives::cell::UnsafeCell;
use crate::primitives::rand::Rng;
use crate::primitives::{Event, Lock, LockRank, assert_none_held, sequence};
use core::cell::Cell;
use core::ptr::{self, NonNull};

/// What a goroutine's successor does for it.
#[derive(Clone, Copy)]
pub(super) enum After {
    Nothing,
    /// It parked: commit the park.
    Commit(NonNull<Goroutine>),
    /// It yielded: queue it again.
    Requeue(NonNull<Goroutine>),
    /// It ended: free its stack and the running side's reference.
    Bury(NonNull<Goroutine>),
}

/// So many goroutines before its turn one is brought near.
const LEAD: u32 = 3;

/// See the module's page.
pub(crate) struct Worker {
    /// Owner.
    root: UnsafeCell<Context>,
    /// Owner (I4).
    current: Cell<*mut Goroutine>,
    /// Says whether the owner may use the processor (I6).
    pub(super) lease: Lease,
    /// The processor it holds, or null. Written by the owner, inside; read by the monitor, which checks it under the
    /// lease.
    pub(super) processor: AtomicPtr<Processor>,
    /// For the monitor: what its thread is doing.
    pub(super) probe: Probe,
    /// Whether the goroutine that runs here is asked to yield (`park::slice`).
    pub(super) slice: AtomicBool,
    /// For the monitor: lets its goroutine rest (`strict`).
    pub(super) pausing: Pausing,
    /// Owner (I2).
    after: Cell<After>,
    /// Owner: runnable goroutines whose home this is.
    pub(super) home: UnsafeCell<List<Goroutine>>,
    /// Owner: the one of them to run first.
    pub(super) home_next: Cell<*mut Goroutine>,
    /// Owner: how many goroutines have this home, runnable or not.
    pub(super) residents: Cell<usize>,
    /// Owner.
    stacks: UnsafeCell<StackCache>,
    /// Owner: how many goroutines want this thread for themselves. Others look at it as
    /// `idle::Sleeper::is_locked` says.
    pub(super) locked: Cell<u32>,
    /// Owner: counts picks.
    pub(super) picks: Cell<u32>,
    /// Owner: how many `run_next` picks in a row.
    pub(super) chain: Cell<u32>,
    /// Owner: when that row began, in milliseconds of a coarse clock.
    pub(super) chain_began: Cell<u64>,
    /// Owner: whether those at home here come before the processor's queue, next time.
    pub(super) home_turn: Cell<bool>,
    /// Owner: how many sleeps in a row were too short to pay, and whether the inbox was filled since the last one.
    short_sleeps: Cell<u8>,
    pub(super) visited: Cell<bool>,
    /// Owner.
    rng: UnsafeCell<Rng>,
    /// Runnable goroutines whose home this is, woken by other threads.
    pub(super) inbox: Lock<List<Goroutine>>,
    pub(super) inbox_len: AtomicUsize,
    /// Owner: what it does on its root wakes goroutines, which are gathered here (vigil, I1).
    serving: Cell<bool>,
    gathered: UnsafeCell<List<Goroutine>>,
    /// It holds no processor and sleeps, or is about to; written under the scheduler's lock.
    pub(super) asleep: AtomicBool,
    /// The processor given to it while it slept.
    pub(super) handed: AtomicPtr<Processor>,
    pub(super) bell: Event,
}

// SAFETY: owner fields are accessed on one thread only (I1), the rest is atomic or locked.
unsafe impl Send for Worker {}
// SAFETY: as above (I1).
unsafe impl Sync for Worker {}

impl Worker {
    pub(super) fn new() -> Self {
        Self {
            root: UnsafeCell::new(Context::empty()),
            current: Cell::new(ptr::null_mut()),
            lease: Lease::new(),
            processor: AtomicPtr::new(ptr::null_mut()),
            probe: Probe::new(),
            slice: AtomicBool::new(false),
            pausing: Pausing::new(),
            after: Cell::new(After::Nothing),
            home: UnsafeCell::new(List::new()),
            home_next: Cell::new(ptr::null_mut()),
            residents: Cell::new(0),
            stacks: UnsafeCell::new(StackCache::new()),
            locked: Cell::new(0),
            picks: Cell::new(0),
            chain: Cell::new(0),
            chain_began: Cell::new(0),
            home_turn: Cell::new(false),
            short_sleeps: Cell::new(0),
            visited: Cell::new(false),
            rng: UnsafeCell::new(Rng::new(sequence() * 0x5851_F42D)),
            inbox: Lock::new(LockRank::Leaf, List::new()),
            inbox_len: AtomicUsize::new(0),
            serving: Cell::new(false),
            gathered: UnsafeCell::new(List::new()),
            asleep: AtomicBool::new(false),
            handed: AtomicPtr::new(ptr::null_mut()),
            bell: Event::new(),
        }
    }

    #[inline]
    pub(super) fn current(&self) -> *mut Goroutine {
        self.current.get()
    }

    #[inline]
    pub(super) fn rand_below(&self, n: u32) -> u32 {
        // SAFETY: owner only (I1), and `below` calls nothing back.
        self.rng.with_mut(|rng| unsafe { (*rng).below(n) })
    }

    /// Owner: whether the sleep that has ended was too short. Whom nobody visits may search at any time, and does not count.
    pub(super) fn note_sleep(&self, short: bool) {
        let short = short && (self.visited.replace(false) || self.inbox_filled());
        self.short_sleeps.set(if short { self.short_sleeps.get().saturating_add(1) } else { 0 });
    }

    /// Owner: whether other threads have woken goroutines that are at home here since it slept.
    pub(super) fn is_visited(&self) -> bool {
        self.visited.get()
    }

    /// Owner: whether it waits a moment before it sleeps. Not after a few short sleeps only: one that asks, is answered
    /// soon, and rests for long would wait in vain each time.
    pub(super) fn lingers(&self) -> bool {
        const FEW: u8 = 4;
        self.short_sleeps.get() >= FEW
    }

    /// Calls `f`, which does not park, and returns the goroutines that it has woken. On the root.
    pub(super) fn gather(&self, f: impl FnOnce()) -> List<Goroutine> {
        self.serving.set(true);
        f();
        self.serving.set(false);
        // SAFETY: owner only (I1), and nothing is called meanwhile.
        self.gathered.with_mut(|gathered| unsafe { core::mem::replace(&mut *gathered, List::new()) })
    }

    /// Takes `g`, which was woken on this thread, to the others; false if they are not being gathered. Owner only.
    pub(super) fn gathers(&self, g: NonNull<Goroutine>) -> bool {
        if self.serving.get() {
            // SAFETY: owner only (I1), and whoever makes a goroutine runnable owns it, so it is in no other list.
            self.gathered.with_mut(|gathered| unsafe { (*gathered).push_back(g) });
        }
        self.serving.get()
    }

    /// The stack cache. Owner only; the borrow ends before anything else is called.
    #[inline]
    fn with_stacks<R>(&self, f: impl FnOnce(&mut StackCache) -> R) -> R {
        // SAFETY: owner only (I1), and no caller's `f` comes back here.
        self.stacks.with_mut(|stacks| f(unsafe { &mut *stacks }))
    }

    /// Gives memory of idle stacks back: its own, and that of others while a processor is idle and none is handed over to
    /// it. Owner, while it sleeps.
    pub(super) fn trim_stacks(&self) {
        self.with_stacks(StackCache::trim);
        // ORDERING: Relaxed; a look whether to stop. Who takes the processor looks again.
        let called = || !self.handed.load(Ordering::Relaxed).is_null();
        while scheduler().attendance().idle != 0 && !called() && stack::scavenge() {}
    }

    /// Does for the predecessor what could not be done on its stack (I2, I3).
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn settle(&'static self) {
        let after = self.after.replace(After::Nothing);
        // Most often it has parked, and nobody has woken it yet.
        if let After::Commit(g) = after {
            // SAFETY: objects are type-stable; the commit says whether it is ours to run.
            if unsafe { g.as_ref() }.word.commit() == Duty::MakeRunnable {
                self.ready_at_once(g);
            }
        } else {
            self.settle_others(after);
        }
    }

    #[inline(never)]
    fn settle_others(&'static self, after: After) {
        match after {
            After::Nothing | After::Commit(_) => {}
            After::Requeue(g) => run::requeue_on(self, g),
            After::Bury(g) => self.bury(g),
        }
    }

    #[cold]
    fn ready_at_once(&'static self, g: NonNull<Goroutine>) {
        run::ready_on(self, g);
    }

    /// The first thing on a goroutine's stack after a switch: settles, and goes back to the goroutine's code.
    #[inline]
    fn arrive(&'static self) {
        self.settle();
        self.exit();
    }

    fn bury(&'static self, g: NonNull<Goroutine>) {
        // SAFETY: the goroutine ended and its stack is left (I3), so its owner fields are ours.
        let stack = unsafe { g.as_ref().stack.with_mut(|s| (*s).unbind()) };
        self.with_stacks(|stacks| stacks.give(stack));
        self.retire(g);
    }

    /// Drops the running side's reference to an ended goroutine that has no stack any more.
    #[inline]
    fn retire(&self, g: NonNull<Goroutine>) {
        // SAFETY: objects are type-stable.
        let goroutine = unsafe { g.as_ref() };
        let s = scheduler();
        match self.processor() {
            Some(p) => p.with_promises(|promises| promises.give(goroutine.class())),
            None => s.promises.lock().give(goroutine.class()),
        }
        if ptr::eq(goroutine.home(), self) {
            self.residents.set(self.residents.get() - 1);
        }
        if goroutine.release() {
            // SAFETY: that was the last reference.
            unsafe { run::recycle(self.processor(), g) };
        }
    }

    /// Makes `g` the running one: its first run gives it a home, if its mode asks for one. Holds a processor.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn set_current(&self, g: NonNull<Goroutine>) {
        // SAFETY: `g` was taken off a run queue, so it is ours to run.
        let goroutine = unsafe { g.as_ref() };
        if !goroutine.has(flags::STARTED) {
            goroutine.set_flag(flags::STARTED, true);
            if !goroutine.has(flags::MIGRATING) || goroutine.has(flags::PINNED) {
                goroutine.set_home(ptr::from_ref(self).cast_mut());
                self.residents.set(self.residents.get() + 1);
            }
        }
        goroutine.set_running(&self.held().counters);
        self.current.set(g.as_ptr());
        self.held().count_switch();
        // Where very many wait to run, each lies on a cold page, and two runs take less time than one page.
        if let Some(later) = self.held().queue.look_ahead(LEAD) {
            // SAFETY: objects are type-stable, and only hints are read: it may run elsewhere by now.
            unsafe { later.as_ref() }.approach();
        }
    }

    /// Gives `g` a stack and a context, if it has none, and returns the context to resume.
    #[inline]
    fn prepare(&self, g: NonNull<Goroutine>) -> *const Context {
        // SAFETY: `g` was taken off a run queue, so it is ours to run.
        let goroutine = unsafe { g.as_ref() };
        if !goroutine.has(flags::STARTED) {
            self.bind(g);
        }
        goroutine.context.with(|context| context)
    }

    fn bind(&self, g: NonNull<Goroutine>) {
        // SAFETY: as in `prepare`.
        let goroutine = unsafe { g.as_ref() };
        let stack = self
            .with_stacks(|stacks| stacks.take(goroutine.class()))
            .unwrap_or_else(|error| crate::platform::fatal::fatal(format_args!("no stack for a goroutine: {error}")));
        let arg = g.as_ptr().cast::<()>();
        // SAFETY: the goroutine is ours and has not run, so stack state and context are unused; `entry` gets the
        // goroutine that it is made for, and never unwinds.
        unsafe {
            goroutine.stack.with_mut(|s| (*s).bind(stack));
            goroutine.context.with_mut(|context| {
                goroutine.stack.with_mut(|s| switch::init(context, s, entry, arg));
            });
        }
    }

    /// Leaves the running goroutine for `next`, or for the root if there is none; returns when it is resumed.
    ///
    /// # Safety
    /// Called on this worker's thread, on the stack of `from`, the running goroutine; inside, which it leaves.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn leave(&'static self, from: NonNull<Goroutine>, next: Option<NonNull<Goroutine>>, after: After) {
        let to = match next {
            Some(next) => {
                let to = self.prepare(next);
                self.set_current(next);
                to
            }
            None => {
                self.current.set(ptr::null_mut());
                self.root.with(|root| root)
            }
        };
        self.after.set(after);
        // SAFETY: `from` is the running goroutine; `to` is a context that nobody else resumes: its goroutine is
        // ours, or it is our root. What the successor does for `from` comes after the save (I3).
        unsafe { (*from.as_ptr()).context.with_mut(|save| switch::swap(save, to)) };
        // Perhaps another thread (I5).
        current::worker_here().arrive();
    }

    /// The worker's life, on its own thread: run goroutines, search, sleep. Without a processor it begins with sleep. It
    /// ends when it is dismissed; then another thread may begin it anew.
    pub(super) fn run(&'static self, processor: Option<&'static Processor>, searching: bool) {
        let _alt_stack = AltStack::install();
        current::set_worker(self);
        watch::enter(self);
        self.probe.introduce();
        let searching = match processor {
            Some(p) => scheduler().idle.begin_with(self, p, searching),
            None => scheduler().idle.begin_asleep(self),
        };
        // It may have been dismissed before it came to anything.
        let mut next = if self.has_processor() { find_work::blocking(self, searching) } else { None };
        while let Some(g) = next {
            let to = self.prepare(g);
            self.set_current(g);
            // SAFETY: we are on the root; `to` belongs to a goroutine that is ours to run.
            unsafe { self.root.with_mut(|root| switch::swap(root, to)) };
            self.settle();
            next = find_work::blocking(self, None);
        }
        self.trim_stacks();
        watch::leave(self);
        current::forget_worker();
    }
}

/// Where every goroutine begins and ends. Returns the context to go on with.
unsafe extern "C" fn entry(arg: *mut ()) -> *const Context {
    // SAFETY: `bind` passes a goroutine.
    let mut g = unsafe { NonNull::new_unchecked(arg.cast::<Goroutine>()) };
    current::worker_here().arrive();
    loop {
        // SAFETY: the goroutine is ours to run, once; its body does not unwind.
        unsafe { g.as_ref().payload.with_mut(|payload| (g.as_ref().run.get())(payload)) };
        // SAFETY: type-stable; the running side's reference is still there.
        let dead = unsafe { g.as_ref() };
        // Again: the destructor of a result that nobody takes came after the first time. The last user code.
        dead.drop_locals();
        let w = current::worker_here();
        w.enter();
        lock_thread::forget(w, dead);
        dead.set_state(State::Dead, 0);
        let Some(next) = find_work::quick(w) else {
            w.current.set(ptr::null_mut());
            w.after.set(After::Bury(g));
            return w.root.with(|root| root);
        };
        // SAFETY: `next` was taken off a run queue, so it is ours to run.
        let fresh = unsafe { next.as_ref() };
        if fresh.has(flags::STARTED) || fresh.class() != dead.class() {
            let to = w.prepare(next);
            w.set_current(next);
            w.after.set(After::Bury(g));
            return to;
        }
        // The hot path of many short goroutines: the next one takes this stack, without a switch.
        // SAFETY: both are ours; the dead one's frames are gone, this function's own stay where they are.
        unsafe {
            let stack = dead.stack.with_mut(|s| (*s).unbind());
            fresh.stack.with_mut(|s| (*s).bind(stack));
        }
        w.retire(g);
        w.set_current(next);
        w.exit();
        g = next;
    }
}

/// Parks the running goroutine until its wait is over.
pub(super) fn park(reason: u8) {
    let w = current::worker_here();
    let g = current_goroutine(w);
    // SAFETY: it runs here.
    let goroutine = unsafe { g.as_ref() };
    assert_none_held();
    w.enter();
    lock_thread::before_park(w, goroutine);
    if stack::protection() == Protection::Canary {
        // SAFETY: it runs here.
        goroutine.stack.with(|state| unsafe { (*state).check_canary() });
    }
    goroutine.set_waiting(reason, w.count_park());
    let next = find_work::quick(w);
    // SAFETY: `g` runs here.
    unsafe { w.leave(g, next, After::Commit(g)) };
}

/// Lets others run; returns at once if there is nobody.
pub(super) fn yield_now(w: &'static Worker) {
    let g = current_goroutine(w);
    assert_none_held();
    w.enter();
    // SAFETY: it runs here.
    lock_thread::before_park(w, unsafe { g.as_ref() });
    if let Some(next) = find_work::quick(w) {
        // SAFETY: it runs here.
        unsafe { g.as_ref() }.set_state(State::Runnable, 0);
        // SAFETY: `g` runs here.
        unsafe { w.leave(g, Some(next), After::Requeue(g)) };
    } else if find_work::is_root_wanted(w) {
        // SAFETY: `g` runs here.
        unsafe { w.leave(g, None, After::Requeue(g)) };
    } else {
        w.exit();
    }
}

fn current_goroutine(w: &Worker) -> NonNull<Goroutine> {
    NonNull::new(w.current()).expect("runtime bug: no goroutine runs here")
}
