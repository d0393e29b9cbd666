//! The scheduler's verbs: start a goroutine, make it runnable, park it, free it.

use super::goroutine::{Goroutine, State, flags};
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
        Some(w) if !w.current().is_null() => w.inside(|| match w.processor() {
            Some(p) => {
                p.with_promises(|promises| promises.take(class))?;
                // SAFETY: this worker holds the processor.
                let g = s.roster.take(unsafe { p.free() });
                let id = p.next_id(|n| s.next_id.fetch_add(n, Ordering::Relaxed));
                Processor::count(&p.started);
                // SAFETY: type-stable, and nobody else knows it; the parent runs here.
                unsafe { g.as_ref().reset(id, site, flags, class, (*w.current()).id()) };
                Ok(g)
            }
            // SAFETY: the parent runs here.
            None => new_outside(site, flags, class, unsafe { (*w.current()).id() }),
        }),
        _ => new_outside(site, flags, class, 0),
    }
}

/// As [`new_goroutine`], without a processor.
#[cold]
fn new_outside(site: &'static Site, flags: u8, class: Class, creator: u64) -> Result<NonNull<Goroutine>, StackError> {
    let s = scheduler();
    s.promises.lock().take(class)?;
    let g = s.roster.take_central();
    // ORDERING: Relaxed, both; numbers that need only be unique, or right in the end.
    let id = s.next_id.fetch_add(1, Ordering::Relaxed);
    s.started_outside.fetch_add(1, Ordering::Relaxed);
    // SAFETY: type-stable, and nobody else knows it.
    unsafe { g.as_ref() }.reset(id, site, flags, class, creator);
    Ok(g)
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
        Some(w) if !w.current().is_null() => {
            w.enter();
            ready_on(w, g);
            w.exit();
        }
        _ => from_outside(g),
    }
}

/// Queues `g`, which is ours to run, to run next. On the thread of `w`, inside.
#[inline]
pub(super) fn ready_on(w: &'static Worker, g: NonNull<Goroutine>) {
    // SAFETY: it is ours to run.
    let home = unsafe { g.as_ref() }.home();
    if home.is_null() {
        let Some(p) = w.processor() else { return from_outside(g) };
        let s = scheduler();
        if let Some(before) = p.set_next(g) {
            p.queue.push_or(before, |spilled| s.inject_all(spilled));
        }
        s.idle.notify();
    } else if ptr::eq(home, w) {
        w.push_home_next(g);
    } else {
        post_home(home, g);
    }
}

/// Queues `g`, which yielded here, to run last. On the thread of `w`, inside.
#[inline]
pub(super) fn requeue_on(w: &'static Worker, g: NonNull<Goroutine>) {
    // SAFETY: it is ours to run.
    let home = unsafe { g.as_ref() }.home();
    if home.is_null() {
        let Some(p) = w.processor() else { return from_outside(g) };
        let s = scheduler();
        p.queue.push_or(g, |spilled| s.inject_all(spilled));
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
    if current::worker().is_some_and(|w| w.gathers(g)) {
        return;
    }
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

/// Makes all of `list` runnable, which are ours to run, in one go: behind what waits already.
pub(crate) fn ready_list(list: &mut List<Goroutine>) {
    match current::worker() {
        Some(w) if !w.current().is_null() => w.inside(|| ready_from(Some(w), list)),
        _ => ready_all(list),
    }
}

/// As [`ready_list`], not from a goroutine's code.
pub(super) fn ready_all(list: &mut List<Goroutine>) {
    // It takes locks that the monitor takes, and whoever runs a goroutine may be paused outside its lease (pause, I1).
    debug_assert!(current::goroutine().is_none(), "runtime bug: queues are changed outside the lease");
    ready_from(None, list);
}

/// As [`ready_list`]; on the thread of `w`, inside, if there is one.
fn ready_from(w: Option<&'static Worker>, list: &mut List<Goroutine>) {
    let (mut anywhere, mut mates, mut home) = (List::new(), List::new(), ptr::null_mut());
    while let Some(g) = list.pop_front() {
        // SAFETY: it is ours to run.
        let its = unsafe { g.as_ref() }.home();
        if !its.is_null() && its != home {
            ready_at_home(w, home, &mut mates);
            home = its;
        }
        let list = if its.is_null() { &mut anywhere } else { &mut mates };
        // SAFETY: it was just taken off the only list that it was in.
        unsafe { list.push_back(g) };
    }
    ready_at_home(w, home, &mut mates);
    if !anywhere.is_empty() {
        let s = scheduler();
        s.inject_all(&mut core::iter::from_fn(|| anywhere.pop_front()));
        s.idle.notify();
    }
}

/// Queues all of `mates`, whose home is `home`.
fn ready_at_home(w: Option<&'static Worker>, home: *mut Worker, mates: &mut List<Goroutine>) {
    if mates.is_empty() {
        return;
    }
    // SAFETY: workers are leaked; a goroutine was at home there.
    let home: &'static Worker = unsafe { &*home };
    match w {
        Some(w) if ptr::eq(home, w) => w.push_all_home(mates),
        _ => {
            counters::count_wakes_across(mates.len());
            home.post_all(mates);
            scheduler().idle.notify_home(home);
        }
    }
}

/// As [`ready_all`], by `w` on its root, which runs the first of those it can run itself.
pub(super) fn ready_here(w: &'static Worker, list: &mut List<Goroutine>) {
    let Some(p) = w.processor().filter(|_| w.locked.get() == 0) else { return ready_all(list) };
    let s = scheduler();
    let (busy, mut mine, mut anyones) = (p.has_work() || w.has_home_work(), 0, 0);
    while let Some(g) = list.pop_front() {
        // SAFETY: it is ours to run.
        let home = unsafe { g.as_ref() }.home();
        if home.is_null() {
            p.queue.push_or(g, |spilled| s.inject_all(spilled));
            anyones += 1;
        } else if ptr::eq(home, w) {
            w.push_home(g);
            mine += 1;
        } else {
            post_home(home, g);
        }
    }
    // One of them runs here at once: no wake-up is owed for that one.
    if anyones != 0 && (busy || anyones + mine > 1) {
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
    match current::worker() {
        Some(w) if !w.current().is_null() => {
            w.enter();
            // SAFETY: that was the last reference.
            unsafe { recycle(w.processor(), g) };
            w.exit();
        }
        // SAFETY: that was the last reference.
        _ => unsafe { recycle(None, g) },
    }
}

/// Takes back the object of a goroutine that nobody refers to, on a thread that holds `p`.
///
/// # Safety
/// The last reference is gone, and if there is a `p`, the caller is a worker that holds it, inside.
#[inline]
pub(super) unsafe fn recycle(p: Option<&'static Processor>, g: NonNull<Goroutine>) {
    let s = scheduler();
    match p {
        // SAFETY: by the contract.
        Some(p) => unsafe { s.roster.give(g, p.free()) },
        // SAFETY: by the contract.
        None => unsafe { s.roster.give_central(g) },
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

/// Counts the running goroutine as ended, and drops what it has beside its payload: before its joiner is woken, so that
/// the joiner sees it gone. Inside, so that the monitor never names a goroutine whose name goes away.
pub(crate) fn end_current() {
    let Some(w) = current::worker() else { return };
    let Some(g) = NonNull::new(w.current()) else { return };
    w.inside(|| {
        // SAFETY: it runs here.
        let g = unsafe { g.as_ref() };
        g.drop_extra();
        // Before it is counted: whoever sees it gone finds it in no dump.
        g.set_state(State::Dead, 0);
        match w.processor() {
            Some(p) => Processor::count(&p.ended),
            None => {
                // ORDERING: Relaxed; a statistic.
                scheduler().ended_outside.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
}
