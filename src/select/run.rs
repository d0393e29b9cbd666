//! A select, in three passes: look (is anything ready?), enqueue (wait on every channel at once), settle (take the
//! losers out). Go's `selectgo`, one function per pass.
//!
//! # Invariants
//! 1. Between `look` finding nothing and the last `enqueue` every channel of the select is locked: no operation
//!    can slip in between and be missed, and the waiter stands in all queues or in none.
//! 2. Each node is linked in the queue of its own arm's channel only, and `nodes` does not move while one is.
//!    `settle` leaves none linked.
//! 3. The claim of the ticket is won once, so one arm at most has its value moved.
//!
//! # Locking
//! Channels are locked in the order of their sequence numbers, each once although it may stand in several arms.
//! Losers are taken out one lock at a time.
//!
//! Before all that, a glance: the arms are tried in the same order with one look each, and only a channel that
//! seems ready is locked, alone. It finds most of what is ready at the price of a plain operation. What it does not
//! find proves nothing where there are several arms (each was looked at in its own instant), so a select with
//! several arms falls through to `default` only after a look with all the locks held.

use super::cases::{Case, Done};
use super::order::Order;
use crate::chan::core::{Core, Locked};
use crate::chan::shared::{Step, wake};
use crate::park::{Outcome, OutcomeKind, Ticket, WaitNode, begin_wait};
use smallvec::SmallVec;

/// A select of up to this many arms allocates nothing.
const INLINE: usize = 8;

type List<T> = SmallVec<[T; INLINE]>;

/// Selects among what is ready now; `None` if nothing is.
#[inline]
pub(super) fn poll(cases: &mut [Case<'_>], biased: bool) -> Option<usize> {
    match cases {
        [] => None,
        [one] => poll_one(one),
        _ => poll_many(cases, biased),
    }
}

/// One look is proof enough for one channel: it is a snapshot.
#[inline]
fn poll_one(case: &mut Case<'_>) -> Option<usize> {
    let core = case.core()?;
    if !case.seems_ready(core) {
        return None;
    }
    try_case(case, core).then_some(0)
}

fn poll_many(cases: &mut [Case<'_>], biased: bool) -> Option<usize> {
    let order = Order::new(cases.len(), biased);
    if let Some(winner) = glance(cases, &order) {
        return Some(winner);
    }
    // With one channel at most, the glance was a proof.
    cases.iter().filter(|case| case.core().is_some()).nth(1)?;
    let mut locks = List::new();
    lock_all(cases, &mut locks);
    let Found { arm, step } = look(cases, &order, &mut locks)?;
    drop(locks);
    conclude(&mut cases[arm], step);
    Some(arm)
}

/// Selects, waiting with `wait` while nothing is ready; `None` if the wait timed out.
///
/// `wait` must not unwind, and returns when the ticket that it is given was claimed and woken.
pub(super) fn block(cases: &mut [Case<'_>], biased: bool, wait: impl FnOnce(Ticket) -> Outcome) -> Option<usize> {
    let order = Order::new(cases.len(), biased);
    if let Some(winner) = glance(cases, &order) {
        return Some(winner);
    }
    let mut locks = List::new();
    lock_all(cases, &mut locks);
    if let Some(Found { arm, step }) = look(cases, &order, &mut locks) {
        drop(locks);
        conclude(&mut cases[arm], step);
        return Some(arm);
    }
    let ticket = begin_wait();
    let mut nodes: List<WaitNode> = List::with_capacity(cases.len());
    enqueue(cases, &order, ticket, &mut nodes, &mut locks);
    drop(locks);
    let outcome = wait(ticket);
    settle(cases, &mut nodes, outcome.kind())
}

/// Tries one arm, with its channel locked alone.
#[inline(never)]
fn try_case(case: &mut Case<'_>, core: &Core) -> bool {
    let mut locked = core.lock();
    let step = case.step(&mut locked);
    drop(locked);
    conclude(case, step)
}

/// Records what a step came to, and wakes who waited for it; its channel is unlocked.
fn conclude(case: &mut Case<'_>, step: Step) -> bool {
    match step {
        Step::Done(waiter) => {
            case.set_done(Done::Moved);
            wake(waiter);
            true
        }
        Step::Closed => {
            case.set_done(Done::Closed);
            true
        }
        Step::NotReady => false,
    }
}

/// The pass before the first; see the module's page.
fn glance(cases: &mut [Case<'_>], order: &Order) -> Option<usize> {
    for at in 0..cases.len() {
        let arm = order.arm(at);
        let case = &mut cases[arm];
        if let Some(core) = case.core()
            && case.seems_ready(core)
            && try_case(case, core)
        {
            return Some(arm);
        }
    }
    None
}

/// What a look found: the step of the winner is made, its consequences are due after unlocking.
struct Found {
    arm: usize,
    step: Step,
}

/// First pass: does the first operation, in `order`, that is possible.
fn look(cases: &mut [Case<'_>], order: &Order, locks: &mut [Locked<'_>]) -> Option<Found> {
    for at in 0..cases.len() {
        let arm = order.arm(at);
        let case = &mut cases[arm];
        let Some(core) = case.core() else { continue };
        if !case.seems_ready(core) {
            continue;
        }
        // It may be less than it seems: waiters whose wait is over are found out by the step.
        match case.step(&mut locks[case.lock()]) {
            Step::NotReady => {}
            step => return Some(Found { arm, step }),
        }
    }
    None
}

/// Second pass: stands in the queue of every arm. In `order`: of two arms on one channel, the peer that comes takes the
/// one that queued first, so the order of writing would decide for ever.
fn enqueue(cases: &[Case<'_>], order: &Order, ticket: Ticket, nodes: &mut List<WaitNode>, locks: &mut [Locked<'_>]) {
    for (arm, case) in cases.iter().enumerate() {
        nodes.push(WaitNode::new(ticket, arm as u32, case.slot()));
    }
    let nodes = nodes.as_mut_ptr();
    for at in 0..cases.len() {
        let arm = order.arm(at);
        let case = &cases[arm];
        if case.core().is_some() {
            // SAFETY: the channel is open, or `look` would have found the arm ready. The node is fresh, and stays
            // in place until `settle` has made sure that it is out (I2).
            unsafe { locks[case.lock()].enqueue(case.side(), nodes.add(arm)) };
        }
    }
}

/// Third pass: the wait is over; takes every node that still stands in a queue out, and names the winner.
fn settle(cases: &mut [Case<'_>], nodes: &mut [WaitNode], outcome: OutcomeKind) -> Option<usize> {
    let (winner, done) = match outcome {
        OutcomeKind::Selected(arm) => (Some(arm as usize), Done::Moved),
        OutcomeKind::Closed(arm) => (Some(arm as usize), Done::Closed),
        OutcomeKind::TimedOut => (None, Done::No),
    };
    let nodes = nodes.as_mut_ptr();
    for (arm, case) in cases.iter_mut().enumerate() {
        if Some(arm) == winner {
            // Its node was taken out by whoever claimed it.
            case.set_done(done);
        } else if let Some(core) = case.core() {
            // SAFETY: this node was enqueued in this channel on this side, and nowhere else (I2).
            unsafe { core.lock().remove(case.side(), nodes.add(arm)) };
        }
    }
    winner
}

/// Locks all channels of a select, each once, and tells each case which of the locks is its own.
fn lock_all<'a>(cases: &mut [Case<'a>], locks: &mut List<Locked<'a>>) {
    if cases.len() > INLINE {
        return lock_many(cases, locks);
    }
    let mut last = 0;
    // Few arms: the next channel in order is looked for, rather than sorted out. Sequence numbers start at one.
    while let Some(core) = cases
        .iter()
        .filter_map(|case| case.core())
        .filter(|core| core.sequence() > last)
        .min_by_key(|core| core.sequence())
    {
        last = core.sequence();
        cases.iter_mut().for_each(|case| case.found_lock(core, locks.len()));
        locks.push(core.lock());
    }
}

#[cold]
fn lock_many<'a>(cases: &mut [Case<'a>], locks: &mut List<Locked<'a>>) {
    let mut sorted: Vec<&mut Case<'a>> = cases.iter_mut().filter(|case| case.core().is_some()).collect();
    sorted.sort_unstable_by_key(|case| case.core().map(Core::sequence));
    for case in sorted {
        let Some(core) = case.core() else { continue };
        if !locks.last().is_some_and(|locked| core::ptr::eq(locked.core(), core)) {
            locks.push(core.lock());
        }
        case.found_lock(core, locks.len() - 1);
    }
}
