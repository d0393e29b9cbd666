//! The body of a model: each goroutine is a loom thread.
//!
//! # Invariants
//! 1. A parker is leaked: type-stable for as long as the model runs.

use super::{Outcome, WaitReason};
use crate::sched::status::ParkWord;
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
