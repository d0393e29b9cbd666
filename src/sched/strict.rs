//! `strict_procs`: goroutines that compute without a processor take turns, so that no more run than there are processors.
//!
//! Part of the monitor, whose rules hold here too: no allocation, no lock that user code can hold. `README.md` tells the
//! protocol, and what a pause may stop beside the goroutine.
//!
//! # Invariants
//! 1. `hogs` holds workers whose processor was taken, each once, and has room for all workers there can be.
//! 2. Who is asked to stop is in `hogs`, and leaves it only when it is let go on.

use super::pause::Pause;
use super::scheduler::scheduler;
use super::worker::Worker;
use super::{config, current, threads};
use crate::platform::{fatal, interrupt};
use crate::primitives::Event;
use crate::primitives::atomic::{AtomicU32, Ordering};
use core::mem;
use core::ptr;
use std::time::{Duration, Instant};

/// How long a goroutine without a processor computes before it is the next one's turn.
const TURN: Duration = Duration::from_millis(10);
/// When nobody had a turn for so long, because no processor was idle, one gets it all the same: it may hold what the
/// others wait for, in whatever way they wait.
const LONGEST_REST: Duration = Duration::from_millis(100);

/// A worker's part in it.
pub(super) struct Pausing {
    pause: Pause,
    bell: Event,
    /// After so many milliseconds a pause ends by itself, whatever keeps the monitor.
    most: AtomicU32,
}

impl Pausing {
    pub(super) fn new() -> Self {
        Self { pause: Pause::new(), bell: Event::new(), most: AtomicU32::new(0) }
    }

    fn lift(&self) {
        if self.pause.lift() {
            self.bell.set();
        }
    }
}

/// What the signal runs, on the thread of a worker.
fn on_signal() {
    let Some(w) = current::worker() else { return };
    let own = &w.pausing;
    // ORDERING: Relaxed; written before the signal was sent.
    let end = Instant::now() + Duration::from_millis(own.most.load(Ordering::Relaxed).into());
    own.pause.stop(w.lease.is_inside(), || {
        let left = end.saturating_duration_since(Instant::now());
        // Whether it was rung or not: the state tells.
        let _ = own.bell.wait_for(Some(left));
        !left.is_zero()
    });
}

/// See the module's page.
pub(super) struct Strict {
    hogs: Vec<Hog>,
    /// How many processors were idle at the look before.
    idle_before: usize,
    last_turn: Instant,
}

struct Hog {
    w: &'static Worker,
    /// When its turn, or its rest, began.
    since: Instant,
    /// It was found computing.
    computes: bool,
    /// It has its turn although no processor was idle.
    out_of_turn: bool,
}

impl Strict {
    /// The monitor's, if the setting is on and the system can do it.
    pub(super) fn new(now: Instant) -> Option<Self> {
        if !config::strict_procs() {
            return None;
        }
        if !interrupt::install(on_signal) {
            fatal::remark(b"gaggle: strict_procs: no real-time signal to pause threads with; going on without\n");
            return None;
        }
        Some(Self { hogs: Vec::with_capacity(threads::MOST), idle_before: 0, last_turn: now })
    }

    /// `w` has lost its processor, and runs on.
    pub(super) fn enter(&mut self, w: &'static Worker, now: Instant) {
        // None is there twice, and there is room for all (I1): nothing is allocated.
        if !self.hogs.iter().any(|hog| ptr::eq(hog.w, w)) && self.hogs.len() < self.hogs.capacity() {
            self.hogs.push(Hog { w, since: now, computes: true, out_of_turn: false });
        }
    }

    /// Whether somebody waits for a turn.
    pub(super) fn anyone_rests(&self) -> bool {
        self.hogs.iter().any(Hog::rests)
    }

    /// Who may run, and who has to rest, until the next look.
    pub(super) fn look(&mut self, now: Instant) {
        self.hogs.retain_mut(|hog| hog.look(now));
        let idle = scheduler().idle.idle_processors();
        // Somebody who needed a processor for a moment only sends nobody to rest.
        let enough = idle.max(mem::replace(&mut self.idle_before, idle));
        let mut running = self.hogs.iter().filter(|hog| hog.computes).count();
        running -= self.end_turns(now);
        running -= self.pause(running.saturating_sub(enough), now);
        self.begin_turns(idle.saturating_sub(running), now);
        if running == 0 && idle == 0 && now.saturating_duration_since(self.last_turn) >= LONGEST_REST {
            self.begin_turns(1, now);
        }
    }

    /// Pauses those who have had their turn, if others wait for theirs; how many.
    fn end_turns(&mut self, now: Instant) -> usize {
        if !self.anyone_rests() {
            return 0;
        }
        let most = self.longest_pause();
        let over = |hog: &&mut Hog| hog.computes && now.saturating_duration_since(hog.since) >= TURN;
        self.hogs.iter_mut().filter(over).filter_map(|hog| hog.pause(most, now).then_some(())).count()
    }

    /// Pauses so many, whose turns are not out of turn; how many it could.
    fn pause(&mut self, n: usize, now: Instant) -> usize {
        let most = self.longest_pause();
        let may = |hog: &&mut Hog| hog.computes && !hog.out_of_turn;
        self.hogs.iter_mut().filter(may).filter_map(|hog| hog.pause(most, now).then_some(())).take(n).count()
    }

    /// Lets so many go on, those first that have rested longest.
    fn begin_turns(&mut self, n: usize, now: Instant) {
        for _ in 0..n {
            let Some(next) = self.hogs.iter_mut().filter(|hog| hog.rests()).min_by_key(|hog| hog.since) else { return };
            next.begin_turn(now);
            next.out_of_turn = self.idle_before == 0;
            self.last_turn = now;
        }
    }

    /// Longer than it is to last: each of those before has its turn, at the worst one in each longest rest.
    fn longest_pause(&self) -> Duration {
        LONGEST_REST * (self.hogs.len() as u32 + 2)
    }
}

impl Hog {
    fn rests(&self) -> bool {
        !self.computes && self.w.pausing.pause.is_asked()
    }

    /// False if it has a processor again, or nothing to run.
    fn look(&mut self, now: Instant) -> bool {
        if !self.w.lease.is_lost() {
            self.w.pausing.lift();
            return false;
        }
        if !self.rests() {
            let computes = self.w.probe.waits() == Some(false);
            if computes && !self.computes {
                self.since = now;
            }
            self.computes = computes;
        }
        true
    }

    /// Asks it to stop, if it can be: not in a system call, not in the scheduler, and not a thread that is its goroutine's
    /// own.
    fn pause(&mut self, most: Duration, now: Instant) -> bool {
        let own = &self.w.pausing;
        // ORDERING: Relaxed; a number, and the signal comes after it.
        own.most.store(most.as_millis() as u32, Ordering::Relaxed);
        let can = self.w.lease.inspect(|| self.w.locked.get() == 0) == Some(true);
        if !can || !own.pause.ask() {
            return false;
        }
        if !interrupt::interrupt(&self.w.probe) {
            own.lift();
            return false;
        }
        (self.computes, self.out_of_turn, self.since) = (false, false, now);
        true
    }

    fn begin_turn(&mut self, now: Instant) {
        (self.computes, self.since) = (true, now);
        self.w.pausing.lift();
    }
}
