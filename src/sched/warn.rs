//! Says which goroutine keeps its thread while others that are at home there wait: they can run nowhere else.
//!
//! Part of the monitor, whose rules hold here too: no allocation, no lock that user code can hold.
//!
//! # Invariants
//! 1. What belongs to a worker and to the goroutine that it runs is read while the owner is kept outside (lease, I3).

use super::config;
use super::goroutine::Goroutine;
use super::site::Site;
use super::worker::Worker;
use crate::platform::fatal;
use core::fmt::{self, Write};
use core::ptr;
use std::time::{Duration, Instant};

/// How long a goroutine may keep its thread from others before it is named.
const LONG: Duration = Duration::from_millis(200);
/// So much of that it must have computed; with less it waits for something, or the machine is busy with other things.
const COMPUTED: Duration = Duration::from_millis(100);
/// How many workers are watched at once, and how many places named in all. Beyond that nobody reads on.
const MOST: usize = 64;

/// See the module's page.
pub(super) struct Warner {
    watched: [Option<Watch>; MOST],
    named: [*const Site; MOST],
}

/// A worker that has kept one goroutine for a slice.
struct Watch {
    w: &'static Worker,
    g: *mut Goroutine,
    id: u64,
    /// How often the worker had looked for the next one to run.
    picks: u32,
    since: Instant,
    /// CPU time of its thread when the watch began.
    cpu: Option<Duration>,
    look_at: Instant,
}

/// Where a watch stands.
enum Verdict {
    /// It has come to the scheduler, or been named.
    Over,
    Later,
}

impl Warner {
    pub(super) fn new() -> Self {
        Self { watched: [const { None }; MOST], named: [ptr::null(); MOST] }
    }

    /// Watches the goroutine that `w` has run since then. False if there is no room now.
    pub(super) fn watch(&mut self, w: &'static Worker, since: Instant, now: Instant) -> bool {
        if !config::warns_blocked() {
            return true;
        }
        let Some(place) = self.watched.iter_mut().find(|place| place.is_none()) else { return false };
        let running = w.lease.inspect(|| {
            let g = w.current();
            // SAFETY: null, or what runs there, which is kept outside (I1).
            unsafe { g.as_ref() }.map(|goroutine| (g, goroutine.id(), w.picks.get()))
        });
        let Some(Some((g, id, picks))) = running else { return false };
        let look_at = (since + LONG).max(now);
        *place = Some(Watch { w, g, id, picks, since, cpu: w.probe.cpu_time(), look_at });
        true
    }

    pub(super) fn look(&mut self, now: Instant) {
        for place in &mut self.watched {
            let Some(watch) = place.as_mut().filter(|watch| watch.look_at <= now) else { continue };
            match watch.look(&mut self.named, now) {
                Verdict::Over => *place = None,
                Verdict::Later => watch.look_at = now + LONG / 4,
            }
        }
    }
}

impl Watch {
    fn look(&self, named: &mut [*const Site; MOST], now: Instant) -> Verdict {
        let w = self.w;
        let waits = w.probe.waits() == Some(true);
        let computed = w.probe.cpu_time().zip(self.cpu).map_or(Duration::MAX, |(now, then)| now.saturating_sub(then));
        let (posted, first_posted) = w.waiting_in_inbox();
        let mut line = Line::new();
        let verdict = w.lease.inspect(|| {
            // SAFETY: type-stable; it runs there if the worker says so, and is kept outside then (I1).
            let g = unsafe { &*self.g };
            if w.current() != self.g || g.id() != self.id || w.picks.get() != self.picks {
                return Verdict::Over;
            }
            let (at_home, first_at_home) = w.waiting_at_home();
            let place = named.iter().position(|site| site.is_null() || ptr::eq(*site, g.site()));
            let Some(place) = place.filter(|place| named[*place].is_null()) else { return Verdict::Over };
            if at_home + posted == 0 || (!waits && computed < COMPUTED) {
                return Verdict::Later;
            }
            named[place] = g.site();
            let first = if at_home == 0 { first_posted } else { first_at_home };
            // SAFETY: type-stable, and only words are read of it.
            let first = unsafe { first.as_ref() };
            let kept = now.saturating_duration_since(self.since);
            // The line is cut where it is full.
            let _ = line.tell(g, kept, waits, at_home + posted, first);
            Verdict::Over
        });
        line.end();
        // Inside at this moment: it runs on, or comes back.
        verdict.unwrap_or(Verdict::Later)
    }
}

/// Room for one line.
struct Line {
    text: [u8; 512],
    len: usize,
}

impl Line {
    fn new() -> Self {
        Self { text: [0; 512], len: 0 }
    }

    /// The keeper is kept outside (I1).
    fn tell(&mut self, g: &Goroutine, kept: Duration, waits: bool, n: usize, first: Option<&Goroutine>) -> fmt::Result {
        write!(self, "gaggle: goroutine {}", g.id())?;
        // SAFETY: its owner, which alone writes the name, is kept outside (I1).
        if let Some(name) = unsafe { g.name() } {
            // Not all of it: the cure must have room.
            write!(self, " \"{name:.40}\"")?;
        }
        let (doing, s) = (if waits { "blocked" } else { "computing" }, if n == 1 { "" } else { "s" });
        write!(self, " (started at {}) has kept its thread for {} ms, {doing}; ", g.site(), kept.as_millis())?;
        write!(self, "{n} goroutine{s} at home there wait{}", if n == 1 { "s" } else { "" })?;
        if let Some(first) = first {
            write!(self, ", first {} (started at {})", first.id(), first.site())?;
        }
        if waits {
            self.write_str(": if it waits for a std::sync guard that one of them holds, use gaggle::sync::Mutex; ")?;
            self.write_str("else make the call in gaggle::runtime::blocking")
        } else {
            self.write_str(": use #[gaggle::preemptible] or gaggle::checkpoint(), or gaggle::runtime::blocking")
        }
    }

    fn end(mut self) {
        if self.len != 0 {
            self.len = self.len.min(self.text.len() - 1);
            self.text[self.len] = b'\n';
            fatal::remark(&self.text[..=self.len]);
        }
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.text[self.len..];
        let len = text.len().min(room.len());
        room[..len].copy_from_slice(&text.as_bytes()[..len]);
        self.len += len;
        if len == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}
