//! A select, in three passes: look (is anything ready?), enqueue (wait on every channel at once), settle (take the
//! losers out). Go's `selectgo`, one function per pass.
//!
//! # Invariants
//! 1. Between `look` finding nothing and the last `enqueue` every channel of the select is locked: no operation
//!    can slip in between and be missed, and the waiter stands in all queues or in none.
//! 2. Each node is linked in the queue of its own arm's channel only, and the room for nodes stays in place while one is.
//!    `settle` leaves none linked.
//! 3. The claim of the ticket is won once, so one arm at most has its value moved.
//!
//! # Locking
//! Channels are locked in the order of their sequence numbers, each once although it may stand in several arms.
//! Losers are taken out one lock at a time.
//!
//! Before all that, a glance: one look at each arm, and one of those that seem ready is tried, with its channel locked
//! alone. It finds most of what is ready at the price of a plain operation. What it does not find proves nothing where
//! there are several arms (each was looked at in its own instant), so a select with several arms falls through to
//! `default` only after a look with all the locks held.
//!
//! Nothing is drawn for arms of which one at most is ready, and that stand on different channels.

use super::cases::{Case, Done};
use super::order::Order;
use crate::chan::core::{Core, Locked};
use crate::chan::shared::{Step, wake};
use crate::park::{Outcome, OutcomeKind, Ticket, WaitNode, begin_wait};
use core::ptr;
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
    try_case(case).then_some(0)
}

fn poll_many(cases: &mut [Case<'_>], biased: bool) -> Option<usize> {
    let mut order = Order::new(cases.len(), biased);
    match glance(cases, &mut order) {
        Some(arm) if try_case(&mut cases[arm]) => return Some(arm),
        Some(_) => {}
        // With one channel at most, the glance was a proof.
        None => drop(cases.iter().filter(|case| case.core().is_some()).nth(1)?),
    }
    let mut locks = List::new();
    if !lock_all(cases, &mut locks).any_ready {
        return None;
    }
    let Found { arm, step } = look(cases, &mut order, &mut locks)?;
    locks.clear();
    conclude(&mut cases[arm], step);
    Some(arm)
}

/// Selects, waiting with `wait` while nothing is ready; `None` if the wait timed out.
///
/// `wait` must not unwind, and returns when the ticket that it is given was claimed and woken.
pub(super) fn block(cases: &mut [Case<'_>], biased: bool, wait: impl FnOnce(Ticket) -> Outcome) -> Option<usize> {
    let mut order = Order::new(cases.len(), biased);
    if let Some(arm) = glance(cases, &mut order)
        && try_case(&mut cases[arm])
    {
        return Some(arm);
    }
    let mut locks = List::new();
    let seen = lock_all(cases, &mut locks);
    if seen.any_ready
        && let Some(Found { arm, step }) = look(cases, &mut order, &mut locks)
    {
        locks.clear();
        conclude(&mut cases[arm], step);
        return Some(arm);
    }
    let ticket = begin_wait();
    let mut room: List<WaitNode> = List::new();
    if cases.len() > INLINE {
        room.reserve_exact(cases.len());
    }
    let nodes = room.as_mut_ptr();
    // SAFETY: there is room for a node of each arm, which stays in place until `settle` is through (I2).
    unsafe { enqueue(cases, seen.shared.then_some(&mut order), ticket, nodes, &mut locks) };
    // As `Core::block` does; with more than one channel, `settle` takes another lock before it is through.
    locks.drain(..).for_each(Locked::unlock_lightly);
    let outcome = wait(ticket);
    // SAFETY: as above; the wait is over.
    unsafe { settle(cases, nodes, outcome.kind()) }
}

/// Tries one arm, with its channel locked alone.
#[inline(never)]
fn try_case(case: &mut Case<'_>) -> bool {
    let Some(core) = case.core() else { return false };
    let mut locked = core.lock();
    let step = case.step(&mut locked);
    if matches!(step, Step::Done(Some(_))) {
        // The wake is a read-modify-write.
        locked.unlock_lightly();
    } else {
        drop(locked);
    }
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

/// The pass before the first: an arm that seems ready. See the module's page.
fn glance(cases: &[Case<'_>], order: &mut Order) -> Option<usize> {
    let ready = |(arm, case): (usize, &Case<'_>)| case.core().is_some_and(|core| case.seems_ready(core)).then_some(arm);
    order.pick(cases.iter().enumerate().filter_map(ready))
}

/// What a look found: the step of the winner is made, its consequences are due after unlocking.
struct Found {
    arm: usize,
    step: Step,
}

/// First pass: does an operation that is possible.
fn look(cases: &mut [Case<'_>], order: &mut Order, locks: &mut [Locked<'_>]) -> Option<Found> {
    loop {
        let arm = glance(cases, order)?;
        let case = &mut cases[arm];
        // It may be less than it seems: waiters whose wait is over are found out by the step, which drops them. So the
        // arm does not seem ready again.
        match case.step(&mut locks[case.lock()]) {
            Step::NotReady => {}
            step => return Some(Found { arm, step }),
        }
    }
}

/// Second pass: stands in the queue of every arm. In `order`, if some share a channel: the peer that comes takes the one
/// that queued first, so the order of writing would decide for ever.
///
/// # Safety
/// `nodes` has room for one of each arm, which stays in place until it has been taken out again (I2).
unsafe fn enqueue(
    cases: &[Case<'_>],
    order: Option<&mut Order>,
    ticket: Ticket,
    nodes: *mut WaitNode,
    locks: &mut [Locked<'_>],
) {
    let mut stand = |arm: usize| {
        let case = &cases[arm];
        if case.core().is_some() {
            // SAFETY: within the room, by our contract, and in use by nobody yet.
            let node = unsafe { nodes.add(arm) };
            // SAFETY: as above.
            unsafe { node.write(WaitNode::new(ticket, arm as u32, case.slot())) };
            // SAFETY: the channel is open, or `look` would have found the arm ready. The node is fresh, and stays
            // in place until `settle` has made sure that it is out (I2).
            unsafe { locks[case.lock()].enqueue(case.side(), node) };
        }
    };
    match order {
        None => (0..cases.len()).for_each(stand),
        Some(order) => order.of_all::<INLINE>(cases.len()).into_iter().for_each(|arm| stand(arm as usize)),
    }
}

/// Third pass: the wait is over; takes every node that still stands in a queue out, and names the winner.
///
/// # Safety
/// The wait is over for which `enqueue` was called with these arms and nodes.
unsafe fn settle(cases: &mut [Case<'_>], nodes: *mut WaitNode, outcome: OutcomeKind) -> Option<usize> {
    let (winner, done) = match outcome {
        OutcomeKind::Selected(arm) => (Some(arm as usize), Done::Moved),
        OutcomeKind::Closed(arm) => (Some(arm as usize), Done::Closed),
        OutcomeKind::TimedOut => (None, Done::No),
    };
    let mut held: Option<Locked<'_>> = None;
    for (arm, case) in cases.iter_mut().enumerate() {
        if Some(arm) == winner {
            // Its node was taken out by whoever claimed it.
            case.set_done(done);
        } else if let Some(core) = case.core() {
            // The next lock is a read-modify-write; the last one is left in full.
            if let Some(before) = held.take() {
                before.unlock_lightly();
            }
            // SAFETY: this node was enqueued in this channel on this side, and nowhere else (I2).
            unsafe { held.insert(core.lock()).remove(case.side(), nodes.add(arm)) };
        }
    }
    winner
}

/// What [`lock_all`] sees of the channels that it locks, and what stays so while they are.
struct Seen {
    /// Whether any arm seems ready. If none does, none is.
    any_ready: bool,
    /// Whether a channel may stand in more than one arm.
    shared: bool,
}

/// Locks all channels of a select, each once, and tells each case which of the locks is its own.
fn lock_all<'a>(cases: &mut [Case<'a>], locks: &mut List<Locked<'a>>) -> Seen {
    if cases.len() > INLINE {
        lock_many(cases, locks);
        return Seen { any_ready: true, shared: true };
    }
    let (sorted, len) = in_order(cases);
    let mut any_ready = false;
    let mut last = ptr::null();
    for arm in &sorted[..len] {
        let case = &mut cases[usize::from(*arm)];
        let Some(core) = case.core() else { continue };
        if !ptr::eq(core, last) {
            locks.push(core.lock());
            last = core;
        }
        case.set_lock(locks.len() - 1);
        any_ready |= case.seems_ready(core);
    }
    Seen { any_ready, shared: locks.len() < len }
}

/// The arms that take part, of few, in the order of their channels: an insertion sort, as most often they are in order.
#[inline]
fn in_order(cases: &[Case<'_>]) -> ([u8; INLINE], usize) {
    let sequence = |arm: u8| cases[usize::from(arm)].core().map(Core::sequence);
    let mut sorted = [0; INLINE];
    let mut len = 0;
    let mut last = 0;
    for arm in 0..cases.len() as u8 {
        let Some(core) = cases[usize::from(arm)].core() else { continue };
        let own = core.sequence();
        let mut at = len;
        if own < last {
            while at > 0 && sequence(sorted[at - 1]) > Some(own) {
                sorted[at] = sorted[at - 1];
                at -= 1;
            }
        } else {
            last = own;
        }
        sorted[at] = arm;
        len += 1;
    }
    (sorted, len)
}

#[cold]
fn lock_many<'a>(cases: &mut [Case<'a>], locks: &mut List<Locked<'a>>) {
    assert!(cases.len() < Outcome::MAX_ARMS as usize, "select: too many arms");
    let mut sorted: Vec<&mut Case<'a>> = cases.iter_mut().filter(|case| case.core().is_some()).collect();
    sorted.sort_unstable_by_key(|case| case.core().map(Core::sequence));
    for case in sorted {
        let Some(core) = case.core() else { continue };
        if !locks.last().is_some_and(|locked| ptr::eq(locked.core(), core)) {
            locks.push(core.lock());
        }
        case.set_lock(locks.len() - 1);
    }
}
