//! Keeping the lookout: how a worker waits for the clock and the kernel's events, and who makes it look again.
//!
//! # Invariants
//! 1. Goroutines made runnable by what a worker does on its root, while it is `serving`, are gathered by that worker, and
//!    queued when it has done.

use super::lookout::{Lookout, NEVER};
use super::scheduler::scheduler;
use super::woken::Woken;
use super::worker::Worker;
use super::{netpoll, threads};
use crate::platform::clock;
use crate::primitives::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub(super) static LOOKOUT: Lookout<Worker> = Lookout::new();
/// When somebody last asked the kernel for events.
static POLLED: AtomicU64 = AtomicU64::new(0);
/// Whoever sleeps is to keep the lookout though no processor is idle.
static SUMMONED: AtomicBool = AtomicBool::new(false);

/// Events that wait for longer are asked for by workers that have other things to do.
const STALE: u64 = 200_000;
/// Of a deadline that nobody looks after: how long the monitor leaves it to those who may pass by.
const SLACK: u64 = 100_000;
/// As long may events wait before the monitor sends somebody.
const NEGLECT: u64 = 2_000_000;

/// The scheduler's time: nanoseconds since some instant. What is half a millennium away comes a little earlier.
pub(super) fn nanos(at: Instant) -> u64 {
    clock::nanos_at(at).min(NEVER - 1)
}

fn now() -> u64 {
    nanos(Instant::now())
}

/// Wakes `w`, or the next sleep of it, wherever it sleeps.
pub(super) fn ring(w: &Worker) {
    w.bell.set();
    if LOOKOUT.is_kept_by(w) {
        netpoll::interrupt();
    }
}

fn ring_if_any(w: *mut Worker) {
    // SAFETY: null, or a worker, which is leaked.
    if let Some(w) = unsafe { w.as_ref() } {
        ring(w);
    }
}

/// A deadline was set for `when`, the first of all. Whoever keeps the lookout sleeps no longer than that; if nobody does,
/// somebody is at work, who will look, and so does the monitor.
pub(super) fn tell_sooner(when: u64) {
    ring_if_any(LOOKOUT.sooner(when));
    threads::ensure_any();
}

/// There is a poller now.
pub(super) fn tell_poller_started() {
    ring_if_any(LOOKOUT.to_be_told());
    threads::ensure_any();
}

/// Whether a worker that has other things to do had better [`serve`] first.
#[inline]
pub(super) fn is_due() -> bool {
    let next = LOOKOUT.next();
    (next != NEVER || netpoll::is_started()) && looks_due(next)
}

fn looks_due(next: u64) -> bool {
    let now = now();
    // ORDERING: Relaxed; a hint.
    next <= now || (netpoll::is_started() && POLLED.load(Ordering::Relaxed) + STALE <= now && LOOKOUT.is_vacant())
}

/// Does what is due, and takes what events there are. On the root of `w`; true if a goroutine was woken.
pub(super) fn serve(w: &'static Worker) -> bool {
    let mut woken = Woken::new();
    if netpoll::is_started() {
        poll(|| Some(Duration::ZERO), &mut woken);
    }
    serve_with(w, woken)
}

/// As [`serve`], with those that events have woken already.
pub(super) fn serve_with(w: &'static Worker, mut woken: Woken) -> bool {
    if LOOKOUT.first() != NEVER {
        let mut gathered = w.gather(|| super::clock::fire(&mut woken));
        woken.append(&mut gathered);
    }
    let any = !woken.is_empty();
    woken.submit_on(w);
    any
}

/// False if another thread polls now.
fn poll(timeout: impl FnOnce() -> Option<Duration>, woken: &mut Woken) -> bool {
    let polled = netpoll::poll(timeout, woken);
    // ORDERING: Relaxed; a hint.
    POLLED.store(now(), Ordering::Relaxed);
    polled
}

/// What came of a sleep.
pub(super) enum Slept {
    /// Another one keeps the lookout, or nobody has to.
    Elsewhere,
    /// There is something to do, with those that were woken.
    Called(Woken),
    Rung,
    /// The time was up.
    Out,
}

/// Keeps the lookout, if that is to be done, for `patience` at most.
pub(super) fn keep(w: &'static Worker, patience: Option<Duration>) -> Slept {
    // ORDERING: Relaxed; who summons rings afterwards.
    let summoned = SUMMONED.load(Ordering::Relaxed) && SUMMONED.swap(false, Ordering::Relaxed);
    if !(summoned || scheduler().idle.needs_lookout()) || !LOOKOUT.take(w) {
        return Slept::Elsewhere;
    }
    let mut woken = Woken::new();
    let until = LOOKOUT.until();
    let timeout = [(until != NEVER).then(|| Duration::from_nanos(until.saturating_sub(now()))), patience];
    let timeout = timeout.into_iter().flatten().min();
    let rung = if netpoll::is_started() {
        // A ring that came before we were the holder has not interrupted the poller. One that came later has, but a worker
        // at work that polled before us may have taken the interruption: so the look comes when nobody else polls.
        let mut rung = false;
        let polled = poll(
            || {
                rung = w.bell.take();
                if rung { Some(Duration::ZERO) } else { timeout }
            },
            &mut woken,
        );
        // Where another one polls we have not waited: look again.
        rung || w.bell.take() || !polled
    } else {
        w.bell.wait_for(timeout)
    };
    LOOKOUT.leave();
    if !woken.is_empty() || LOOKOUT.first() <= now() {
        Slept::Called(woken)
    } else if rung {
        Slept::Rung
    } else {
        // Early or late, by the clock or by a signal: whoever loses patience a little too soon looks once too often.
        if patience.is_some() && timeout == patience { Slept::Out } else { Slept::Rung }
    }
}

/// Of the monitor: when to look after deadlines and events, since nobody keeps the lookout; nanoseconds from now.
pub(super) fn neglected_in() -> Option<u64> {
    if !LOOKOUT.is_vacant() {
        return None;
    }
    let clock = match LOOKOUT.next() {
        NEVER => None,
        // The farthest deadlines are that close to what can be counted.
        next => Some(next.saturating_add(SLACK)),
    };
    // ORDERING: Relaxed; a hint.
    let events = netpoll::is_started().then(|| POLLED.load(Ordering::Relaxed) + NEGLECT);
    let at = [clock, events].into_iter().flatten().min()?;
    Some(at.saturating_sub(now()))
}

/// Of the monitor: sends a sleeping worker to keep the lookout.
pub(super) fn summon() {
    // ORDERING: Relaxed; the ring carries it.
    SUMMONED.store(true, Ordering::Relaxed);
    if let Some(w) = scheduler().idle.a_sleeper() {
        ring(w);
    }
}
