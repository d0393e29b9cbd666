//! All goroutines at one moment, or nearly so: collecting them.
//!
//! # Invariants
//! 1. What is read of a goroutine that is not frozen are hints of one goroutine (`Goroutine::glance`).
//! 2. A frozen goroutine is thawed by whoever froze it, before anything is formatted or waited for; if it was woken
//!    meanwhile it is made runnable here (status, I4).

use super::trace::{self, Frame, Names, Trace};
use crate::go::{Id, Site};
use crate::park::{External, WaitReason};
use crate::sched::goroutine::{Glance, Goroutine, State};
use crate::sched::status::Duty;
use crate::sched::{self, counters, current};
use core::ptr::NonNull;
use core::time::Duration;
use std::backtrace::Backtrace;

/// Room that naming a backtrace wants on the caller's stack. Taking one wants little.
const ROOM: usize = 256 << 10;

/// So many times a goroutine is looked at that is between running and waiting.
const PATIENCE: u32 = 100;

/// All goroutines, as [`runtime::dump`](crate::runtime::dump) found them.
///
/// `Display` shows them as Go does; thousands of goroutines that stand in the same place are shown once.
///
/// ```
/// let me = gaggle::spawn(|| {
///     let dump = gaggle::runtime::dump();
///     println!("{dump}");
///     dump.goroutines().next().map(|first| first.id())
/// });
/// let id = me.id();
/// assert_eq!(me.join().unwrap(), Some(id));
/// ```
#[derive(Clone, Debug)]
pub struct Dump {
    pub(super) goroutines: Vec<GoroutineRecord>,
}

impl Dump {
    /// The goroutines: the one that took the dump first, if it is one, then by number.
    pub fn goroutines(&self) -> impl ExactSizeIterator<Item = &GoroutineRecord> {
        self.goroutines.iter()
    }
}

/// What a goroutine does.
///
/// ```
/// use gaggle::diag::GoroutineState;
/// let mine = gaggle::run(|| gaggle::runtime::dump().goroutines().next().map(|first| first.state()));
/// assert_eq!(mine, Some(GoroutineState::Running));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GoroutineState {
    /// It runs.
    Running,
    /// It could run, and waits for a processor.
    Runnable,
    /// It waits for something: see [`GoroutineRecord::reason`].
    Waiting,
}

impl GoroutineState {
    /// `running`, `runnable` or `waiting`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Runnable => "runnable",
            Self::Waiting => "waiting",
        }
    }
}

/// What a [`Dump`] knows of one goroutine.
///
/// ```
/// use gaggle::runtime;
/// let (tx, rx) = gaggle::chan::<()>(0);
/// let waiter = gaggle::task::Builder::new().name("waiter").spawn(move || rx.recv()).unwrap();
/// let record = loop {
///     let dump = runtime::dump();
///     let waiting = dump.goroutines().find(|g| g.id() == waiter.id() && g.reason().is_some()).cloned();
///     match waiting {
///         Some(record) => break record,
///         None => runtime::yield_now(),
///     }
/// };
/// assert_eq!((record.name(), record.reason()), (Some("waiter"), Some("chan receive")));
/// assert!(record.waiting().is_some());
/// // It was started by a plain thread, here.
/// assert_eq!(record.creator(), None);
/// println!("started at {}", record.site());
/// match record.note() {
///     Some(why) => println!("its stack cannot be shown: {why}"),
///     None => record.frames().iter().for_each(|frame| println!("{frame}")),
/// }
/// # drop(tx);
/// # waiter.join().unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct GoroutineRecord {
    pub(super) id: u64,
    pub(super) name: Option<Box<str>>,
    pub(super) state: GoroutineState,
    pub(super) reason: Option<&'static str>,
    pub(super) waiting: Option<Duration>,
    pub(super) locked: bool,
    pub(super) creator: u64,
    pub(super) site: &'static Site,
    pub(super) trace: Trace,
}

impl GoroutineRecord {
    /// Its number.
    pub fn id(&self) -> Id {
        Id(self.id)
    }

    /// Its name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What it does.
    pub fn state(&self) -> GoroutineState {
        self.state
    }

    /// What it waits for, in Go's words (`chan receive`, `select`, `sync.Mutex.Lock`, …), if it waits.
    pub fn reason(&self) -> Option<&'static str> {
        self.reason
    }

    /// How long it has waited, if it waits. The clock of waits is coarse: a busy program may see some milliseconds too
    /// many.
    pub fn waiting(&self) -> Option<Duration> {
        self.waiting
    }

    /// Where it was started: `file:line:column`.
    pub fn site(&self) -> &(dyn core::fmt::Display + 'static) {
        self.site
    }

    /// The goroutine that started it; `None` if that was a plain thread.
    pub fn creator(&self) -> Option<Id> {
        (self.creator != 0).then_some(Id(self.creator))
    }

    /// Where it is, innermost first, without the frames of the runtime (unless `RUST_BACKTRACE=full`). Empty if that
    /// could not be had: see [`note`](Self::note).
    pub fn frames(&self) -> &[Frame] {
        match &self.trace {
            Trace::Frames(frames) => frames,
            Trace::Unavailable(_) => &[],
        }
    }

    /// Why there are no frames.
    pub fn note(&self) -> Option<&'static str> {
        match self.trace {
            Trace::Frames(_) => None,
            Trace::Unavailable(note) => Some(note),
        }
    }
}

/// Looks at all goroutines.
pub(crate) fn dump() -> Dump {
    let here = trace::here();
    crate::stack::with_room(ROOM, || collect(&here))
}

/// Looks at the calling goroutine alone; `panicked` is where it panicked, if it did.
pub(super) fn dump_own(panicked: Option<Backtrace>) -> Dump {
    let place = panicked.unwrap_or_else(trace::here);
    let own = crate::stack::with_room(ROOM, || current::goroutine().and_then(|g| own_record(g, &place)));
    Dump { goroutines: own.into_iter().collect() }
}

fn collect(here: &Backtrace) -> Dump {
    counters::refresh_clock();
    // A wake-up that is left to us must not be missed by who looks for deadlocks (I2).
    let _external = External::begin();
    let me = current::goroutine();
    let mut goroutines: Vec<_> = me.and_then(|g| own_record(g, here)).into_iter().collect();
    let mine = goroutines.len();
    let mut names = Names::default();
    for g in sched::scheduler().roster.objects() {
        if me != Some(NonNull::from(g)) {
            goroutines.extend(record(g, &mut names));
        }
    }
    goroutines[mine..].sort_unstable_by_key(|g| g.id);
    // One that ended while we looked, and began again in another object's place, has another number: none is twice.
    Dump { goroutines }
}

fn own_record(g: NonNull<Goroutine>, place: &Backtrace) -> Option<GoroutineRecord> {
    // SAFETY: it runs here.
    let g = unsafe { g.as_ref() };
    let glance = g.glance()?;
    // SAFETY: it runs here, so it does not end meanwhile.
    let name = unsafe { g.name() }.map(Into::into);
    Some(GoroutineRecord::new(&glance, name, g.os_locks.get() != 0, Trace::Frames(trace::frames_of(place))))
}

/// Another goroutine than the caller's own; `None` if there is none in this object.
fn record(g: &'static Goroutine, names: &mut Names) -> Option<GoroutineRecord> {
    let mut glance = g.glance()?;
    // It says that it waits a moment before it does, and until somebody runs it; and another dump may look at it.
    for _ in 0..PATIENCE {
        if glance.state != State::Waiting {
            break;
        }
        if g.word.freeze() {
            return frozen(g, names);
        }
        std::thread::yield_now();
        glance = g.glance()?;
    }
    let note = match glance.state {
        State::Running => "goroutine running on other thread; stack unavailable",
        _ if glance.has_stack => "goroutine about to run; stack unavailable",
        _ => "not started yet",
    };
    Some(GoroutineRecord::new(&glance, g.name_of(glance.id), false, Trace::Unavailable(note)))
}

/// A goroutine that we have just frozen.
fn frozen(g: &'static Goroutine, names: &mut Names) -> Option<GoroutineRecord> {
    // Again: perhaps another one has come here since the first look.
    let glance = g.glance();
    // SAFETY: frozen: it neither runs nor ends.
    let name = unsafe { g.name() }.map(Into::into);
    let locked = g.os_locks.get() != 0;
    // SAFETY: frozen.
    let seen = unsafe { names.look(g) };
    if g.word.thaw() == Duty::MakeRunnable {
        // SAFETY: the word heads this goroutine, and the duty to run it fell to us (I2).
        unsafe { sched::ready(NonNull::from(&g.word)) };
    }
    Some(GoroutineRecord::new(&glance?, name, locked, names.name(seen)))
}

impl GoroutineRecord {
    fn new(glance: &Glance, name: Option<Box<str>>, locked: bool, trace: Trace) -> Self {
        let state = match glance.state {
            State::Waiting => GoroutineState::Waiting,
            State::Runnable => GoroutineState::Runnable,
            _ => GoroutineState::Running,
        };
        let waits = state == GoroutineState::Waiting;
        Self {
            id: glance.id,
            name,
            state,
            reason: waits.then(|| WaitReason::from_number(glance.reason).as_str()),
            waiting: waits.then(|| Duration::from_millis(glance.waits_for)),
            locked,
            creator: glance.creator,
            site: glance.site,
            trace,
        }
    }
}
