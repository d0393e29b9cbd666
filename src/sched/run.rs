//! The scheduler's verbs: start a goroutine, make it runnable, park it, free it.

use super::goroutine::{Goroutine, flags};
use super::list::List;
use super::processor::Processor;
use super::scheduler::scheduler;
use super::site::Site;
use super::status::ParkWord;
use super::worker::{self, Worker};
use super::{counters, current};
use crate::coroutine::stack::{Class, StackError};
use crate::primitives::atomic::Ordering;
use core::ptr::{self, NonNull};

/// A new goroutine that nobody knows yet, with both references (goroutine, I2). The caller fills in the body and
/// calls [`start`]. The scheduler has been started.
///
/// # Errors
/// When there is no address space for its stack.
#[inline]
pub(crate) fn new_goroutine(site: &'static Site, flags: u8, class: Class) -> Result<NonNull<Goroutine>, StackError> {
    let s = scheduler();
    // ORDERING: Relaxed, everywhere here; numbers that need only be unique.
    match current::worker() {
        Some(w) if !w.current().is_null() => {
            let p = w.processor();
            p.with_promises(|promises| promises.take(class))?;
            // SAFETY: this worker holds the processor.
            let g = s.roster.take(unsafe { p.free() });
            let id = p.next_id(|n| s.next_id.fetch_add(n, Ordering::Relaxed));
            Processor::count(&p.started);
            // SAFETY: type-stable, and nobody else knows it; the parent runs here.
            unsafe { g.as_ref().reset(id, site, flags, class, (*w.current()).id()) };
            Ok(g)
        }
        _ => {
            s.promises.lock().take(class)?;
            let g = s.roster.take_central();
            let id = s.next_id.fetch_add(1, Ordering::Relaxed);
            s.started_outside.fetch_add(1, Ordering::Relaxed);
            // SAFETY: type-stable, and nobody else knows it.
            unsafe { g.as_ref() }.reset(id, site, flags, class, 0);
            Ok(g)
        }
    }
}

/// Queues a goroutine for its first run.
///
/// # Safety
/// `g` came from [`new_goroutine`], has its body, and is started once.
#[inline]
pub(crate) unsafe fn start(g: NonNull<Goroutine>) {
    // SAFETY: by the contract nobody else has it.
    unsafe { g.as_ref() }.set_runnable();
    make_runnable(g);
}

/// Makes a parked goroutine runnable.
///
/// # Safety
/// The word heads a goroutine, and told the caller to (status, I3).
#[inline]
pub(crate) unsafe fn ready(word: NonNull<ParkWord>) {
    let g = word.cast::<Goroutine>();
    // SAFETY: by the contract it is ours to run.
    unsafe { g.as_ref() }.set_runnable();
    make_runnable(g);
}

#[inline]
fn make_runnable(g: NonNull<Goroutine>) {
    match current::worker() {
        Some(w) if !w.current().is_null() => ready_on(w, g),
        _ => from_outside(g),
    }
}

/// Queues `g`, which is ours to run, to run next. On the thread of `w`, which holds a processor.
#[inline]
pub(super) fn ready_on(w: &'static Worker, g: NonNull<Goroutine>) {
    // SAFETY: it is ours to run.
    let home = unsafe { g.as_ref() }.home();
    if home.is_null() {
        let s = scheduler();
        let p = w.processor();
        if let Some(before) = p.set_next(g) {
            p.queue.push(before, |spilled| s.inject(spilled));
        }
        s.idle.notify();
    } else if ptr::eq(home, w) {
        w.push_home_next(g);
    } else {
        post_home(home, g);
    }
}

/// Queues `g`, which yielded here, to run last. On the thread of `w`, which holds a processor.
#[inline]
pub(super) fn requeue_on(w: &'static Worker, g: NonNull<Goroutine>) {
    // SAFETY: it is ours to run.
    let home = unsafe { g.as_ref() }.home();
    if home.is_null() {
        let s = scheduler();
        w.processor().queue.push(g, |spilled| s.inject(spilled));
        s.idle.notify();
    } else {
        debug_assert!(ptr::eq(home, w), "runtime bug: a goroutine ran away from home");
        w.push_home(g);
    }
}

fn post_home(home: *mut Worker, g: NonNull<Goroutine>) {
    // SAFETY: workers are leaked.
    let home: &'static Worker = unsafe { &*home };
    counters::count_wake_across();
    home.post(g);
    scheduler().idle.notify_home(home);
}

#[cold]
fn from_outside(g: NonNull<Goroutine>) {
    // SAFETY: it is ours to run.
    let home = unsafe { g.as_ref() }.home();
    if home.is_null() {
        let s = scheduler();
        counters::count_wake_across();
        s.inject(g);
        s.idle.notify();
    } else {
        post_home(home, g);
    }
}

/// Makes all of `list` runnable, which are ours to run, in one go.
pub(super) fn ready_all(list: &mut List<Goroutine>) {
    let mut anywhere = List::new();
    while let Some(g) = list.pop_front() {
        // SAFETY: it is ours to run.
        let home = unsafe { g.as_ref() }.home();
        if home.is_null() {
            // SAFETY: it was just taken off the only list that it was in.
            unsafe { anywhere.push_back(g) };
        } else {
            post_home(home, g);
        }
    }
    if !anywhere.is_empty() {
        let s = scheduler();
        s.injector.append(&mut anywhere);
        s.idle.notify();
    }
}

/// Parks the running goroutine, whose wait is open; returns after the wake.
#[inline]
pub(crate) fn park_current(reason: u8) {
    worker::park(reason);
}

/// Puts the running goroutine behind all others; on a plain thread yields the thread.
pub(crate) fn yield_now() {
    match current::worker() {
        Some(w) if !w.current().is_null() => worker::yield_now(w),
        _ => std::thread::yield_now(),
    }
}

/// Drops the join handle's reference to `g`, and frees the object if that was the last.
///
/// # Safety
/// The caller owns that reference and forgets it.
pub(crate) unsafe fn free(g: NonNull<Goroutine>) {
    // SAFETY: by the contract the object is still referenced.
    if !unsafe { g.as_ref() }.release() {
        return;
    }
    let s = scheduler();
    match current::worker() {
        // SAFETY: that was the last reference, and this worker holds its processor.
        Some(w) if !w.current().is_null() => unsafe { s.roster.give(g, w.processor().free()) },
        // SAFETY: that was the last reference.
        _ => unsafe { s.roster.give_central(g) },
    }
}

/// The flags that a goroutine spawned here inherits; the process-wide default on a plain thread.
#[inline]
pub(crate) fn inherited_flags() -> u8 {
    match current::goroutine() {
        // SAFETY: it runs here.
        Some(g) if unsafe { g.as_ref() }.has(flags::MIGRATING) => flags::MIGRATING,
        Some(_) => 0,
        None => super::config::default_flags(),
    }
}

/// Counts the running goroutine as ended: before its joiner is woken, so that the joiner sees it gone.
pub(crate) fn count_ended() {
    if let Some(w) = current::worker() {
        Processor::count(&w.processor().ended);
    }
}
