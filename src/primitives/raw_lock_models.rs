//! Models of a lock's words.

use super::*;
use crate::primitives::cell::UnsafeCell;
use loom::sync::Arc;

/// The two ways out.
#[derive(Clone, Copy)]
enum Out {
    Normally,
    Lightly,
}
use Out::{Lightly, Normally};

struct Guarded {
    lock: RawLock,
    /// What the lock guards: loom finds those out who are in at once.
    count: UnsafeCell<usize>,
}

// SAFETY: the cell is accessed under the lock only (I1); loom reports it otherwise.
unsafe impl Sync for Guarded {}
// SAFETY: as above.
unsafe impl Send for Guarded {}

impl Guarded {
    fn enter(&self, out: Out) {
        self.lock.lock();
        // SAFETY: the lock is held (I1).
        self.count.with_mut(|count| unsafe { *count += 1 });
        match out {
            Normally => self.lock.unlock(),
            Lightly => self.lock.unlock_lightly(),
        }
    }
}

/// Runs the threads, the last one here; each goes in and out as its row says. loom reports whoever sleeps for ever.
fn explore(threads: &'static [&'static [Out]]) {
    loom::model(move || {
        let guarded = Arc::new(Guarded { lock: RawLock::new(), count: UnsafeCell::new(0) });
        let (here, others) = threads.split_last().unwrap();
        let run = |guarded: &Guarded, outs: &[Out]| outs.iter().for_each(|out| guarded.enter(*out));
        let others: Vec<_> = others
            .iter()
            .map(|outs| {
                let guarded = guarded.clone();
                loom::thread::spawn(move || run(&guarded, outs))
            })
            .collect();
        run(&guarded, here);
        others.into_iter().for_each(|thread| thread.join().unwrap());
        // SAFETY: all have left.
        let count = guarded.count.with(|count| unsafe { *count });
        assert_eq!(count, threads.iter().map(|outs| outs.len()).sum::<usize>());
    });
}

/// Mutations seen to fail here, and in the next model: no heavy fence, or one before the count; no light fence; a sleeper
/// that is not counted, or not any more when it sleeps; a light unlock that wakes nobody, a normal one that wakes nobody;
/// either way out without Release, a sleeper's way in without Acquire.
#[test]
fn whoever_sleeps_is_woken_by_a_light_unlock() {
    explore(&[&[Normally], &[Lightly]]);
}

/// Mutations seen to fail here: those above; a woken sleeper that gets in and does not say that there may be others, who
/// rely on the normal unlock.
#[test]
fn a_normal_unlock_owes_nothing_after_a_light_one() {
    explore(&[&[Normally], &[Normally], &[Lightly, Normally]]);
}

/// Who was woken need not say that there may be others: each way out looks at the count. Mutations seen to fail here: those
/// of the first model, but for what is done to the normal way out.
#[test]
fn three_who_all_unlock_lightly_get_in() {
    explore(&[&[Lightly], &[Lightly], &[Lightly]]);
}
