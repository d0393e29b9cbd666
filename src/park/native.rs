//! The body of a real program: the waiter is a goroutine on its worker, or a plain OS thread.
//!
//! # Invariants
//! 1. A parker is the park word at the head of a goroutine object or of a [`ThreadParker`]; both are type-stable:
//!    recycled, never freed. Bit 0 of the pointer says which of the two it is.
//! 2. A thread's parker is used as "current" by its thread only, and handed back when the thread ends.
//! 3. A thread that has committed its wait goes on when it has been taken out of the count of blocked ones, and not when
//!    it is woken, which it may see earlier: its bell may ring late, for the wait before. `uncounted` is set once for each
//!    committed wait, and taken away by the thread before it goes on.

use super::{Outcome, WaitReason};
use crate::coroutine::stack::class_for;
use crate::platform::fatal::runtime_bug;
use crate::primitives::atomic::{AtomicBool, Ordering};
use crate::primitives::{Event, Lock, LockRank, thread_local};
use crate::sched::goroutine::{Extra, Goroutine, RunFn, flags};
use crate::sched::list::List;
use crate::sched::site::Site;
use crate::sched::status::{Duty, ParkWord};
use crate::sched::woken::{Waiter, WakeThread};
use crate::sched::{self, current, watch};
use core::ptr::NonNull;

/// What an OS thread outside the runtime waits with.
#[derive(Debug)]
#[repr(C, align(8))]
struct ThreadParker {
    word: ParkWord,
    /// The thread blocked, and is not counted as blocked any more (I3).
    uncounted: AtomicBool,
    event: Event,
}

const THREAD: usize = 1;

/// The waiter: a tagged pointer to its park word (I1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Parker(NonNull<ParkWord>);

// SAFETY: what is behind the pointer is type-stable (I1), and shared access to it is through atomics.
unsafe impl Send for Parker {}
// SAFETY: as above (I1).
unsafe impl Sync for Parker {}

impl Parker {
    #[inline]
    pub(super) fn current() -> Self {
        match current::park_word() {
            Some(word) => Self(word),
            None => Self::of_thread(),
        }
    }

    #[cold]
    fn of_thread() -> Self {
        let parker = OwnParker::get();
        Self(parker.cast::<ParkWord>().map_addr(|a| a | THREAD))
    }

    #[inline]
    fn is_thread(self) -> bool {
        self.0.addr().get() & THREAD != 0
    }

    #[inline]
    fn untagged(self) -> NonNull<ParkWord> {
        // SAFETY: the pointer is that of a parker, which is aligned; it had one bit more at most (I1).
        unsafe { NonNull::new_unchecked(self.0.as_ptr().map_addr(|a| a & !THREAD)) }
    }

    #[inline]
    pub(super) fn word(&self) -> &ParkWord {
        // SAFETY: the word is type-stable memory (I1); access to it is atomic.
        unsafe { self.untagged().as_ref() }
    }

    fn thread(&self) -> Option<&ThreadParker> {
        // SAFETY: the tag says that the word heads a ThreadParker, which is never freed (I1).
        self.is_thread().then(|| unsafe { self.untagged().cast::<ThreadParker>().as_ref() })
    }

    /// What the poller ends the wait `sequence` with.
    pub(super) fn waiter(self, sequence: u32) -> Waiter {
        let thread = self.is_thread().then_some(WakeThread(ring_thread));
        Waiter { word: self.untagged(), sequence, thread }
    }

    #[inline]
    pub(super) fn wake(self) {
        let duty = self.word().wake();
        match self.thread() {
            Some(thread) => thread.ring(duty),
            None if duty == Duty::MakeRunnable => {
                // SAFETY: untagged, so the word heads a goroutine (I1), and the duty to run it is ours.
                unsafe { sched::ready(self.0.cast()) }
            }
            None => {}
        }
    }

    /// The goroutine to be run, if waking it is all that is left to do, and the caller's to do.
    #[inline]
    fn wake_goroutine(self) -> Option<NonNull<Goroutine>> {
        if self.is_thread() {
            self.wake();
            return None;
        }
        if self.word().wake() != Duty::MakeRunnable {
            return None;
        }
        let g = self.0.cast::<Goroutine>();
        // SAFETY: untagged, so the word heads a goroutine (I1), and the duty to run it is ours.
        unsafe { g.as_ref() }.set_runnable();
        Some(g)
    }

    #[inline]
    pub(super) fn suspend(self, reason: WaitReason) -> Outcome {
        match self.thread() {
            Some(thread) => thread.sleep(),
            None => {
                sched::park_current(reason as u8);
                // Not a panic: what is queued on this stack must not be unwound.
                self.word().outcome().unwrap_or_else(|| runtime_bug!("resumed without an outcome"))
            }
        }
    }
}

/// Wakes many, the goroutines among them in one go.
pub(super) fn wake_all(parkers: impl ExactSizeIterator<Item = Parker>) {
    if parkers.len() <= FEW {
        return parkers.for_each(Parker::wake);
    }
    let mut list = List::new();
    for g in parkers.filter_map(Parker::wake_goroutine) {
        // SAFETY: the duty to run it is ours, so it is in no list.
        unsafe { list.push_back(g) };
    }
    sched::ready_list(&mut list);
}

/// So many go into the processor's own queue, the last of them to run next, as if they were woken one by one.
const FEW: usize = 8;

impl ThreadParker {
    fn new() -> Self {
        Self { word: ParkWord::new(), uncounted: AtomicBool::new(false), event: Event::new() }
    }

    /// Blocks the thread until it is woken.
    fn sleep(&self) -> Outcome {
        watch::thread_blocks();
        // As a goroutine's successor does, so that the waker knows whether this thread was counted.
        if self.word.commit() == Duty::MakeRunnable {
            self.uncount();
        }
        // The event may be left over from a wait that did not need to sleep.
        while !self.may_go_on() {
            self.event.wait();
        }
        watch::thread_goes_on();
        self.word.outcome().unwrap_or_else(|| runtime_bug!("a thread woken without an outcome"))
    }

    /// Of whoever has woken the thread, whose duty that left: the last thing it does.
    fn ring(&self, duty: Duty) {
        if duty == Duty::MakeRunnable {
            self.uncount();
        }
        self.event.set();
    }

    /// The thread, woken after it committed, counts as one that waits for others until here, and cannot run (census, I1).
    fn uncount(&self) {
        watch::thread_is_woken();
        // ORDERING: Release pairs with the Acquire in `may_go_on`: who goes on is not counted, and sees the word woken.
        self.uncounted.store(true, Ordering::Release);
    }

    /// Whether a committed wait is over; said once (I3).
    fn may_go_on(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `uncount`. Relaxed store: the next wait's waker gets it by the lock
        // through which it gets the ticket.
        let over = self.uncounted.load(Ordering::Acquire);
        if over {
            self.uncounted.store(false, Ordering::Relaxed);
        }
        over
    }
}

/// Lets a thread, whose wake left this duty, go on.
///
/// # Safety
/// The word heads a [`ThreadParker`].
unsafe fn ring_thread(word: NonNull<ParkWord>, duty: Duty) {
    // SAFETY: by the contract; it is never freed (I1).
    unsafe { word.cast::<ThreadParker>().as_ref() }.ring(duty);
}

/// Parkers of threads that ended, to be used again.
static SPARE: Lock<Vec<&'static ThreadParker>> = Lock::new(LockRank::Leaf, Vec::new());

struct OwnParker(&'static ThreadParker);

impl OwnParker {
    fn take() -> Self {
        let spare = SPARE.lock().pop();
        Self(spare.unwrap_or_else(|| Box::leak(Box::new(ThreadParker::new()))))
    }

    fn get() -> NonNull<ThreadParker> {
        thread_local! {
            static OWN: OwnParker = OwnParker::take();
        }
        // While the thread's locals are being destroyed there is none: a wait then costs a leaked parker.
        let parker = OWN.try_with(|own| own.0).unwrap_or_else(|_| Box::leak(Box::new(ThreadParker::new())));
        NonNull::from(parker)
    }
}

impl Drop for OwnParker {
    fn drop(&mut self) {
        SPARE.lock().push(self.0);
    }
}

/// A number below `n`, evenly distributed.
#[inline]
pub(crate) fn rand_below(n: u32) -> u32 {
    current::rand_below(n)
}

/// Puts the calling goroutine at the back of the run queue, or yields the calling thread's time slice.
pub(crate) fn yield_now() {
    sched::yield_now();
}

pub(crate) use crate::sched::goroutine::Payload;

/// What a new goroutine is to be like.
#[derive(Debug)]
pub(crate) struct SpawnOptions {
    pub(crate) site: &'static Site,
    pub(crate) name: Option<Box<str>>,
    pub(crate) stack: Option<usize>,
    pub(crate) pinned: bool,
    /// `None`: as the spawner.
    pub(crate) migrate: Option<bool>,
}

impl SpawnOptions {
    #[inline]
    pub(crate) fn new(site: &'static Site) -> Self {
        Self { site, name: None, stack: None, pinned: false, migrate: None }
    }
}

/// The handle's side of a goroutine: one of its two references.
#[derive(Debug)]
pub(crate) struct Spawned(NonNull<Goroutine>);

// SAFETY: the object is type-stable, and the payload's own protocol says who accesses it.
unsafe impl Send for Spawned {}
// SAFETY: as above.
unsafe impl Sync for Spawned {}

/// Makes a goroutine without a body.
#[inline]
pub(crate) fn prepare(options: SpawnOptions) -> std::io::Result<Spawned> {
    // First: it is the start that reads the defaults.
    sched::scheduler().ensure_started();
    let class = match options.stack {
        None => sched::config::default_class(),
        Some(bytes) => class_for(bytes)?,
    };
    let mut bits = match options.migrate {
        None => sched::inherited_flags(),
        Some(true) => flags::MIGRATING,
        Some(false) => 0,
    };
    if options.pinned {
        bits |= flags::PINNED;
    }
    let g = sched::new_goroutine(options.site, bits, class)?;
    if options.name.is_some() {
        // SAFETY: nobody else knows the goroutine yet.
        unsafe { g.as_ref() }.set_extra(Some(Extra { name: options.name, panic: None }));
    }
    Ok(Spawned(g))
}

impl Spawned {
    /// Room for what the goroutine runs.
    #[inline]
    pub(crate) fn payload(&self) -> *mut Payload {
        // SAFETY: the object is type-stable; this only computes an address.
        unsafe { self.0.as_ref() }.payload.with_mut(|payload| payload)
    }

    /// Starts the goroutine with `run`, which gets the payload.
    ///
    /// # Safety
    /// Called once, with the payload filled in as `run` expects it; `run` never unwinds.
    #[inline]
    pub(crate) unsafe fn start(&self, run: RunFn) {
        // SAFETY: nobody else knows the goroutine yet.
        unsafe { self.0.as_ref() }.run.set(run);
        // SAFETY: it is fresh and has its body.
        unsafe { sched::start(self.0) };
    }

    pub(crate) fn id(&self) -> u64 {
        // SAFETY: the object is type-stable, and stays this goroutine while we hold a reference.
        unsafe { self.0.as_ref() }.id()
    }
}

impl Drop for Spawned {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this is the handle's reference, and it is forgotten.
        unsafe { sched::free(self.0) };
    }
}

/// The calling goroutine, as its own code sees it.
#[derive(Debug)]
pub(crate) struct Myself(NonNull<Goroutine>);

impl Myself {
    pub(crate) fn get() -> Option<Self> {
        current::goroutine().map(Self)
    }

    fn goroutine(&self) -> &Goroutine {
        // SAFETY: it runs here, and `Myself` does not leave it.
        unsafe { self.0.as_ref() }
    }

    pub(crate) fn id(&self) -> u64 {
        self.goroutine().id()
    }

    pub(crate) fn name(&self) -> Option<&str> {
        // SAFETY: it runs here, so it does not end meanwhile.
        unsafe { self.goroutine().name() }
    }

    pub(crate) fn site(&self) -> &'static Site {
        self.goroutine().site()
    }
}

/// Whether a goroutine runs here.
pub(crate) fn in_goroutine() -> bool {
    current::goroutine().is_some()
}

/// The last thing that a goroutine's body does on its own stack, before anybody is told: its locals are dropped.
#[inline]
pub(crate) fn end_goroutine() {
    if let Some(g) = current::goroutine() {
        // SAFETY: it runs here.
        let g = unsafe { g.as_ref() };
        g.drop_locals();
    }
    sched::end_current();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_goes_on_when_it_is_not_counted_as_blocked_any_more() {
        // One that is rung for late, for the wait before, sees that it was woken before its waker has said so: it is counted
        // as blocked while it runs, twice when it blocks again, and a deadlock is reported though the waker lives.
        let parker = ThreadParker::new();
        for _ in 0..2 {
            // As `sleep` does.
            let sequence = parker.word.begin();
            watch::thread_blocks();
            assert_eq!(parker.word.commit(), Duty::Nothing);
            assert!(parker.word.claim(sequence, Outcome::TIMED_OUT));
            let duty = parker.word.wake();
            assert!(!parker.may_go_on(), "it runs, and is counted as blocked");
            parker.ring(duty);
            assert!(parker.may_go_on());
        }
        // Woken before it committed: it is counted by itself, and by itself taken out.
        let sequence = parker.word.begin();
        assert!(parker.word.claim(sequence, Outcome::TIMED_OUT));
        parker.ring(parker.word.wake());
        assert_eq!(parker.sleep(), Outcome::TIMED_OUT);
        assert!(!parker.may_go_on(), "left over for the next wait");
    }
}
