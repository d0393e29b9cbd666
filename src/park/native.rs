//! The body of a real program: the waiter is a goroutine on its worker, or a plain OS thread.
//!
//! # Invariants
//! 1. A parker is the park word at the head of a goroutine object or of a [`ThreadParker`]; both are type-stable:
//!    recycled, never freed. Bit 0 of the pointer says which of the two it is.
//! 2. A thread's parker is used as "current" by its thread only, and handed back when the thread ends.

use super::{Outcome, WaitReason};
use crate::primitives::{Event, Lock, LockRank, thread_local};
use crate::sched::status::{Duty, ParkWord};
use crate::sched::{self, current};
use core::ptr::NonNull;

/// What an OS thread outside the runtime waits with.
#[derive(Debug)]
#[repr(C, align(8))]
struct ThreadParker {
    word: ParkWord,
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
        NonNull::new(self.0.as_ptr().map_addr(|a| a & !THREAD)).unwrap_or(self.0)
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

    #[inline]
    pub(super) fn wake(self) {
        let duty = self.word().wake();
        match self.thread() {
            Some(thread) => thread.event.set(),
            None if duty == Duty::MakeRunnable => {
                // SAFETY: untagged, so the word heads a goroutine (I1), and the duty to run it is ours.
                unsafe { sched::ready(self.0.cast()) }
            }
            None => {}
        }
    }

    #[inline]
    pub(super) fn suspend(self, reason: WaitReason) -> Outcome {
        match self.thread() {
            Some(thread) => loop {
                // The word decides; the event may be left over from a wait that did not need to sleep.
                if let Some(outcome) = thread.word.outcome() {
                    return outcome;
                }
                thread.event.wait();
            },
            None => {
                sched::park_current(reason as u8);
                self.word().outcome().expect("runtime bug: resumed without an outcome")
            }
        }
    }
}

/// Parkers of threads that ended, to be used again.
static SPARE: Lock<Vec<&'static ThreadParker>> = Lock::new(LockRank::Leaf, Vec::new());

struct OwnParker(&'static ThreadParker);

impl OwnParker {
    fn take() -> Self {
        let spare = SPARE.lock().pop();
        Self(spare.unwrap_or_else(|| {
            Box::leak(Box::new(ThreadParker { word: ParkWord::new(), event: Event::new() }))
        }))
    }

    fn get() -> NonNull<ThreadParker> {
        thread_local! {
            static OWN: OwnParker = OwnParker::take();
        }
        // While the thread's locals are being destroyed there is none: a wait then costs a leaked parker.
        let parker = OWN.try_with(|own| own.0).unwrap_or_else(|_| {
            Box::leak(Box::new(ThreadParker { word: ParkWord::new(), event: Event::new() }))
        });
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
