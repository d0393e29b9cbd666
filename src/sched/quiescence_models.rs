//! Models of the predicate: parties that bring each other to life while somebody looks. A verdict of death must be true:
//! nothing happens after it.

use super::*;
use crate::primitives::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::primitives::sync::Arc;
use crate::primitives::{Lock, LockRank, Tally};
use loom::thread;

/// A world of some workers, timers and threads.
struct Small {
    external: Tally,
    accounted: Tally,
    /// What the kernel knows.
    threads: AtomicU32,
    at_work: Lock<u32>,
    resumed: AtomicU64,
    /// What happened so far that a deadlocked program could not have done.
    happened: AtomicU32,
}

impl World for Small {
    fn external(&self) -> Reading {
        self.external.read()
    }

    fn at_rest(&self) -> Option<u64> {
        let quiet = || *self.at_work.lock() == 0;
        if !quiet() {
            return None;
        }
        // ORDERING: Relaxed; the lock publishes it, as in the real world.
        let resumed = self.resumed.load(Ordering::Relaxed);
        quiet().then_some(resumed)
    }

    fn accounted(&self) -> Reading {
        self.accounted.read()
    }

    fn threads(&self) -> Option<u32> {
        // ORDERING: SeqCst; stands for the kernel.
        Some(self.threads.load(Ordering::SeqCst))
    }
}

impl Small {
    /// `own` threads are accounted for, `foreign` ones are not; `external` things are under way.
    fn new(own: u32, foreign: u32, external: u32) -> Arc<Self> {
        let world = Self {
            external: Tally::new(),
            accounted: Tally::new(),
            threads: AtomicU32::new(own + foreign),
            at_work: Lock::new(LockRank::Sched, 0),
            resumed: AtomicU64::new(0),
            happened: AtomicU32::new(0),
        };
        (0..own).for_each(|_| world.accounted.add());
        (0..external).for_each(|_| world.external.add());
        Arc::new(world)
    }

    fn happens(&self) {
        self.happened.fetch_add(1, Ordering::Relaxed);
    }

    /// Hands the worker its processor.
    fn wake_worker(&self, worker: &thread::Thread) {
        *self.at_work.lock() += 1;
        worker.unpark();
    }

    /// A worker's thread that is woken once, and lies down after its job.
    fn worker(world: &Arc<Self>, job: impl FnOnce(&Self) + Send + 'static) -> thread::JoinHandle<()> {
        let world = world.clone();
        thread::spawn(move || {
            thread::park();
            // ORDERING: Relaxed; the lock publishes it, as in the real world.
            let resumed = world.resumed.load(Ordering::Relaxed);
            world.resumed.store(resumed + 1, Ordering::Relaxed);
            job(&world);
            *world.at_work.lock() -= 1;
        })
    }

    fn ends(&self) {
        // ORDERING: SeqCst; stands for the kernel.
        self.threads.fetch_sub(1, Ordering::SeqCst);
    }

    /// Looks, and waits for the parties; a verdict of death must have been the last word.
    fn look_and_wait(&self, parties: impl IntoIterator<Item = thread::JoinHandle<()>>) {
        let verdict = look(self);
        let then = self.happened.load(Ordering::Relaxed);
        parties.into_iter().for_each(|party| party.join().unwrap());
        if verdict == Verdict::Dead {
            assert_eq!(self.happened.load(Ordering::Relaxed), then, "a false alarm");
        }
        assert_eq!(look(self), Verdict::Dead, "nothing is left, and nobody says so");
    }
}

/// Mutations seen to fail here: `look` that reads the external once, before or after the rest.
#[test]
fn a_thread_wakes_a_worker_that_sets_a_timer() {
    // The thread is gone, the worker has lain down, and the timer is seen by nobody.
    loom::model(|| {
        let world = Small::new(2, 1, 0);
        let timer = {
            let world = world.clone();
            thread::spawn(move || {
                thread::park();
                world.happens();
                world.external.take();
            })
        };
        let due = timer.thread().clone();
        let worker = Small::worker(&world, move |world| {
            world.external.add();
            due.unpark();
        });
        let foreign = {
            let (world, worker) = (world.clone(), worker.thread().clone());
            thread::spawn(move || {
                world.wake_worker(&worker);
                world.ends();
            })
        };
        world.look_and_wait([timer, worker, foreign]);
    });
}

/// Mutations seen to fail here: `look` that asks once whether the workers are at rest, before or after the threads.
#[test]
fn a_timer_wakes_a_worker_that_starts_a_thread() {
    // The threads are counted before there is one more, and the worker is looked at when it has lain down again.
    loom::model(|| {
        let world = Small::new(2, 0, 1);
        let foreign = {
            let world = world.clone();
            thread::spawn(move || {
                thread::park();
                world.happens();
                world.ends();
            })
        };
        let begins = foreign.thread().clone();
        let worker = Small::worker(&world, move |world| {
            // ORDERING: SeqCst; stands for the kernel.
            world.threads.fetch_add(1, Ordering::SeqCst);
            begins.unpark();
        });
        let timer = {
            let (world, worker) = (world.clone(), worker.thread().clone());
            thread::spawn(move || {
                world.wake_worker(&worker);
                world.external.take();
            })
        };
        world.look_and_wait([foreign, worker, timer]);
    });
}

/// Mutations seen to fail here: `look` that does not compare how often goroutines were resumed.
#[test]
fn a_thread_wakes_a_worker_that_starts_another() {
    // The worker was at rest before and after; in between it started a thread that nobody counted any more.
    loom::model(|| {
        let world = Small::new(1, 1, 0);
        let second = {
            let world = world.clone();
            thread::spawn(move || {
                thread::park();
                world.happens();
                world.ends();
            })
        };
        let begins = second.thread().clone();
        let worker = Small::worker(&world, move |world| {
            // ORDERING: SeqCst; stands for the kernel.
            world.threads.fetch_add(1, Ordering::SeqCst);
            begins.unpark();
        });
        let first = {
            let (world, worker) = (world.clone(), worker.thread().clone());
            thread::spawn(move || {
                world.wake_worker(&worker);
                world.ends();
            })
        };
        world.look_and_wait([second, worker, first]);
    });
}

/// Mutations seen to fail here: a tally whose readings are equal although it went up and down.
#[test]
fn a_worker_sets_a_timer_that_wakes_another() {
    // No external before, none after; the one in between has brought a worker to life since that one was looked at.
    loom::model(|| {
        let world = Small::new(3, 0, 0);
        let second = Small::worker(&world, Small::happens);
        let timer = {
            let (world, second) = (world.clone(), second.thread().clone());
            thread::spawn(move || {
                thread::park();
                world.wake_worker(&second);
                world.external.take();
            })
        };
        let due = timer.thread().clone();
        let first = Small::worker(&world, move |world| {
            world.external.add();
            due.unpark();
        });
        // It is at work already when somebody begins to look.
        world.wake_worker(first.thread());
        world.look_and_wait([second, timer, first]);
    });
}

/// Mutations seen to fail here: `look` that reads once how many threads are accounted for; a waker that takes the
/// thread out of the count after it rang.
#[test]
fn a_thread_wakes_a_blocked_thread_and_ends() {
    // As many threads as there are blocked ones: but the one that ended is not the one that blocks.
    loom::model(|| {
        let world = Small::new(1, 1, 0);
        let blocked = {
            let world = world.clone();
            thread::spawn(move || {
                // It is counted already: it blocked before.
                thread::park();
                world.happens();
                world.accounted.add();
            })
        };
        let foreign = {
            let (world, blocked) = (world.clone(), blocked.thread().clone());
            thread::spawn(move || {
                world.accounted.take();
                blocked.unpark();
                world.ends();
            })
        };
        world.look_and_wait([blocked, foreign]);
    });
}
