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
use crate::chan::core::{Core, Locked};
use crate::chan::shared::{Step, wake};
use crate::park::{self, Outcome, OutcomeKind, Ticket, WaitNode, begin_wait};
use core::mem::MaybeUninit;
use core::ops::Range;
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
    // With one channel at most the glance was proof enough.
    cases.iter().filter(|case| case.core().is_some()).nth(1)?;
    let mut locks = Locks::take(cases);
    look(cases, &order, &mut locks).map(|found| found.finish(cases, locks))
}

/// Selects, waiting with `wait` while nothing is ready; `None` if the wait timed out.
///
/// `wait` must not unwind, and returns when the ticket that it is given was claimed and woken.
pub(super) fn block(cases: &mut [Case<'_>], biased: bool, wait: impl FnOnce(Ticket) -> Outcome) -> Option<usize> {
    let order = Order::new(cases.len(), biased);
    if let Some(winner) = glance(cases, &order) {
        return Some(winner);
    }
    // Most selects are small: their nodes and locks live in this frame, without a list's bookkeeping.
    if cases.len() <= INLINE {
        let mut nodes = [const { MaybeUninit::uninit() }; INLINE];
        enter_and_wait(cases, &order, &mut nodes, wait)
    } else {
        let mut nodes: Vec<_> = cases.iter().map(|_| MaybeUninit::uninit()).collect();
        enter_and_wait(cases, &order, &mut nodes, wait)
    }
}

/// The three passes. `nodes` is room for one node per case, at least.
#[inline]
fn enter_and_wait(
    cases: &mut [Case<'_>],
    order: &Order,
    nodes: &mut [MaybeUninit<WaitNode>],
    wait: impl FnOnce(Ticket) -> Outcome,
) -> Option<usize> {
    let mut locks = Locks::take(cases);
    if let Some(found) = look(cases, order, &mut locks) {
        return Some(found.finish(cases, locks));
    }
    let ticket = begin_wait();
    enqueue(cases, nodes, &mut locks, ticket);
    drop(locks);
    let outcome = wait(ticket);
    settle(cases, nodes, outcome.kind())
}

/// Tries one arm, with its channel locked alone.
#[inline]
fn try_case(case: &mut Case<'_>, core: &Core) -> bool {
    let mut locked = core.lock();
    let step = case.step(&mut locked);
    drop(locked);
    conclude(case, step)
}

/// Records what a step came to, and wakes who waited for it; its channel is unlocked.
#[inline]
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
    for arm in order.arms() {
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

impl Found {
    fn finish(self, cases: &mut [Case<'_>], locks: Locks<'_>) -> usize {
        drop(locks);
        conclude(&mut cases[self.arm], self.step);
        self.arm
    }
}

/// First pass: does the first operation, in `order`, that is possible.
fn look(cases: &mut [Case<'_>], order: &Order, locks: &mut Locks<'_>) -> Option<Found> {
    for arm in order.arms() {
        let Some(core) = cases[arm].core() else { continue };
        match cases[arm].step(locks.of(core)) {
            Step::NotReady => {}
            step => return Some(Found { arm, step }),
        }
    }
    None
}

/// Second pass: stands in the queue of every arm.
#[inline]
fn enqueue(cases: &[Case<'_>], nodes: &mut [MaybeUninit<WaitNode>], locks: &mut Locks<'_>, ticket: Ticket) {
    let nodes = nodes.as_mut_ptr().cast::<WaitNode>();
    for (arm, case) in cases.iter().enumerate() {
        let Some(core) = case.core() else { continue };
        // SAFETY: there is room for a node per case.
        let node = unsafe { nodes.add(arm) };
        // SAFETY: as above; what was there holds nothing.
        unsafe { node.write(WaitNode::new(ticket, arm as u32, case.slot())) };
        // SAFETY: the channel is open, or `look` would have found the arm ready. The node is fresh, and stays in place
        // until `settle` has made sure that it is out (I2).
        unsafe { locks.of(core).enqueue(case.side(), node) };
    }
}

/// Third pass: the wait is over; takes every node that still stands in a queue out, and names the winner.
#[inline]
fn settle(cases: &mut [Case<'_>], nodes: &mut [MaybeUninit<WaitNode>], outcome: OutcomeKind) -> Option<usize> {
    let (winner, done) = match outcome {
        OutcomeKind::Selected(arm) => (Some(arm as usize), Done::Moved),
        OutcomeKind::Closed(arm) => (Some(arm as usize), Done::Closed),
        OutcomeKind::TimedOut => (None, Done::No),
    };
    let nodes = nodes.as_mut_ptr().cast::<WaitNode>();
    for (arm, case) in cases.iter_mut().enumerate() {
        if Some(arm) == winner {
            // Its node was taken out by whoever claimed it.
            case.set_done(done);
        } else if let Some(core) = case.core() {
            // SAFETY: this node was written and enqueued in this channel on this side, and nowhere else (I2).
            unsafe { core.lock().remove(case.side(), nodes.add(arm)) };
        }
    }
    winner
}

/// The locks of all channels of a select, each taken once; in the order of the channels' sequence numbers.
struct Locks<'a>(List<Locked<'a>>);

impl<'a> Locks<'a> {
    #[inline]
    fn take(cases: &[Case<'a>]) -> Self {
        let mut cores: List<&'a Core> = List::new();
        if cases.len() <= INLINE {
            for core in cases.iter().filter_map(Case::core) {
                // Few: insertion is quicker than any sort. A channel that is there already is passed over.
                let at = cores.iter().position(|other| other.sequence() >= core.sequence()).unwrap_or(cores.len());
                if cores.get(at).is_none_or(|other| other.sequence() != core.sequence()) {
                    cores.insert(at, core);
                }
            }
        } else {
            cores.extend(cases.iter().filter_map(Case::core));
            cores.sort_unstable_by_key(|core| core.sequence());
            cores.dedup_by_key(|core| core.sequence());
        }
        let mut held = List::new();
        for core in cores {
            held.push(core.lock());
        }
        Self(held)
    }

    /// The lock of `core`, which is the channel of one of the cases.
    #[inline]
    fn of(&mut self, core: &Core) -> &mut Locked<'a> {
        let held = &mut self.0;
        let at = match held.len() {
            0..=INLINE => held.iter().position(|locked| core::ptr::eq(locked.core(), core)),
            _ => held.binary_search_by_key(&core.sequence(), |locked| locked.core().sequence()).ok(),
        };
        &mut held[at.expect("runtime bug: a select's channel is not locked")]
    }
}

/// In which order the arms are tried.
enum Order {
    AsWritten(Range<usize>),
    Shuffled(List<u32>),
}

impl Order {
    fn new(arms: usize, biased: bool) -> Self {
        assert!(arms < Outcome::MAX_ARMS as usize, "select: too many arms");
        if biased || arms < 2 { Self::AsWritten(0..arms) } else { Self::Shuffled(shuffle(arms)) }
    }

    fn arms(&self) -> impl Iterator<Item = usize> {
        let (range, list) = match self {
            Self::AsWritten(range) => (range.clone(), [].as_slice()),
            Self::Shuffled(list) => (0..0, list.as_slice()),
        };
        range.chain(list.iter().map(|arm| *arm as usize))
    }
}

/// A permutation, each as likely as any other: the inside-out shuffle.
fn shuffle(arms: usize) -> List<u32> {
    let mut order = List::with_capacity(arms);
    let mut digits = Digits::new();
    for arm in 0..arms as u32 {
        let at = digits.below(arm + 1) as usize;
        order.push(arm);
        order.swap(at, arm as usize);
    }
    order
}

/// Small random numbers, several from one draw: a draw is read as a fraction, in digits of changing base.
struct Digits {
    fraction: u32,
    /// How many ways the digits taken so far could have come out; what is left is even to one in 2^32 / `ways`.
    ways: u64,
}

impl Digits {
    const MAX_WAYS: u64 = 1 << 16;

    fn new() -> Self {
        Self { fraction: 0, ways: Self::MAX_WAYS }
    }

    #[inline]
    fn below(&mut self, n: u32) -> u32 {
        if n == 1 {
            return 0;
        }
        self.ways *= u64::from(n);
        if self.ways > Self::MAX_WAYS {
            self.fraction = park::rand_below(u32::MAX);
            self.ways = u64::from(n);
        }
        let wide = u64::from(self.fraction) * u64::from(n);
        self.fraction = wide as u32;
        (wide >> 32) as u32
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::shuffle;
    use std::collections::HashMap;

    #[test]
    fn permutations_are_even() {
        // An arm that tends to be tried before another.
        for arms in [2usize, 3, 4] {
            let ways: usize = (1..=arms).product();
            let rounds = 4000 * ways;
            let mut counts = HashMap::new();
            for _ in 0..rounds {
                *counts.entry(shuffle(arms).to_vec()).or_insert(0u32) += 1;
            }
            assert_eq!(counts.len(), ways, "{arms} arms: some order never comes up");
            let chi: f64 = counts.values().map(|c| (f64::from(*c) - 4000.0).powi(2) / 4000.0).sum();
            assert!(chi < 3.0 * ways as f64 + 25.0, "{arms} arms: chi-square {chi}, {counts:?}");
        }
    }

    #[test]
    fn a_long_shuffle_is_even_at_both_ends() {
        // Digits used up after eight arms: the later ones would not be mixed.
        const ARMS: usize = 20;
        let mut first = [0f64; ARMS];
        let mut last = [0f64; ARMS];
        for _ in 0..2000 * ARMS {
            let order = shuffle(ARMS);
            first[order[0] as usize] += 1.0;
            last[order[ARMS - 1] as usize] += 1.0;
        }
        for counts in [first, last] {
            let chi: f64 = counts.iter().map(|c| (c - 2000.0).powi(2) / 2000.0).sum();
            assert!(chi < 70.0, "chi-square {chi}: {counts:?}");
        }
    }
}
