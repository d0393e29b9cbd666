//! Who of the pool's threads does which job: the decisions alone. It starts no thread and never sleeps.
//!
//! ```text
//!   submit ──> an idle thread? ── yes ──> given to it, and its bell is rung
//!                   │ no
//!              fewer threads than the limit? ── yes ──> a seat is taken, the job waits there for the new thread
//!                   │ no
//!              the queue, first come first served
//! ```
//!
//! # Invariants
//! 1. `threads` counts the seats that are taken: by a thread that runs, or by one that is being started.
//! 2. A job is in one place: the queue, or the seat of the one thread that will run it.
//! 3. While the queue holds a job nobody is idle, and somebody has a seat.
//! 4. A seat on `idle` holds no job. What takes it off gives it a job, or is its own thread, which leaves.
//!
//! # No job is forgotten
//! A job in the queue: by (3) there is a seat. Its thread comes back for the queue, under the lock, before it goes idle
//! or leaves. If it could not be started, `start_failed` leaves the queue to the other seats, and the last of them to
//! fail gets all of it.
//! A job in a seat: its thread takes it when it starts, or looks at its seat after its bell was rung, or after it gave
//! up waiting, in `leave`: that goes through the same lock as the gift, so it sees the gift, or is off `idle` before
//! anybody could give. A bell may ring too often and too late (its seat may have another thread by then), never too
//! early: it is rung after the gift, and remembers.
//!
//! # Locking
//! `seating`: guarded by its lock (rank Leaf). Bells are rung, threads started and jobs run after unlocking.

use crate::primitives::{Lock, LockRank};
use std::collections::VecDeque;

/// Where one thread finds what it is given.
#[derive(Debug)]
struct Seat<J, B> {
    given: Option<J>,
    bell: Option<B>,
}

#[derive(Debug)]
struct Seating<J, B> {
    seats: Vec<Seat<J, B>>,
    /// Seats that are not taken.
    free: Vec<usize>,
    /// The seats of those who wait, the last to come on top: it is the warmest, and those below may time out.
    idle: Vec<usize>,
    queue: VecDeque<J>,
    threads: usize,
}

/// What is to be done about a job.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Submitted<B> {
    /// Ring this bell.
    Ring(B),
    /// Start a thread that begins with [`Crew::given`] for this seat, or say [`Crew::start_failed`].
    Start(usize),
    /// Nothing: it waits until a thread is free.
    Queued,
}

/// What is to be done when a thread could not be started.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failed<J, B> {
    /// Ring this bell, if there is one: another thread sees to the job.
    Left(Option<B>),
    /// Nobody is there, and nobody comes: run these.
    RunThese(VecDeque<J>),
}

/// See the module's page.
#[derive(Debug)]
pub(super) struct Crew<J, B> {
    seating: Lock<Seating<J, B>>,
}

impl<J, B: Clone> Crew<J, B> {
    #[cfg(not(loom))]
    pub(super) const fn new() -> Self {
        Self { seating: Lock::new(LockRank::Leaf, Seating::new()) }
    }

    #[cfg(loom)]
    fn new() -> Self {
        Self { seating: Lock::new(LockRank::Leaf, Seating::new()) }
    }

    /// Takes a job on; there are to be no more than `limit` threads.
    pub(super) fn submit(&self, job: J, limit: usize) -> Submitted<B> {
        let mut seating = self.seating.lock();
        let job = match seating.give_to_idle(job) {
            Ok(bell) => return Submitted::Ring(bell),
            Err(job) => job,
        };
        if seating.threads >= limit {
            seating.queue.push_back(job);
            return Submitted::Queued;
        }
        seating.threads += 1;
        let seat = seating.free.pop().unwrap_or_else(|| {
            seating.seats.push(Seat { given: None, bell: None });
            seating.seats.len() - 1
        });
        seating.seats[seat].given = Some(job);
        Submitted::Start(seat)
    }

    /// The thread for `seat` could not be started.
    pub(super) fn start_failed(&self, seat: usize) -> Failed<J, B> {
        let mut seating = self.seating.lock();
        let job = seating.seats[seat].given.take();
        seating.give_up(seat);
        if seating.threads == 0 {
            let mut all = core::mem::take(&mut seating.queue);
            all.extend(job);
            return Failed::RunThese(all);
        }
        let Some(job) = job else { return Failed::Left(None) };
        match seating.give_to_idle(job) {
            Ok(bell) => Failed::Left(Some(bell)),
            Err(job) => {
                seating.queue.push_back(job);
                Failed::Left(None)
            }
        }
    }

    /// What the seat was given: a thread's first job, or the one for which its bell was rung.
    pub(super) fn given(&self, seat: usize) -> Option<J> {
        self.seating.lock().seats[seat].given.take()
    }

    /// The next job; or none, and then the thread of `seat` is idle, to be called by `bell`.
    pub(super) fn next(&self, seat: usize, bell: &B) -> Option<J> {
        let mut seating = self.seating.lock();
        let job = seating.queue.pop_front();
        if job.is_none() {
            seating.seats[seat].bell.get_or_insert_with(|| bell.clone());
            seating.idle.push(seat);
        }
        job
    }

    /// The idle thread of `seat` has waited long enough: it ends, unless it was given a job meanwhile.
    pub(super) fn leave(&self, seat: usize) -> Option<J> {
        let mut seating = self.seating.lock();
        let job = seating.seats[seat].given.take();
        if job.is_none() {
            seating.idle.retain(|idle| *idle != seat);
            seating.give_up(seat);
        }
        job
    }

    /// How many threads there are.
    #[cfg(test)]
    pub(super) fn threads(&self) -> usize {
        self.seating.lock().threads
    }
}

impl<J, B> Seating<J, B> {
    const fn new() -> Self {
        Self { seats: Vec::new(), free: Vec::new(), idle: Vec::new(), queue: VecDeque::new(), threads: 0 }
    }
}

impl<J, B: Clone> Seating<J, B> {
    /// Gives the job to an idle thread, whose bell is to be rung, or back.
    fn give_to_idle(&mut self, job: J) -> Result<B, J> {
        let Some(seat) = self.idle.pop() else { return Err(job) };
        let seat = &mut self.seats[seat];
        match &seat.bell {
            Some(bell) => {
                seat.given = Some(job);
                Ok(bell.clone())
            }
            None => {
                debug_assert!(false, "runtime bug: an idle seat without a bell");
                Err(job)
            }
        }
    }

    fn give_up(&mut self, seat: usize) {
        self.seats[seat].bell = None;
        self.free.push(seat);
        self.threads -= 1;
    }
}

#[cfg(test)]
#[path = "crew_tests.rs"]
mod tests;
