//! The body of a model: each goroutine is a loom thread.
//!
//! # Invariants
//! 1. A parker, and a payload, is leaked: type-stable for as long as the model runs.

use super::{Outcome, WaitReason};
use crate::primitives::sequence;
use crate::sched::site::Site;
use crate::sched::status::ParkWord;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

#[derive(Debug)]
struct LoomParker {
    word: ParkWord,
    thread: loom::thread::Thread,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Parker(NonNull<LoomParker>);

// SAFETY: what is behind the pointer is atomics and a thread handle, and never freed (I1).
unsafe impl Send for Parker {}
// SAFETY: as above (I1).
unsafe impl Sync for Parker {}

loom::thread_local! {
    static PARKER: Parker = Parker(NonNull::from(Box::leak(Box::new(LoomParker {
        word: ParkWord::new(),
        thread: loom::thread::current(),
    }))));
}

impl Parker {
    pub(super) fn current() -> Self {
        PARKER.with(|parker| *parker)
    }

    fn get(&self) -> &LoomParker {
        // SAFETY: never freed (I1), and shared access to it is through atomics.
        unsafe { self.0.as_ref() }
    }

    pub(super) fn word(&self) -> &ParkWord {
        &self.get().word
    }

    pub(super) fn wake(self) {
        let this = self.get();
        let _ = this.word.wake();
        this.thread.unpark();
    }

    pub(super) fn suspend(self, _reason: WaitReason) -> Outcome {
        let this = self.get();
        loop {
            // The word decides and publishes; loom's token only stops and starts the thread, and may be stale.
            if let Some(outcome) = this.word.outcome() {
                return outcome;
            }
            loom::thread::park();
        }
    }
}

/// Under loom the choice is fixed, so that a model is deterministic; models set it per run.
pub(crate) fn rand_below(_n: u32) -> u32 {
    0
}

pub(crate) fn yield_now() {
    loom::thread::yield_now();
}

/// Room for what a goroutine runs: loom's atomics and cells are larger than the real ones.
pub(crate) type Payload = [MaybeUninit<u64>; 64];

/// What a new goroutine is to be like; in a model only the place counts.
#[derive(Debug)]
pub(crate) struct SpawnOptions;

impl SpawnOptions {
    pub(crate) fn new(_site: &'static Site) -> Self {
        Self
    }
}

/// The handle's side of a goroutine.
#[derive(Debug)]
pub(crate) struct Spawned {
    payload: NonNull<Payload>,
    id: u64,
}

// SAFETY: the payload is leaked (I1), and its own protocol says who accesses it.
unsafe impl Send for Spawned {}
// SAFETY: as above.
unsafe impl Sync for Spawned {}

pub(crate) fn prepare(_options: SpawnOptions) -> std::io::Result<Spawned> {
    let payload = Box::leak(Box::new([MaybeUninit::uninit(); 64]));
    Ok(Spawned { payload: NonNull::from(payload), id: sequence() })
}

struct Start(NonNull<Payload>, unsafe fn(*mut Payload));

// SAFETY: the payload is handed to the new thread.
unsafe impl Send for Start {}

impl Start {
    fn run(self) {
        // SAFETY: `Spawned::start` was promised that this function fits this payload.
        unsafe { (self.1)(self.0.as_ptr()) }
    }
}

impl Spawned {
    pub(crate) fn payload(&self) -> *mut Payload {
        self.payload.as_ptr()
    }

    /// # Safety
    /// Called once, with the payload filled in as `run` expects it; `run` never unwinds.
    pub(crate) unsafe fn start(&self, run: unsafe fn(*mut Payload)) {
        let start = Start(self.payload, run);
        loom::thread::spawn(move || start.run());
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }
}

pub(crate) fn in_goroutine() -> bool {
    true
}

pub(crate) fn end_goroutine() {}
