//! The G: everything the scheduler knows of one goroutine.
//!
//! # Invariants
//! 1. Type-stable: a goroutine object is recycled, never freed. The park word is its first field, so a pointer to
//!    the one is a pointer to the other.
//! 2. `refs` counts the running side (dropped by its successor, once the stack is left for ever) and, if there is
//!    one, the join handle. At zero the object is recycled.
//! 3. Fields marked *owner* are accessed by whoever has the right to run the goroutine: the spawner before it is
//!    queued, then one worker at a time. The run queues, the park word and the locks in between publish them. While
//!    a dump has frozen a parked goroutine (status, I4), it is the dump.
//! 4. `extra` is written by the owner under the lock `NAMES`, and inside its worker's lease: so others may read it under
//!    that lock, and the monitor while the owner is kept outside (lease, I3).

use super::counters::{self, Counters};
use super::current;
use super::list::Linked;
use super::site::Site;
use super::status::ParkWord;
use super::worker::Worker;
use crate::coroutine::stack::{Class, StackState};
use crate::coroutine::switch::Context;
use crate::platform::clock;
use crate::primitives::atomic::{AtomicPtr, AtomicU8, AtomicU64, Ordering};
use crate::primitives::cell::UnsafeCell;
use crate::primitives::{Lock, LockRank, prefetch};
use core::any::Any;
use core::cell::Cell;
use core::mem::MaybeUninit;
use core::ptr;
use std::backtrace::Backtrace;

/// Words in the payload: the join header and a closure or result of up to 48 bytes.
pub(crate) const PAYLOAD_WORDS: usize = 12;
pub(crate) type Payload = [MaybeUninit<u64>; PAYLOAD_WORDS];

/// Runs the payload to its end; never unwinds.
pub(crate) type RunFn = unsafe fn(*mut Payload);

/// Where a goroutine stands, for dumps. A hint: it is written without synchronisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    Free = 0,
    Runnable = 1,
    Running = 2,
    Waiting = 3,
    Dead = 4,
}

/// Properties given at spawn, and those that change while it runs.
pub(crate) mod flags {
    /// Go's mode: may be resumed by any worker.
    pub(crate) const MIGRATING: u8 = 1;
    /// `go!(pinned; …)`: takes a home at its first run whatever the mode.
    pub(crate) const PINNED: u8 = 2;
    /// Has run: it has a stack and a context.
    pub(crate) const STARTED: u8 = 4;
    /// Has a home only for as long as it panics (`lock_thread`).
    pub(crate) const PANIC_HOME: u8 = 8;
}

/// Guards the writes to `extra`, so that a dump may read the name of a goroutine that is not its own (I4).
static NAMES: Lock<()> = Lock::new(LockRank::Leaf, ());

/// Every so many starts and wake-ups are timed.
const SAMPLE: u64 = 64;

/// What a dump may know of a goroutine without owning it: hints, but all of the same goroutine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glance {
    pub(crate) id: u64,
    pub(crate) state: State,
    /// A `WaitReason`, while it waits.
    pub(crate) reason: u8,
    /// Milliseconds since it began to wait, or last did.
    pub(crate) waits_for: u64,
    /// Who started it; 0 for a plain thread.
    pub(crate) creator: u64,
    pub(crate) site: &'static Site,
    /// It has run.
    pub(crate) has_stack: bool,
}

/// Rarely used parts, allocated on demand.
#[derive(Default)]
pub(crate) struct Extra {
    pub(crate) name: Option<Box<str>>,
    /// Where it panicked, if that may end the process.
    pub(crate) panic: Option<Backtrace>,
}

/// See the module's page.
#[repr(C, align(16))]
pub(crate) struct Goroutine {
    /// First, see I1.
    pub(crate) word: ParkWord,
    /// Owner; while the goroutine does not run: its saved context.
    pub(crate) context: UnsafeCell<Context>,
    link: UnsafeCell<*mut Goroutine>,
    /// The worker whose thread alone may resume it, or null. Written by the goroutine's own thread.
    home: AtomicPtr<Worker>,
    /// Owner.
    pub(crate) stack: UnsafeCell<StackState>,
    /// Owner.
    pub(crate) run: Cell<RunFn>,
    /// Owner; also the join handle, by its own protocol (`go::task`).
    pub(crate) payload: UnsafeCell<Payload>,
    /// Owner: goroutine locals, typed by `go::local`.
    pub(crate) locals: UnsafeCell<Option<Box<dyn Any>>>,
    /// See I4.
    extra: UnsafeCell<Option<Box<Extra>>>,
    id: AtomicU64,
    /// Who started it; 0 for a plain thread.
    creator: AtomicU64,
    /// When the last wait began, in milliseconds of the clock of waits.
    since: AtomicU64,
    /// When it became runnable, in nanoseconds, if that is one of the samples; else 0.
    readied: AtomicU64,
    site: AtomicPtr<Site>,
    /// Nesting of `lock_os_thread`. Owner.
    pub(crate) os_locks: Cell<u32>,
    flags: AtomicU8,
    state: AtomicU8,
    reason: AtomicU8,
    refs: AtomicU8,
    class: Cell<Class>,
}

// SAFETY: owner fields are accessed by one worker at a time (I3), the rest is atomic.
unsafe impl Send for Goroutine {}
// SAFETY: as above (I3).
unsafe impl Sync for Goroutine {}

// SAFETY: always the same field, used by the lists alone.
unsafe impl Linked for Goroutine {
    fn link(&self) -> &UnsafeCell<*mut Self> {
        &self.link
    }
}

unsafe fn no_body(_: *mut Payload) {}

impl Goroutine {
    pub(super) fn new() -> Self {
        Self {
            word: ParkWord::new(),
            context: UnsafeCell::new(Context::empty()),
            link: UnsafeCell::new(ptr::null_mut()),
            home: AtomicPtr::new(ptr::null_mut()),
            stack: UnsafeCell::new(StackState::new()),
            run: Cell::new(no_body),
            payload: UnsafeCell::new([MaybeUninit::uninit(); PAYLOAD_WORDS]),
            locals: UnsafeCell::new(None),
            extra: UnsafeCell::new(None),
            id: AtomicU64::new(0),
            creator: AtomicU64::new(0),
            since: AtomicU64::new(0),
            readied: AtomicU64::new(0),
            site: AtomicPtr::new(ptr::from_ref(Site::NOWHERE).cast_mut()),
            os_locks: Cell::new(0),
            flags: AtomicU8::new(0),
            state: AtomicU8::new(State::Free as u8),
            reason: AtomicU8::new(0),
            refs: AtomicU8::new(0),
            class: Cell::new(Class::DEFAULT),
        }
    }

    /// Makes a recycled object a new goroutine, with both references (I2).
    #[inline]
    pub(super) fn reset(&self, id: u64, site: &'static Site, flags: u8, class: Class, creator: u64) {
        // ORDERING: Relaxed, all of them; whoever runs or joins it gets it through a queue or a handle.
        self.id.store(id, Ordering::Relaxed);
        self.creator.store(creator, Ordering::Relaxed);
        self.site.store(ptr::from_ref(site).cast_mut(), Ordering::Relaxed);
        self.flags.store(flags, Ordering::Relaxed);
        self.refs.store(2, Ordering::Relaxed);
        self.home.store(ptr::null_mut(), Ordering::Relaxed);
        self.class.set(class);
    }

    #[inline]
    pub(crate) fn id(&self) -> u64 {
        // ORDERING: Relaxed; written before the goroutine was published.
        self.id.load(Ordering::Relaxed)
    }

    pub(crate) fn site(&self) -> &'static Site {
        // ORDERING: Relaxed; a static, whole since the program began.
        let site = self.site.load(Ordering::Relaxed);
        // SAFETY: stored by `new` or `reset` from a `&'static Site`.
        unsafe { &*site }
    }

    #[inline]
    pub(crate) fn class(&self) -> Class {
        self.class.get()
    }

    #[inline]
    pub(crate) fn has(&self, flag: u8) -> bool {
        // ORDERING: Relaxed; written by whoever owns the goroutine (I3).
        self.flags.load(Ordering::Relaxed) & flag != 0
    }

    /// Owner only.
    #[inline]
    pub(crate) fn set_flag(&self, flag: u8, on: bool) {
        // ORDERING: Relaxed; written by whoever owns the goroutine (I3), read by it or as a hint.
        let now = self.flags.load(Ordering::Relaxed);
        self.flags.store(if on { now | flag } else { now & !flag }, Ordering::Relaxed);
    }

    /// The worker that alone may resume it, if any.
    #[inline]
    pub(crate) fn home(&self) -> *mut Worker {
        // ORDERING: Relaxed; the home changes only while the goroutine runs, and is published with its park.
        self.home.load(Ordering::Relaxed)
    }

    /// Owner only.
    #[inline]
    pub(crate) fn set_home(&self, worker: *mut Worker) {
        // ORDERING: Relaxed; see `home`.
        self.home.store(worker, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn set_state(&self, state: State, reason: u8) {
        // ORDERING: Relaxed; dumps read hints.
        self.state.store(state as u8, Ordering::Relaxed);
        self.reason.store(reason, Ordering::Relaxed);
    }

    /// It will be queued now. One in so many is timed until it runs.
    #[inline]
    pub(crate) fn set_runnable(&self) {
        self.set_state(State::Runnable, 0);
        // Each goroutine's every so manieth wait, and each so manieth goroutine's start: no counter is needed.
        if (u64::from(self.word.sequence()) ^ self.id()).is_multiple_of(SAMPLE) {
            self.begin_sample();
        }
    }

    #[cold]
    #[inline(never)]
    fn begin_sample(&self) {
        // ORDERING: Relaxed; the queue publishes it.
        self.readied.store(clock::nanos(), Ordering::Relaxed);
    }

    /// It runs now, on the processor of these counters. Owner only.
    #[inline]
    pub(crate) fn set_running(&self, counters: &Counters) {
        self.set_state(State::Running, 0);
        // ORDERING: Relaxed; the queue published it.
        if self.readied.load(Ordering::Relaxed) != 0 {
            self.end_sample(counters);
        }
    }

    #[cold]
    #[inline(never)]
    fn end_sample(&self, counters: &Counters) {
        // ORDERING: Relaxed, both; written by the owner, who we are.
        let readied = self.readied.load(Ordering::Relaxed);
        self.readied.store(0, Ordering::Relaxed);
        counters.latency.record(clock::nanos().saturating_sub(readied));
    }

    /// It waits from now on, by the clock of waits. Owner only.
    #[inline]
    pub(crate) fn set_waiting(&self, reason: u8, now: u64) {
        // ORDERING: Relaxed; dumps read hints.
        self.since.store(now, Ordering::Relaxed);
        self.set_state(State::Waiting, reason);
    }

    /// It will run soon: brings near what a switch to it will want first. Anybody: it may be run meanwhile, or be recycled.
    #[inline(never)]
    pub(crate) fn approach(&self) {
        if self.has(flags::STARTED) {
            // SAFETY: the context is there for as long as the object, that is, for ever (I1).
            self.context.with(|context| unsafe { Context::approach(context) });
        } else {
            // What it was spawned with; the stack that it will get is hot.
            let here = ptr::from_ref(self).addr();
            (here..here + size_of::<Self>()).step_by(64).for_each(prefetch);
        }
    }

    /// What a dump may know of it without owning it; `None` if there is no goroutine here, or it came or went
    /// meanwhile.
    pub(crate) fn glance(&self) -> Option<Glance> {
        // ORDERING: Relaxed, all; hints, and the id, which is never used twice, says whether they are of one goroutine.
        let id = self.id();
        let state = self.state.load(Ordering::Relaxed);
        let state = [State::Runnable, State::Running, State::Waiting].into_iter().find(|s| *s as u8 == state)?;
        let glance = Glance {
            id,
            state,
            reason: self.reason.load(Ordering::Relaxed),
            waits_for: counters::now().saturating_sub(self.since.load(Ordering::Relaxed)),
            creator: self.creator.load(Ordering::Relaxed),
            site: self.site(),
            has_stack: self.has(flags::STARTED),
        };
        (self.id() == id).then_some(glance)
    }

    /// The name of goroutine `id`, if this is it and it has one.
    pub(crate) fn name_of(&self, id: u64) -> Option<Box<str>> {
        let _names = NAMES.lock();
        // SAFETY: nobody writes meanwhile (I4). A goroutine that began later has another id.
        let name = self.extra.with(|extra| unsafe { (*extra).as_ref()?.name.clone() });
        name.filter(|_| self.id() == id)
    }

    /// Gives it its rarely used parts, or takes them. Owner only.
    #[cold]
    pub(crate) fn set_extra(&self, extra: Option<Extra>) {
        let extra = extra.map(Box::new);
        let before = {
            let _names = NAMES.lock();
            // SAFETY: the owner's field; others read under the lock (I4).
            self.extra.with_mut(|place| unsafe { core::mem::replace(&mut *place, extra) })
        };
        drop(before);
    }

    /// Notes where it panicked. Owner only.
    #[cold]
    pub(crate) fn keep_panic(&self, backtrace: Backtrace) {
        // Inside: the monitor reads names of those that are outside.
        current::inside(|| {
            // SAFETY: it runs here, so it does not end meanwhile.
            let name = unsafe { self.name() }.map(Into::into);
            self.set_extra(Some(Extra { name, panic: Some(backtrace) }));
        });
    }

    /// What [`keep_panic`](Self::keep_panic) noted last. Owner only.
    pub(crate) fn take_panic(&self) -> Option<Backtrace> {
        current::inside(|| {
            let _names = NAMES.lock();
            // SAFETY: the owner's field; others read under the lock (I4), or while we are outside.
            self.extra.with_mut(|extra| unsafe { (*extra).as_mut()?.panic.take() })
        })
    }

    /// Drops the rarely used parts, at the end. Owner only.
    #[inline]
    pub(crate) fn drop_extra(&self) {
        // SAFETY: the owner's field, which nobody else writes (I4).
        if self.extra.with(|extra| unsafe { (*extra).is_some() }) {
            self.set_extra(None);
        }
    }

    /// Drops one of the two references; true for the last.
    #[inline]
    pub(crate) fn release(&self) -> bool {
        // ORDERING: AcqRel; Release publishes this side's last accesses, Acquire lets the last one recycle after
        // the other's; both partners are this line.
        self.refs.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Drops the goroutine's locals. Called by the goroutine itself: user code runs, which may park.
    #[inline]
    pub(crate) fn drop_locals(&self) {
        // SAFETY: owner field; the goroutine runs here.
        if self.locals.with(|locals| unsafe { (*locals).is_some() }) {
            self.drop_locals_cold();
        }
    }

    #[cold]
    fn drop_locals_cold(&self) {
        // SAFETY: owner field; the goroutine runs here, and the borrow ends before a destructor runs.
        let take = || self.locals.with_mut(|locals| unsafe { (*locals).take() });
        // A local's destructor may make new ones.
        for _ in 0..8 {
            let Some(locals) = take() else { return };
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(locals)));
        }
        // They come back for ever, and must not stay for the next goroutine of this object, which may run on another
        // thread: leaked, as std leaks such thread locals.
        core::mem::forget(take());
    }

    /// The name, if it was given one.
    ///
    /// # Safety
    /// The goroutine is the caller's own, or cannot end meanwhile.
    pub(crate) unsafe fn name(&self) -> Option<&str> {
        // SAFETY: `extra` is written before the first run and after the last only (I3).
        self.extra.with(|extra| unsafe { (*extra).as_ref()?.name.as_deref() })
    }
}
