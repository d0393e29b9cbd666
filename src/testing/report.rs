//! The report of a model that failed: who waits where, and what led there.

use super::FailureKind;
use crate::park::WaitReason;
use crate::park::model::record::{Event, Goroutine, MAX_GOROUTINES, Panic, Record, State};
use core::fmt::{self, Write};
use std::backtrace::BacktraceStatus;

/// How many of the last events are shown.
const EVENTS: usize = 60;

/// Writes the report.
pub(super) fn write(record: &Record, kind: FailureKind) -> String {
    let mut out = String::new();
    // A string takes everything.
    let _ = headline(&mut out, record, kind);
    let _ = panics(&mut out, record);
    for (who, goroutine) in record.goroutines.iter().enumerate() {
        let _ = one(&mut out, who, goroutine);
    }
    let _ = history(&mut out, record);
    let _ = write!(out, "found in execution {}, with choice {} of selects' arms", record.executions, record.rounds);
    out
}

fn headline(out: &mut String, record: &Record, kind: FailureKind) -> fmt::Result {
    let waiting = record.goroutines.iter().filter(|g| matches!(g.state, State::Waits(_))).count();
    match kind {
        FailureKind::Deadlock => writeln!(out, "model: all goroutines are asleep - deadlock!"),
        FailureKind::Leak if waiting == 1 => {
            writeln!(out, "model: a goroutine leaked: main has returned, and it waits for ever")
        }
        FailureKind::Leak => {
            writeln!(out, "model: {waiting} goroutines leaked: main has returned, and they wait for ever")
        }
        FailureKind::Panic => writeln!(out, "model: a panic"),
        FailureKind::Loom => writeln!(out, "model: stopped by loom"),
    }
}

fn panics(out: &mut String, record: &Record) -> fmt::Result {
    for Panic { who, text, place, by_loom, backtrace } in &record.panics {
        match who {
            Some(who) => write!(out, "\n{}", Named(record, *who))?,
            None => write!(out, "\nthe model")?,
        }
        match place {
            Some(place) => writeln!(out, " panicked at {place}:")?,
            None => writeln!(out, " panicked:")?,
        }
        writeln!(out, "{text}")?;
        if let Some(hint) = by_loom.then(|| hint(text)).flatten() {
            writeln!(out, "hint: {hint}")?;
        }
        if let Some(backtrace) = backtrace.as_ref().filter(|b| b.status() == BacktraceStatus::Captured) {
            writeln!(out, "{backtrace}")?;
        }
    }
    Ok(())
}

/// What the user can do about something that loom says.
fn hint(text: &str) -> Option<String> {
    let says = |words: &str| text.contains(words);
    if says("maximum number of branches") {
        Some(
            "the execution is too long, or endless. A loop that polls must call `gaggle::runtime::yield_now()`, so that \
             the others come to run; a loop for ever must be given an end; `Model::branches` raises the limit"
                .into(),
        )
    } else if says("self.max()") {
        Some(format!("a model has room for {MAX_GOROUTINES} threads, main and those that have ended included"))
    } else if says("unexpected exploration state") || says("expected to be able to acquire") {
        Some(
            "two executions of the same schedule differed. What a model does may depend on nothing but the schedule: \
             not on random numbers, the clock, addresses, the order of a `HashMap`, or a static that outlives the \
             execution"
                .into(),
        )
    } else if says("Arc leaked") {
        Some(
            "a loom `Arc`, or a `WaitGroup`, is still alive at the end: forgotten, or in a cycle, or in a static"
                .into(),
        )
    } else {
        None
    }
}

/// `goroutine 2 "producer"`.
struct Named<'a>(&'a Record, usize);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "goroutine {}", self.1 + 1)?;
        match self.0.goroutines.get(self.1).and_then(|goroutine| goroutine.name.as_deref()) {
            Some(name) => write!(f, " \"{name}\""),
            None if self.1 == 0 => f.write_str(" (main)"),
            None => Ok(()),
        }
    }
}

fn one(out: &mut String, who: usize, goroutine: &Goroutine) -> fmt::Result {
    let Goroutine { site, name, state, places, joins, .. } = goroutine;
    write!(out, "\ngoroutine {}", who + 1)?;
    if let Some(name) = name {
        write!(out, " \"{name}\"")?;
    }
    match state {
        State::Runnable => writeln!(out, " [runnable]:")?,
        State::Waits(reason) => writeln!(out, " [{reason}]:")?,
        State::Ended => writeln!(out, " [ended]:")?,
        State::Panicked => writeln!(out, " [panicked]:")?,
    }
    if let State::Waits(reason) = state {
        for place in places {
            writeln!(out, "    for the {} made at {place}", object(*reason))?;
        }
        if let (WaitReason::Join, Some(other)) = (reason, joins) {
            writeln!(out, "    for goroutine {other}")?;
        }
    }
    match site {
        Some(site) if who == 0 => writeln!(out, "    main, the model at {site}"),
        Some(site) => writeln!(out, "    started at {site}"),
        None => writeln!(out, "    a thread of loom's, not started by gaggle"),
    }
}

/// What a goroutine waits for, for this reason.
fn object(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::ChanSend | WaitReason::ChanReceive | WaitReason::Select => "channel",
        WaitReason::MutexLock => "Mutex",
        WaitReason::RwLockRead | WaitReason::RwLockWrite => "RwLock",
        WaitReason::CondvarWait => "Condvar",
        WaitReason::WaitGroupWait => "WaitGroup",
        WaitReason::OnceWait => "Once",
        WaitReason::SemaphoreAcquire => "Semaphore",
        WaitReason::BarrierWait => "Barrier",
        // Reasons that stand in no queue, or that no model has.
        _ => "object",
    }
}

fn history(out: &mut String, record: &Record) -> fmt::Result {
    let skipped = record.events.len().saturating_sub(EVENTS);
    writeln!(out, "\nhow it came to this:")?;
    if skipped != 0 {
        writeln!(out, "    ({skipped} events before)")?;
    }
    for event in &record.events[skipped..] {
        let named = |who: usize| Named(record, who);
        out.write_str("    ")?;
        match *event {
            Event::Starts { who, child } => writeln!(out, "{} starts {}", named(who), named(child))?,
            Event::Waits { who, reason } => writeln!(out, "{} waits: {reason}", named(who))?,
            Event::Wakes { who: Some(who), sleeper } => writeln!(out, "{} wakes {}", named(who), named(sleeper))?,
            Event::Wakes { who: None, sleeper } => writeln!(out, "{} is woken", named(sleeper))?,
            Event::Chooses { who, way, ways } => {
                writeln!(out, "{} chooses {way} of 0..{ways}", named(who))?;
            }
            Event::Ends { who } => writeln!(out, "{} ends", named(who))?,
            Event::Panics { who } => writeln!(out, "{} panics", named(who))?,
        }
    }
    writeln!(out)
}
