//! A dump as text, in Go's format.
//!
//! ```text
//! goroutine 18 "worker 3" [chan receive, 5 minutes]:
//! app::work
//!     ./src/main.rs:12
//! created by go! in goroutine 1 at src/main.rs:7:5
//! ```
//!
//! In a dump of more than [`FEW`] goroutines those that stand in the same place are shown once, as pprof does.

use super::dump::{Dump, GoroutineRecord, GoroutineState};
use super::trace::{Frame, Trace};
use core::fmt;
use core::time::Duration;
use std::collections::HashMap;

/// So many goroutines can be read one by one.
const FEW: usize = 50;
/// So many frames are shown of each end of a deep stack.
const ENDS: usize = 50;
/// So many numbers of a group are shown.
const SHOWN: usize = 10;

impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = self.groups();
        for (at, group) in groups.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            group.fmt(f)?;
        }
        Ok(())
    }
}

/// Goroutines that are shown together.
struct Group<'a>(Vec<&'a GoroutineRecord>);

impl Dump {
    /// In the order of their first goroutines, the one that took the dump first.
    fn groups(&self) -> Vec<Group<'_>> {
        let all = &self.goroutines;
        if all.len() <= FEW {
            return all.iter().map(|g| Group(vec![g])).collect();
        }
        let mut groups: Vec<Group<'_>> = Vec::new();
        let mut places = HashMap::new();
        for g in all {
            let at = *places.entry(g.place()).or_insert(groups.len());
            match groups.get_mut(at) {
                Some(group) => group.0.push(g),
                None => groups.push(Group(vec![g])),
            }
        }
        groups
    }
}

impl GoroutineRecord {
    /// What goroutines of a group have in common.
    fn place(&self) -> impl Eq + core::hash::Hash + use<> {
        // The frames are shared by all that stand there (`trace::Names`).
        let trace = match &self.trace {
            Trace::Frames(frames) if frames.is_empty() => 0,
            Trace::Frames(frames) => frames.as_ptr().addr(),
            Trace::Unavailable(note) => note.as_ptr().addr(),
        };
        (self.state, self.reason, self.locked, core::ptr::from_ref(self.site).addr(), trace)
    }

    /// What stands between the brackets, but for the time.
    fn status(&self) -> &'static str {
        match (self.state, self.reason) {
            (GoroutineState::Waiting, Some(reason)) => reason,
            (state, _) => state.as_str(),
        }
    }

    fn minutes(&self) -> u64 {
        self.waiting.unwrap_or(Duration::ZERO).as_secs() / 60
    }
}

impl fmt::Display for GoroutineRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Group(vec![self]).fmt(f)
    }
}

impl fmt::Display for Group<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.0.first() else { return Ok(()) };
        match &*self.0 {
            [one] => {
                write!(f, "goroutine {}", one.id)?;
                if let Some(name) = one.name() {
                    write!(f, " {name:?}")?;
                }
            }
            many => write!(f, "{} goroutines", many.len())?,
        }
        write!(f, " [{}", first.status())?;
        let minutes = || self.0.iter().map(|g| g.minutes());
        // As Go: nothing below a minute, and no singular.
        match (minutes().min().unwrap_or(0), minutes().max().unwrap_or(0)) {
            (_, 0) => {}
            (least, most) if least == most => write!(f, ", {most} minutes")?,
            (least, most) => write!(f, ", {least} to {most} minutes")?,
        }
        writeln!(f, "{}]:", if first.locked { ", locked to thread" } else { "" })?;
        self.members(f)?;
        match &first.trace {
            Trace::Frames(frames) => write_frames(f, frames)?,
            Trace::Unavailable(note) => writeln!(f, "\t{note}")?,
        }
        self.created(f)
    }
}

/// The innermost and the outermost ones, as Go does.
fn write_frames(f: &mut fmt::Formatter<'_>, frames: &[Frame]) -> fmt::Result {
    let elided = frames.len().saturating_sub(2 * ENDS);
    let inner = if elided == 0 { frames.len() } else { ENDS };
    frames[..inner].iter().try_for_each(|frame| writeln!(f, "{frame}"))?;
    if elided > 0 {
        writeln!(f, "...{elided} frames elided...")?;
    }
    frames[inner + elided..].iter().try_for_each(|frame| writeln!(f, "{frame}"))
}

impl Group<'_> {
    /// `18, 19 "worker 3", 20 and 9997 more`
    fn members(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() == 1 {
            return Ok(());
        }
        f.write_str("#")?;
        for (at, g) in self.0.iter().take(SHOWN).enumerate() {
            write!(f, "{} {}", if at == 0 { "" } else { "," }, g.id)?;
            if let Some(name) = g.name() {
                write!(f, " {name:?}")?;
            }
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => writeln!(f),
            more => writeln!(f, " and {more} more"),
        }
    }

    fn created(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.0[0];
        let same = self.0.iter().all(|g| g.creator == first.creator);
        match first.creator {
            // Nobody's `go!`: the attribute did it.
            0 if first.id == 1 => Ok(()),
            0 if same => writeln!(f, "created by go! on a plain thread at {}", first.site),
            creator if same => writeln!(f, "created by go! in goroutine {creator} at {}", first.site),
            _ => writeln!(f, "created by go! at {}", first.site),
        }
    }
}
