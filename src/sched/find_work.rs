//! What a worker runs next: the quick look on a goroutine's stack, and the search on the root.

use super::counters;
use super::goroutine::Goroutine;
use super::processor::Processor;
use super::scheduler::scheduler;
use super::sleep::Searching;
use super::vigil;
use super::worker::Worker;
use crate::platform::clock;
use crate::primitives::hint;
use core::ptr::NonNull;

/// Every so many picks the injector comes first, so that it never starves (Go's number).
const FAIR: u32 = 61;
/// After so many picks of what was woken last in a row the queues come first: a pair that keeps waking each other
/// must not keep the processor for itself (b15).
const CHAIN: u32 = 64;
/// Rounds over all processors in one search.
const ROUNDS: u32 = 4;
/// As long may a chain take (Go's time slice).
const SLICE_MILLIS: u64 = 10;
/// Turns of waiting after the first round of a search; each round has twice as many.
const SPINS: u32 = 32;
/// How many looks a thief takes at what a processor is to run next before it believes that it stands still.
const WATCH: u32 = 400;
/// So many looks a thief gives the owner of a queue to run what stands in it, and so many turns of waiting between two:
/// three microseconds in all. More looks would slow the owner, who shares the line.
const DRAIN_LOOKS: u32 = 9;
const DRAIN_PAUSE: u32 = 16;
/// As many looks at its inbox a worker takes that lingers: about what two wake-ups through the kernel cost.
const LINGER: u32 = 1000;
/// After so many it yields its CPU for the first time: an answer from another CPU takes half as long.
const SOON: u32 = 16;

/// The next goroutine among those close at hand, without waiting and without stealing; none as well if the worker
/// had better look at its root whether its processor is wanted elsewhere, or has none. Owner only, inside.
#[inline]
pub(super) fn quick(w: &'static Worker) -> Option<NonNull<Goroutine>> {
    if !w.has_processor() {
        return None;
    }
    if counts_to_fair(w) { quick_and_fair(w) } else { pick_unfairly(w) }
}

#[cold]
fn quick_and_fair(w: &'static Worker) -> Option<NonNull<Goroutine>> {
    if should_leave(w) || vigil::is_due() {
        // The injector's turn comes on the root then.
        w.picks.set(w.picks.get().wrapping_sub(1));
        return None;
    }
    pick_fairly(w)
}

/// Of a worker to which [`quick`] has given nothing, and which could go on with what it runs: whether it is to go to its
/// root all the same. Not only for want of work: then the count of picks stands where the turn is still to come.
#[inline]
pub(super) fn is_root_wanted(w: &Worker) -> bool {
    should_leave(w) || w.picks.get().wrapping_add(1).is_multiple_of(FAIR) && vigil::is_due()
}

/// The next goroutine among those close at hand. Owner only.
fn pick(w: &'static Worker) -> Option<NonNull<Goroutine>> {
    if counts_to_fair(w) { pick_fairly(w) } else { pick_unfairly(w) }
}

/// Counts a pick; whether the injector's turn has come.
#[inline]
fn counts_to_fair(w: &Worker) -> bool {
    let picks = w.picks.get().wrapping_add(1);
    w.picks.set(picks);
    picks.is_multiple_of(FAIR)
}

/// As [`pick`], from the injector first.
#[cold]
fn pick_fairly(w: &'static Worker) -> Option<NonNull<Goroutine>> {
    let injected = injected(w, 1);
    if injected.is_some() {
        pass_over(w);
        return injected;
    }
    pick_unfairly(w)
}

/// As [`pick`], from the injector last.
#[inline]
fn pick_unfairly(w: &'static Worker) -> Option<NonNull<Goroutine>> {
    if w.inbox_filled() {
        w.empty_inbox();
    }
    let chain = w.chain.get();
    // In this order: the chain may ask the clock.
    if has_first(w)
        && goes_on(w, chain)
        && let Some(g) = first(w)
    {
        w.chain.set(chain + 1);
        return Some(g);
    }
    pick_queued(w)
}

/// As [`pick`], from the queues.
fn pick_queued(w: &'static Worker) -> Option<NonNull<Goroutine>> {
    w.chain.set(0);
    if let Some(g) = queued(w).or_else(|| injected(w, usize::MAX)) {
        pass_over(w);
        return Some(g);
    }
    // Only where the chain was cut, and nobody else is there.
    first(w)
}

/// Whether a chain of this length may go on: it inherits the time slice of the goroutine that began it. The clock is
/// looked at every so many picks, so that a pair that does nothing else does not pay for it.
#[inline]
fn goes_on(w: &Worker, chain: u32) -> bool {
    const LOOK: u32 = 4;
    if !chain.is_multiple_of(LOOK) {
        return chain < CHAIN;
    }
    let now = clock::coarse_millis();
    if chain == 0 {
        w.chain_began.set(now);
    }
    chain < CHAIN && now.saturating_sub(w.chain_began.get()) < SLICE_MILLIS
}

/// Whether [`first`] may have one.
#[inline]
fn has_first(w: &Worker) -> bool {
    !w.home_next.get().is_null() || !w.held().peek_next().is_null()
}

/// What was woken or started last: of those at home here, else on the processor.
#[inline]
fn first(w: &'static Worker) -> Option<NonNull<Goroutine>> {
    if let Some(g) = w.take_home_next() {
        pass_over(w);
        return Some(g);
    }
    if w.locked.get() != 0 {
        return None;
    }
    w.held().take_next()
}

/// Moves what is to run next on the processor to its queue, because another one was picked. Otherwise a pair at home
/// would keep it waiting for ever (b15): thieves leave it alone while the processor goes on switching, and have gone
/// to sleep on that (`anything_to_steal`), hence the notice.
#[inline]
fn pass_over(w: &'static Worker) {
    if !w.held().peek_next().is_null() {
        pass_over_next(w);
    }
}

#[inline(never)]
fn pass_over_next(w: &'static Worker) {
    if let Some(g) = w.held().take_next() {
        let s = scheduler();
        w.held().queue.push(g, |spilled| s.inject(spilled));
        s.idle.notify();
    }
}

/// From the two queues in turn. The turn is a flag of its own: the number of picks may advance in step with what is
/// picked, so that one queue would always have the odd ones.
#[inline]
fn queued(w: &'static Worker) -> Option<NonNull<Goroutine>> {
    if w.locked.get() != 0 {
        return w.pop_home();
    }
    let p = w.held();
    let home_first = w.home_turn.get();
    w.home_turn.set(!home_first);
    if home_first { w.pop_home().or_else(|| p.queue.pop()) } else { p.queue.pop().or_else(|| w.pop_home()) }
}

/// From the injector: one to run, the others into the processor's queue.
#[inline]
fn injected(w: &'static Worker, most: usize) -> Option<NonNull<Goroutine>> {
    let s = scheduler();
    if s.injector.is_empty() || w.locked.get() != 0 {
        return None;
    }
    let p = w.held();
    // What the batch leaves in the queue may be stolen, and our own look at it comes soon: no wake-up is owed
    // beyond the one that each submitter gave. Half the ring at most, so that nothing spills back.
    let most = most.min(super::local_queue::CAPACITY / 2);
    s.injector.pop_batch(s.procs(), most, |g| p.queue.push(g, |spilled| s.inject(spilled)))
}

/// Whether the worker has to go to its root although it may have work: its processor is wanted elsewhere, or it has none.
#[inline]
pub(super) fn should_leave(w: &Worker) -> bool {
    !w.has_processor() || scheduler().idle.processors_wanted() || cannot_run_own(w)
}

/// Whether a locked worker holds a processor with work for others.
fn cannot_run_own(w: &Worker) -> bool {
    w.locked.get() != 0 && (w.held().has_work() || !scheduler().injector.is_empty())
}

/// The next goroutine; sleeps until there is one, or the worker is dismissed. On the root only. `searching`: the right to
/// search that a new worker was started with.
pub(super) fn blocking(w: &'static Worker, mut searching: Option<Searching>) -> Option<NonNull<Goroutine>> {
    let idle = &scheduler().idle;
    if !w.has_processor() {
        searching = idle.get_one(w);
    } else if should_leave(w) {
        drop(searching.take());
        searching = idle.give_up(w, cannot_run_own(w));
    }
    if !w.has_processor() {
        return None;
    }
    if vigil::is_due() {
        vigil::serve(w);
    }
    // From here on a processor that came is used for at least one look before it is passed on: two that pass it to
    // each other would never come to run anything.
    while w.has_processor() {
        if let Some(g) = pick(w) {
            drop(searching);
            return Some(g);
        }
        if cannot_run_own(w) {
            drop(searching.take());
            searching = idle.give_up(w, true);
            continue;
        }
        if vigil::serve(w) {
            continue;
        }
        if w.lingers() && searching.is_none() {
            linger(w);
        }
        if w.locked.get() == 0 && !w.inbox_filled() {
            searching = searching.or_else(|| idle.start_searching());
            if let Some(token) = searching.take() {
                if let Some(g) = search(w) {
                    drop(token);
                    return Some(g);
                }
                searching = Some(token);
            }
        }
        if w.inbox_filled() {
            continue;
        }
        searching = idle.sleep(w, searching);
    }
    None
}

/// Waits for a moment for a goroutine that is woken at home here, or for what it may search for: the last sleep was so
/// short that it did not pay (`sleep`). It is no search, so nobody relies on it.
#[cold]
fn linger(w: &'static Worker) {
    const OTHERS: u32 = 8;
    const YIELD: u32 = 64;
    let s = scheduler();
    let elsewhere = || s.idle.processors_wanted() || w.locked.get() == 0 && s.anything_queued();
    for turn in 1..=LINGER {
        if is_posted_to(w) || turn % OTHERS == 0 && elsewhere() {
            return;
        }
        if turn % YIELD == SOON {
            // Perhaps whom we wait for waits for this CPU.
            let_others_run();
        }
    }
}

/// Whether somebody has woken a goroutine at home here; else waits for one turn.
fn is_posted_to(w: &Worker) -> bool {
    let posted = w.inbox_filled();
    if !posted {
        hint::spin_loop();
    }
    posted
}

/// Looks at all processors in random order, several times.
fn search(w: &'static Worker) -> Option<NonNull<Goroutine>> {
    let s = scheduler();
    let mine = w.held();
    let all = s.processors();
    if w.is_visited() && (0..SOON).any(|_| is_posted_to(w)) {
        w.empty_inbox();
        return pick(w);
    }
    if s.idle.is_last_at_work(s.procs()) {
        // There is nobody to take anything from, nor to wait for.
        return injected(w, usize::MAX);
    }
    let_others_run();
    for round in 0..ROUNDS {
        let start = w.rand_below(all.len() as u32) as usize;
        for i in 0..all.len() {
            let p = all[(start + i) % all.len()];
            if core::ptr::eq(p, mine) {
                continue;
            }
            if !drains(p)
                && let Some(g) = p.queue.steal_into(&mine.queue)
            {
                counters::add(&mine.counters.steals);
                return Some(g);
            }
            if round == ROUNDS - 1
                && let Some(g) = steal_next(p)
            {
                return Some(g);
            }
        }
        if let Some(g) = injected(w, usize::MAX) {
            return Some(g);
        }
        if w.inbox_filled() {
            w.empty_inbox();
            return pick(w);
        }
        // Whoever wakes a goroutine at home here is most often about to do it now: a look at the inbox on each turn.
        for _ in 0..SPINS << round {
            hint::spin_loop();
            if w.inbox_filled() {
                break;
            }
        }
    }
    None
}

/// Whoever woke a thief may share its CPU: there it stands still because the thief looks at it, and is robbed of
/// what it would have run within a moment. Where the CPU is the thief's own this is a short system call.
fn let_others_run() {
    std::thread::yield_now();
}

/// Takes what another processor is to run next, but only if that processor has not switched for a while: at once
/// would tear a pair that wakes each other apart, never would starve it behind a busy goroutine (b13).
fn steal_next(p: &'static Processor) -> Option<NonNull<Goroutine>> {
    if stands_still(p) { p.take_next() } else { None }
}

/// Whether any processor, or the injector, has something that a thief may take. What stands in a queue that drains is
/// run there, and what came later was announced; the injector is looked at first, since a batch of it fills a queue
/// before it is gone there, and is announced no more. What is to run next on a processor counts only while that
/// processor does not switch: when it does, its holder takes that one, or moves it to the queue and tells (`pass_over`).
pub(super) fn anything_to_steal() -> bool {
    let s = scheduler();
    !s.injector.is_empty() || s.processors().iter().any(|p| !drains(p) || stands_still(p))
}

/// Whether `p` runs what stands in its queue so soon that a thief had better leave it there.
fn drains(p: &Processor) -> bool {
    p.queue.drains(DRAIN_LOOKS, || (0..DRAIN_PAUSE).for_each(|_| hint::spin_loop()))
}

/// Whether `p` keeps the same goroutine waiting to run next for a while.
fn stands_still(p: &Processor) -> bool {
    let (next, tick) = (p.peek_next(), p.tick());
    if next.is_null() {
        return false;
    }
    let still = || p.peek_next() == next && p.tick() == tick;
    let watched = (0..WATCH).all(|_| {
        hint::spin_loop();
        still()
    });
    watched && {
        let_others_run();
        still()
    }
}
