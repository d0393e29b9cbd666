//! The body of a model: each goroutine is a loom thread.
//!
//! # Invariants
//! 1. A parker, and a payload, is leaked: type-stable for ever. Under [`model`](crate::model) each execution uses those
//!    of the one before again, whose threads have all ended; under a bare `loom::model` each has its own.
//! 2. loom's token stops and starts a thread, the park word decides: between the look at the word that finds the wait
//!    open and loom's `park` no other thread runs.
//! 3. A stack on which a wait is open is never unwound, as queues point into it.

pub(crate) mod choices;
pub(crate) mod record;

use super::{Outcome, Ticket, WaitReason};
use crate::primitives::sequence;
use crate::sched::site::Site;
use crate::sched::status::ParkWord;
use core::any::Any;
use core::mem::MaybeUninit;
use core::panic::Location;
use core::ptr::NonNull;
use std::io;
use std::panic::{catch_unwind, resume_unwind};
use std::time::Instant;

#[derive(Debug)]
struct LoomParker {
    word: ParkWord,
    thread: loom::thread::Thread,
    /// Which goroutine of the record it is, if there is a record.
    who: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Parker(NonNull<LoomParker>);

// SAFETY: what is behind the pointer is atomics and a thread handle, and never freed (I1).
unsafe impl Send for Parker {}
// SAFETY: as above (I1).
unsafe impl Sync for Parker {}

/// Room for what a goroutine runs: loom's atomics and cells are larger than the real ones.
pub(crate) type Payload = [MaybeUninit<u64>; 64];

/// What a goroutine needs for as long as the model runs (I1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    parker: NonNull<MaybeUninit<LoomParker>>,
    payload: NonNull<Payload>,
}

impl Memory {
    fn leaked() -> Self {
        Self {
            parker: NonNull::from(Box::leak(Box::new(MaybeUninit::uninit()))),
            payload: NonNull::from(Box::leak(Box::new([MaybeUninit::uninit(); 64]))),
        }
    }
}

loom::thread_local! {
    static PARKER: Parker = Parker::new();
}

pub(super) fn wake_all(parkers: impl ExactSizeIterator<Item = Parker>) {
    parkers.for_each(Parker::wake);
}

impl Parker {
    fn new() -> Self {
        let known = record::with(|record| {
            let who = record.arrived();
            (who, record.memory(who))
        });
        let (who, memory) = match known {
            Some((who, memory)) => (Some(who), memory),
            None => (None, Memory::leaked()),
        };
        let parker = LoomParker { word: ParkWord::new(), thread: loom::thread::current(), who };
        // SAFETY: leaked, and the one who used it in the execution before has ended (I1).
        unsafe { memory.parker.write(MaybeUninit::new(parker)) };
        Self(memory.parker.cast())
    }

    fn mine() -> Self {
        PARKER.with(|parker| *parker)
    }

    /// Called by `begin_wait`: a new wait.
    pub(super) fn current() -> Self {
        let this = Self::mine();
        this.note(|record, who| record.begins_wait(who));
        this
    }

    fn get(&self) -> &LoomParker {
        // SAFETY: written before the pointer was given out, and never freed (I1); shared access is through atomics.
        unsafe { self.0.as_ref() }
    }

    fn note(self, f: impl FnOnce(&mut record::Record, usize)) {
        if let Some(who) = self.get().who {
            record::with(|record| f(record, who));
        }
    }

    pub(super) fn word(&self) -> &ParkWord {
        &self.get().word
    }

    /// The waiter stands in a queue of the object that was made there.
    pub(super) fn stands_in_queue(self, made: &'static Location<'static>) {
        self.note(|record, who| record.stands_in_queue(who, made));
    }

    pub(super) fn wake(self) {
        let this = self.get();
        let _ = this.word.wake();
        let waker = who();
        self.note(|record, who| record.is_woken(who, waker));
        this.thread.unpark();
    }

    pub(super) fn suspend(self, reason: WaitReason) -> Outcome {
        let this = self.get();
        loop {
            // The word decides and publishes; loom's token only stops and starts the thread, and may be stale (I2).
            if let Some(outcome) = this.word.outcome() {
                return outcome;
            }
            self.note(|record, who| record.falls_asleep(who, reason));
            if let Err(payload) = catch_unwind(loom::thread::park) {
                give_up(payload)
            }
        }
    }
}

/// What loom says when no thread can run.
pub(crate) const STUCK: &str = "deadlock; threads = ";

/// loom's `park` has panicked. If nobody can run, nobody ever will again: the stack is left as it is, with the open
/// wait on it (I3), and what runs loom's threads finds out that they have not ended.
fn give_up(payload: Box<dyn Any + Send>) -> ! {
    if payload.downcast_ref::<String>().is_some_and(|text| text.starts_with(STUCK)) {
        loop {
            leave();
        }
    }
    resume_unwind(payload)
}

/// Leaves the stack of a loom thread, for the one who resumed it.
#[expect(deprecated, reason = "the `scope` version is for who has made the generator")]
pub(crate) fn leave() {
    generator::yield_with(());
}

/// Which goroutine of the record runs.
fn who() -> Option<usize> {
    Parker::mine().get().who
}

/// Waits with a deadline: in a model it may pass at any moment. The sleeper plays the timer's part: its claim is made
/// in every order with the claims of others.
pub(crate) fn wait_until(ticket: Ticket, reason: WaitReason, _deadline: Instant) -> Outcome {
    ticket.end(Outcome::TIMED_OUT);
    ticket.wait(reason)
}

/// A choice among `ways`, each of which is tried in some round of the exploration. Without a record it is the first.
pub(crate) fn choose(ways: u32) -> u32 {
    let Some(who) = who() else { return 0 };
    record::with(|record| record.choose(who, ways)).unwrap_or(0)
}

pub(crate) fn yield_now() {
    loom::thread::yield_now();
}

/// What a new goroutine is to be like. Pinned, migrating: in a model there is one thread, and it does not matter.
#[derive(Debug)]
pub(crate) struct SpawnOptions {
    pub(crate) site: &'static Site,
    pub(crate) name: Option<Box<str>>,
    pub(crate) stack: Option<usize>,
    pub(crate) pinned: bool,
}

impl SpawnOptions {
    pub(crate) fn new(site: &'static Site) -> Self {
        Self { site, name: None, stack: None, pinned: false }
    }
}

/// The least room of a goroutine: enough to format a panic, unlike loom's 32 KiB.
pub(crate) const STACK: usize = 256 << 10;
/// The most that a program may ask for, as outside of models.
const MAX_STACK: usize = 1 << 30;

/// The handle's side of a goroutine.
#[derive(Debug)]
pub(crate) struct Spawned {
    payload: NonNull<Payload>,
    id: u64,
    who: Option<usize>,
    stack: usize,
}

// SAFETY: the payload is leaked (I1), and its own protocol says who accesses it.
unsafe impl Send for Spawned {}
// SAFETY: as above.
unsafe impl Sync for Spawned {}

pub(crate) fn prepare(options: SpawnOptions) -> io::Result<Spawned> {
    let SpawnOptions { site, name, stack, pinned: _ } = options;
    let stack = stack.unwrap_or(STACK);
    if !(1..=MAX_STACK).contains(&stack) {
        let text = format!("a stack of {stack} bytes: expected 1 to {MAX_STACK}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let stack = stack.max(STACK);
    let Some(parent) = who() else {
        return Ok(Spawned { payload: Memory::leaked().payload, id: sequence(), who: None, stack });
    };
    let known = record::with(|record| {
        let who = record.spawn(site, name, parent)?;
        Some((who, record.memory(who).payload))
    });
    match known.flatten() {
        Some((who, payload)) => Ok(Spawned { payload, id: who as u64 + 1, who: Some(who), stack }),
        None => Err(io::Error::new(
            io::ErrorKind::OutOfMemory,
            format!("a model has room for {} of them, main and those that have ended included", record::MAX_GOROUTINES),
        )),
    }
}

struct Start {
    payload: NonNull<Payload>,
    run: unsafe fn(*mut Payload),
    who: Option<usize>,
    stack: usize,
}

// SAFETY: the payload is handed to the new thread.
unsafe impl Send for Start {}

impl Start {
    fn run(self) {
        if let Some(who) = self.who {
            arrive(who, self.stack);
        }
        // SAFETY: `Spawned::start` was promised that this function fits this payload.
        unsafe { (self.run)(self.payload.as_ptr()) }
    }
}

/// Says who the calling thread is, whose stack begins about here.
pub(crate) fn arrive(who: usize, stack: usize) {
    let mark = 0u8;
    record::with(|record| record.arrive(who, (&raw const mark).addr() + 256, stack));
    Parker::mine();
}

impl Spawned {
    pub(crate) fn payload(&self) -> *mut Payload {
        self.payload.as_ptr()
    }

    /// # Safety
    /// Called once, with the payload filled in as `run` expects it; `run` never unwinds.
    pub(crate) unsafe fn start(&self, run: unsafe fn(*mut Payload)) {
        let start = Start { payload: self.payload, run, who: self.who, stack: self.stack };
        let thread = loom::thread::Builder::new().stack_size(self.stack).spawn(move || start.run());
        // loom's threads always start.
        drop(thread);
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The caller is about to join this goroutine, which takes up its panic.
    pub(crate) fn begin_join(&self) {
        Parker::mine().note(|record, who| {
            record.joins(who, Some(self.id));
            record.is_heard(self.id);
        });
    }

    pub(crate) fn end_join() {
        Parker::mine().note(|record, who| record.joins(who, None));
    }
}

pub(crate) fn in_goroutine() -> bool {
    true
}

/// The number of the calling goroutine; `None` outside of [`model`](crate::model).
pub(crate) fn id() -> Option<u64> {
    who().map(|who| who as u64 + 1)
}

/// How many goroutines have not ended.
pub(crate) fn num_goroutines() -> usize {
    record::with(|record| record.alive()).unwrap_or(1)
}

/// The body of the calling goroutine has ended; nobody was told yet.
pub(crate) fn end_goroutine() {
    Parker::mine().note(|record, who| record.ends(who));
}

/// The body of the calling goroutine has panicked. A panic of loom's ends the model: this unwinds then.
pub(crate) fn end_by_panic(payload: &(dyn Any + Send)) {
    let mut by_loom = false;
    Parker::mine().note(|record, who| by_loom = record.ends_with_panic(who, || text_of(payload)));
    if by_loom {
        resume_unwind(Box::new("loom has given up"));
    }
}

/// The panic of the calling goroutine is passed on by the scope that it belongs to.
pub(crate) fn scope_will_tell() {
    if let Some(id) = id() {
        record::with(|record| record.is_heard(id));
    }
}

/// What a panic says.
pub(crate) fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("(a panic whose payload is no text)").to_string()
}
