//! Numbers of the runtime.

use crate::coroutine::stack::{self, Protection};
use crate::park::deadline;
use crate::primitives::atomic::Ordering;
use crate::sched::counters::{BUCKETS, SHARED};
use crate::sched::goroutine::State;
use crate::sched::{self, threads};
use core::fmt;
use core::time::Duration;

/// What the runtime has counted: see [`runtime::metrics`](crate::runtime::metrics).
///
/// Counters grow for the whole life of the process. Each number was right a moment ago; they are not all of one
/// instant. `Display` shows them as a table.
///
/// ```
/// gaggle::spawn(|| ()).join().unwrap();
/// let metrics = gaggle::runtime::metrics();
/// assert_eq!(metrics.procs, gaggle::runtime::max_procs());
/// assert!(metrics.idle_procs <= metrics.procs && metrics.ended <= metrics.created);
/// println!("{} goroutines wait, and overflows end in a {}", metrics.waiting, metrics.guard);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Metrics {
    /// Goroutines that run now.
    pub running: usize,
    /// Goroutines that could run, and wait for a processor.
    pub runnable: usize,
    /// Goroutines that wait for something.
    pub waiting: usize,
    /// Goroutines started so far.
    pub created: u64,
    /// Goroutines that have ended.
    pub ended: u64,
    /// Processors: how many goroutines may run at once (`GOMAXPROCS`). 0 until the runtime has started.
    pub procs: usize,
    /// Processors that are idle.
    pub idle_procs: usize,
    /// Threads that run goroutines; those that sleep are among them.
    pub threads: usize,
    /// Threads that sleep until there is work.
    pub idle_threads: usize,
    /// Threads that look for work at other processors.
    pub searching_threads: usize,
    /// How often a goroutine has parked.
    pub parks: u64,
    /// Wake-ups that went to another thread.
    pub wakes_across_threads: u64,
    /// Batches of goroutines taken from another processor's queue.
    pub steals: u64,
    /// Processors taken from a thread that kept one goroutine too long, or sat in a system call.
    pub handoffs: u64,
    /// Stacks that belong to a goroutine, without the segments that it grew.
    pub stacks_bound: usize,
    /// Stacks kept for the next goroutines, and segments in use.
    pub stacks_cached: usize,
    /// Memory that all stacks hold: an estimate from a sample of at most 64 stacks of each reservation.
    pub stacks_resident_bytes: usize,
    /// What stops a goroutine that runs off its stack.
    pub guard: StackGuard,
    /// Deadlines, timers and tickers that are set.
    pub timers_pending: usize,
    /// How long goroutines waited from runnable to running: one in 64 is timed.
    pub latency: Latency,
}

/// What stops a goroutine that runs off its stack: the weakest protection that any stack has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StackGuard {
    /// A marker in the page tables (Linux 6.13): any number of stacks.
    PageTables,
    /// A protected page below each stack.
    Page,
    /// The lowest page must be blank when the goroutine parks: an overflow is found late.
    Canary,
}

impl fmt::Display for StackGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PageTables => "page tables (MADV_GUARD_INSTALL)",
            Self::Page => "protected page",
            Self::Canary => "canary",
        })
    }
}

/// A histogram of durations, in steps that double.
///
/// ```
/// let latency = gaggle::runtime::metrics().latency;
/// for (below, n) in latency.steps() {
///     println!("{n} goroutines waited for less than {below:?}, and not for less than half of that");
/// }
/// assert_eq!(latency.steps().map(|(_, n)| n).sum::<u64>(), latency.count());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Latency([u64; BUCKETS]);

impl Latency {
    /// How many were timed.
    pub fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// For each step that is not empty: the duration that it stays below, and how many there are in it. The last step
    /// has no upper bound.
    pub fn steps(&self) -> impl Iterator<Item = (Duration, u64)> {
        let bound = |step: usize| Duration::from_nanos(1 << step);
        self.0.iter().enumerate().filter(|(_, n)| **n != 0).map(move |(step, n)| (bound(step), *n))
    }

    /// A duration that the given share of all stays below, as near as the steps tell; `None` if none was timed.
    ///
    /// ```
    /// let metrics = gaggle::runtime::metrics();
    /// assert_eq!(metrics.latency.count() == 0, metrics.latency.quantile(0.99).is_none());
    /// ```
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let wanted = (self.count() as f64 * share.clamp(0.0, 1.0)).ceil() as u64;
        let mut seen = 0;
        self.steps().find_map(|(bound, n)| {
            seen += n;
            (seen >= wanted).then_some(bound)
        })
    }
}

impl fmt::Debug for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.steps()).finish()
    }
}

/// Collects the numbers: a walk over all goroutines, and some system calls.
pub(crate) fn metrics() -> Metrics {
    let scheduler = sched::scheduler();
    let (mut running, mut runnable, mut waiting, mut bound) = (0, 0, 0, 0);
    for glance in scheduler.roster.objects().filter_map(|g| g.glance()) {
        match glance.state {
            State::Runnable => runnable += 1,
            State::Waiting => waiting += 1,
            _ => running += 1,
        }
        bound += usize::from(glance.has_stack);
    }
    let (mut parks, mut steals, mut latency) = (0, 0, [0; BUCKETS]);
    for (counters, _) in scheduler.counters() {
        // ORDERING: Relaxed, both; statistics.
        parks += counters.parks.load(Ordering::Relaxed);
        steals += counters.steals.load(Ordering::Relaxed);
        counters.latency.add_to(&mut latency);
    }
    let (created, ended) = scheduler.started_and_ended();
    let attendance = scheduler.attendance();
    let stacks = stack::usage();
    Metrics {
        running,
        runnable,
        waiting,
        created,
        ended,
        procs: scheduler.procs(),
        idle_procs: attendance.idle,
        threads: threads::count(),
        idle_threads: attendance.sleepers,
        searching_threads: attendance.searching,
        parks,
        // ORDERING: Relaxed, both; statistics.
        wakes_across_threads: SHARED.wakes_across.load(Ordering::Relaxed),
        steals,
        handoffs: SHARED.handoffs.load(Ordering::Relaxed),
        stacks_bound: bound,
        stacks_cached: stacks.count.saturating_sub(bound),
        stacks_resident_bytes: stacks.resident,
        guard: match stack::protection() {
            Protection::GuardInstall => StackGuard::PageTables,
            Protection::Mprotect => StackGuard::Page,
            Protection::Canary => StackGuard::Canary,
        },
        timers_pending: deadline::pending(),
        latency: Latency(latency),
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: &dyn fmt::Display| writeln!(f, "{name:<24} {value}");
        let total = self.running + self.runnable + self.waiting;
        let Self { running, runnable, waiting, .. } = self;
        row("goroutines", &format_args!("{total} ({running} running, {runnable} runnable, {waiting} waiting)"))?;
        row("created, ended", &format_args!("{}, {}", self.created, self.ended))?;
        row("processors", &format_args!("{} ({} idle)", self.procs, self.idle_procs))?;
        let (idle, searching) = (self.idle_threads, self.searching_threads);
        row("threads", &format_args!("{} ({idle} idle, {searching} searching)", self.threads))?;
        row("parks", &self.parks)?;
        row("wakes across threads", &self.wakes_across_threads)?;
        row("steals", &self.steals)?;
        row("hand-offs", &self.handoffs)?;
        row("stacks", &format_args!("{} bound, {} cached", self.stacks_bound, self.stacks_cached))?;
        row("stacks, resident", &format_args!("{} KiB (estimate)", self.stacks_resident_bytes >> 10))?;
        row("stack guard", &self.guard)?;
        row("timers pending", &self.timers_pending)?;
        if self.latency.count() == 0 {
            return Ok(());
        }
        let below = |share| self.latency.quantile(share).unwrap_or_default();
        let (half, most, rest) = (below(0.5), below(0.99), below(1.0));
        row("latency, sampled", &format_args!("50 % < {half:?}, 99 % < {most:?}, all < {rest:?}"))
    }
}
