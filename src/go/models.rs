//! Goroutines and their handles under loom. Each model names the mutations that it was seen to catch.

use super::{scope, spawn};
use crate::primitives::cell::UnsafeCell;
use loom::sync::Arc;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// A plain value: loom reports any race on it, and an `Arc` of it that is dropped twice or never.
struct Payload(UnsafeCell<usize>);

// SAFETY: loom reports any access that the protocol under test does not order.
unsafe impl Sync for Payload {}
// SAFETY: as above.
unsafe impl Send for Payload {}

impl Payload {
    fn new() -> Self {
        Self(UnsafeCell::new(0))
    }

    fn bump(&self) {
        // SAFETY: checked by loom, see the type.
        self.0.with_mut(|p| unsafe { *p += 1 });
    }

    fn get(&self) -> usize {
        // SAFETY: checked by loom, see the type.
        self.0.with(|p| unsafe { *p })
    }
}

/// Mutations seen to fail here: DONE or JOINING set without Release or Acquire; the joiner not looked for; the wait
/// left open when the goroutine came first.
#[test]
fn join_against_the_end() {
    // A joiner that sleeps for ever, or does not see what the goroutine did.
    loom::model(|| {
        let work = Arc::new(Payload::new());
        let start = |work: &Arc<Payload>| {
            let work = work.clone();
            spawn(move || {
                work.bump();
                work
            })
        };
        let first = start(&work).join().unwrap();
        assert_eq!(first.get(), 1);
        // The wait of the first join is over, so another one may begin.
        let second = start(&work).join().unwrap();
        assert_eq!(second.get(), 2);
    });
}

/// Mutations seen to fail here: DETACHED set without Acquire or Release; a result that both sides drop, or neither.
#[test]
fn letting_go_against_the_end() {
    // A result dropped twice, or never.
    loom::model(|| {
        let result = Arc::new(Payload::new());
        let ours = result.clone();
        drop(spawn(move || {
            result.bump();
            result
        }));
        // Freed by whoever is last, as loom checks when the model ends.
        drop(ours);
    });
}

/// Mutations seen to fail here: `is_done` Relaxed.
#[test]
fn finished_means_all_is_done() {
    // A goroutine that is said to have finished, and whose work is not there yet.
    loom::model(|| {
        let work = Arc::new(Payload::new());
        let theirs = work.clone();
        let handle = spawn(move || {
            theirs.bump();
            drop(theirs);
        });
        while !handle.is_finished() {
            loom::thread::yield_now();
        }
        assert_eq!(work.get(), 1);
        handle.join().unwrap();
    });
}

/// Mutations seen to fail here: a member that leaves without counting, or wakes an owner that does not wait; a scope
/// that does not wait.
#[test]
fn a_scope_waits_for_its_goroutines() {
    // A goroutine that still borrows from a frame that is gone.
    loom::model(|| {
        let work = [Payload::new(), Payload::new()];
        scope(|s| {
            drop(s.go(|| work[0].bump()));
            assert!(s.go(|| work[1].bump()).join().is_ok());
        });
        assert_eq!((work[0].get(), work[1].get()), (1, 1));
    });
}

/// Mutations seen to fail here: a scope that does not wait when its closure panics.
#[test]
fn a_scope_waits_when_its_closure_panics() {
    // The frame is unwound under a goroutine that borrows from it.
    loom::model(|| {
        let work = Payload::new();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            scope(|s| {
                drop(s.go(|| work.bump()));
                resume_unwind(Box::new(()));
            });
        }));
        assert!(panicked.is_err());
        assert_eq!(work.get(), 1);
    });
}
