//! The monitor: takes the processor of a goroutine that keeps it, and gives it to a thread that can use it.
//!
//! A goroutine keeps its processor when it computes without a pause, or sits in a system call. The monitor looks at
//! the processors every now and then; one that has not switched for a slice is asked for (`park::slice`), and
//! a moment later taken, if anybody could use it. Its worker runs on without, and the kernel shares the CPUs out.
//!
//! # Invariants
//! 1. The monitor neither allocates nor takes a lock that user code can hold, once its loop has begun: the goroutine
//!    that keeps a processor may hold the heap's. It starts no thread: heirs are there before (threads, I1).
//! 2. It sleeps without an end only while no processor is in use and no worker bereft (idle, I8).

use super::config::MAX_PROCS;
use super::idle::Retaken;
use super::processor::Processor;
use super::scheduler::scheduler;
use super::sleep::{empty, hand_over};
use super::warn::Warner;
use super::watch::own_thread;
use super::worker::Worker;
use super::{counters, threads, vigil};
use crate::primitives::Event;
use crate::primitives::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a goroutine may keep its processor (Go's number).
const SLICE: Duration = Duration::from_millis(10);
/// How long it has to yield after it was asked.
const GRACE: Duration = Duration::from_millis(1);
/// Between two looks, while processors are in use.
const LOOK: Duration = Duration::from_micros(2500);
/// The shortest pause.
const SHORT: Duration = Duration::from_micros(100);
/// After so many looks at nothing, ever longer apart, the monitor sleeps until there is something.
const QUIET: u32 = 4;

static STARTED: AtomicBool = AtomicBool::new(false);
static BELL: Event = Event::new();

/// Starts the monitor unless it runs. Without one, goroutines keep their processors for as long as they like.
pub(super) fn ensure_started() {
    // ORDERING: Relaxed; it elects who starts the thread.
    if STARTED.swap(true, Ordering::Relaxed) {
        return;
    }
    if std::thread::Builder::new().name("gaggle-sysmon".into()).spawn(monitor).is_err() {
        // ORDERING: Relaxed; the next worker's start tries again.
        STARTED.store(false, Ordering::Relaxed);
    }
}

/// Ends the monitor's sleep.
pub(super) fn rouse() {
    BELL.set();
}

fn monitor() {
    let _own = own_thread();
    threads::ensure_spare();
    let mut records: Box<[Record]> = (0..MAX_PROCS).map(|_| Record::new()).collect();
    let mut warner = Box::new(Warner::new());
    let mut quiet = 0;
    loop {
        let now = Instant::now();
        let found = look(&mut records, &mut warner, now);
        warner.look(now);
        quiet = if found == Found::Nothing { quiet + 1 } else { 0 };
        if quiet > QUIET && scheduler().idle.lay_watcher_down() {
            BELL.wait();
            quiet = 0;
            continue;
        }
        let pause = if found == Found::Keeper { GRACE } else { LOOK * (1 << quiet.min(2)) };
        let pause = pause.min(mind_the_lookout());
        // Whether it was rung or the time has come: look again.
        let _ = BELL.wait_for(Some(pause));
    }
}

/// Sends somebody who sleeps to keep the lookout if nobody has looked for too long; says when to ask again.
fn mind_the_lookout() -> Duration {
    match vigil::neglected_in() {
        None => Duration::MAX,
        Some(0) => {
            vigil::summon();
            LOOK
        }
        Some(nanos) => Duration::from_nanos(nanos).max(SHORT),
    }
}

/// What a look at all processors has found, the most urgent of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    /// No processor in use.
    Nothing,
    InUse,
    /// Somebody who was asked to yield, while others wait.
    Keeper,
}

fn look(records: &mut [Record], warner: &mut Warner, now: Instant) -> Found {
    let processors = scheduler().processors().iter().zip(records);
    let most = processors.map(|(p, record)| record.look(p, warner, now)).max().unwrap_or(Found::Nothing);
    // A bereft worker comes back sooner or later, and what waits for it is looked after.
    if scheduler().idle.bereft() != 0 { most.max(Found::InUse) } else { most }
}

/// What the monitor remembers of a processor.
struct Record {
    tick: u32,
    /// When that tick was first seen.
    since: Option<Instant>,
    /// CPU time of the holder's thread at a later look, and when that was.
    cpu: Option<(Duration, Instant)>,
    /// When the goroutine was last asked to yield.
    asked: Option<Instant>,
    /// The warner looks after this one.
    watched: bool,
}

impl Record {
    const fn new() -> Self {
        Self { tick: 0, since: None, cpu: None, asked: None, watched: false }
    }

    fn look(&mut self, p: &'static Processor, warner: &mut Warner, now: Instant) -> Found {
        let tick = p.tick();
        let Some(w) = p.holder().filter(|w| w.holds(p)) else {
            let moved = self.tick != tick;
            *self = Self { tick, ..Self::new() };
            return if moved { Found::InUse } else { Found::Nothing };
        };
        let since = match self.since {
            Some(since) if self.tick == tick => since,
            _ => {
                self.begin(w, tick, now);
                return Found::InUse;
            }
        };
        if self.cpu.is_none() {
            self.cpu = w.probe.cpu_time().map(|used| (used, now));
        }
        let kept = now.saturating_duration_since(since);
        if kept < SLICE {
            return Found::InUse;
        }
        if !self.watched {
            self.watched = warner.watch(w, since, now);
        }
        self.keeps(p, w, kept, now)
    }

    /// The holder has switched since the last look.
    fn begin(&mut self, w: &Worker, tick: u32, now: Instant) {
        if self.asked.is_some() {
            // ORDERING: Relaxed; it was meant for the goroutine before.
            w.slice.store(false, Ordering::Relaxed);
        }
        *self = Self { tick, since: Some(now), ..Self::new() };
    }

    /// The holder has not switched for a whole slice, but for as long as `kept`.
    fn keeps(&mut self, p: &'static Processor, w: &'static Worker, kept: Duration, now: Instant) -> Found {
        // ORDERING: Relaxed; a mark that `checkpoint` takes away.
        if !w.slice.swap(true, Ordering::Relaxed) {
            self.asked = Some(now);
        }
        if !is_wanted(p) {
            return Found::InUse;
        }
        let asked = self.asked.get_or_insert(now);
        if now.saturating_duration_since(*asked) >= GRACE && self.is_due(w, kept, now) {
            self.retake(p, w);
        }
        Found::Keeper
    }

    /// Whether the goroutine that has kept its processor for `kept`, a slice at least, is to lose it now.
    fn is_due(&self, w: &Worker, kept: Duration, now: Instant) -> bool {
        let patience = patience();
        let (Some((before, at)), Some(used)) = (self.cpu, w.probe.cpu_time()) else { return kept >= patience };
        let used = used.saturating_sub(before);
        if used * 8 <= now.saturating_duration_since(at) && w.probe.waits() == Some(true) {
            // It waits for something in the kernel, and needs no CPU for it.
            return true;
        }
        // A thread that the kernel has let run for a moment only has not had its turn: one more would not be faster.
        kept >= patience && (used >= SLICE / 2 || kept >= patience * 4)
    }

    fn retake(&mut self, p: &'static Processor, w: &'static Worker) {
        // Still the same goroutine on the same processor: then it is the one that was looked at.
        let still = || w.holds(p) && p.tick() == self.tick;
        let take = || w.lease.revoke(still).then_some(p);
        if let Retaken::Taken(handover) = scheduler().idle.retake(take, empty) {
            counters::count_handoff();
            hand_over(handover);
            *self = Self { tick: self.tick, ..Self::new() };
        }
    }
}

/// Whether anybody could use the processor.
fn is_wanted(p: &Processor) -> bool {
    let s = scheduler();
    p.has_work() || !s.injector.is_empty() || s.idle.processors_wanted()
}

/// How long a goroutine that computes may keep a processor that others want: longer, the more threads per processor
/// compute without one.
///
/// So a crowd of goroutines that compute for a time T each comes to some `4 * procs * sqrt(T / SLICE)` threads, however
/// many they are: when the slice has grown to T they end as fast as they come.
fn patience() -> Duration {
    const MANY: u32 = 4;
    let s = scheduler();
    let (bereft, many) = (s.idle.bereft() as u32, MANY * s.procs().max(1) as u32);
    SLICE + SLICE * bereft / many * bereft / many
}
