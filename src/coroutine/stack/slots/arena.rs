//! The process-wide store of idle stacks, one per class.
//!
//! # Invariants
//! 1. A stack on a list has no frames on it and no other owner.
//! 2. `hot` stacks, few, may hold [`KEPT_SEGMENT`] bytes each. The `surplus` holds whatever it held when it was given;
//!    `warm` stacks at most [`KEPT`] bytes each; `cold` ones no memory but their guards' page tables.
//! 3. `uncut` ranges are the parts of reservations that were never cut up: blank, unguarded, referred to by nobody.
//! 4. There is a slot for every promise: `promised` is at most the number of slots in all reservations, less those
//!    that workers may keep hot.
//!
//! # Locking
//! Everything in [`Slots`] is guarded by its `Lock` (rank Leaf). No memory is given back to the system under it;
//! only carving, which is rare, asks the system while holding it.

use super::super::{CLASSES, Class, StackError};
use super::surplus::Surplus;
use super::{Stack, guard, regions};
use crate::coroutine::sanitizer;
use crate::platform::clock;
use crate::platform::memory::{self, Range};
use crate::primitives::{Lock, LockRank};
use std::io;

/// What a stack on the `warm` list may keep resident: the pages that nearly every goroutine touches.
const KEPT: usize = 4 << 10;
/// What a hot stack of a worker may keep resident: a goroutine of ordinary depth should not fault its pages in anew.
const KEPT_HOT: usize = 16 << 10;
/// What a goroutine's spent segment may keep resident. Asking the system costs 0.1 us, which crossings into segments of
/// this size and below are spared.
const KEPT_SEGMENT: usize = 1 << 20;
/// More stacks than this are not kept warm: 256 MiB of a burst's memory stay, the rest goes back to the system.
const WARM_LIMIT: usize = 65_536;
const FIRST_REGION: usize = 16 << 20;
const LARGEST_REGION: usize = 16 << 30;
/// Guards are installed for so many slots at a time at most; the kernel takes as many in one call.
const LARGEST_BATCH: usize = 1024;

/// So many segments of a class keep their memory when a goroutine is done with them, for the next one that recurses;
/// not those above [`LARGEST_HOT`]: together they hold 10 MiB at most.
const HOT_SEGMENTS: usize = 4;
const LARGEST_HOT: usize = 4 << 20;

struct Slots {
    hot: Vec<Stack>,
    /// As they were given: telling the system that they need no memory takes longer than all else at the end of a
    /// goroutine, and the next one faults it in anew.
    surplus: Surplus<Stack>,
    warm: Vec<Stack>,
    cold: Vec<Stack>,
    uncut: Vec<Range>,
    reserved: usize,
    carved: usize,
    promised: usize,
}

static ARENA: [Lock<Slots>; CLASSES] = [const {
    let slots = Slots {
        hot: Vec::new(),
        surplus: Surplus::new(),
        warm: Vec::new(),
        cold: Vec::new(),
        uncut: Vec::new(),
        reserved: 0,
        carved: 0,
        promised: 0,
    };
    Lock::new(LockRank::Leaf, slots)
}; CLASSES];

/// Sets address space aside for `count` more stacks of `class`, besides `hot` that may be idle in caches (I4).
///
/// # Errors
/// When there is not so much left.
pub(in super::super) fn promise(class: Class, count: usize, hot: usize) -> Result<(), StackError> {
    let mut slots = ARENA[class.index()].lock();
    while slots.reserved / class.bytes() < slots.promised + count + hot {
        slots.reserve(class).map_err(|error| StackError::out_of_memory(class, &error))?;
    }
    slots.promised += count;
    Ok(())
}

/// Takes promises back.
pub(in super::super) fn release_promise(class: Class, count: usize) {
    ARENA[class.index()].lock().promised -= count;
}

/// How many stacks of `class` were made.
pub(super) fn carved(class: Class) -> usize {
    ARENA[class.index()].lock().carved
}

/// Moves up to `count` stacks of `class` to `into`, at least one.
///
/// # Errors
/// When not even one can be had.
pub(in super::super) fn take(class: Class, count: usize, into: &mut Vec<Stack>) -> Result<(), StackError> {
    let mut slots = ARENA[class.index()].lock();
    if let Some(hot) = slots.hot.pop() {
        into.push(hot);
        return Ok(());
    }
    if slots.surplus.is_empty() && slots.warm.is_empty() && slots.cold.is_empty() {
        slots.carve(class).map_err(|error| StackError::out_of_memory(class, &error))?;
    }
    into.extend(slots.surplus.take(count));
    let warm = slots.warm.len().saturating_sub(count.saturating_sub(into.len()));
    into.extend(slots.warm.drain(warm..));
    // Cold stacks were pushed highest first: the lowest addresses go first, and share page tables.
    let cold = slots.cold.len().saturating_sub(count.saturating_sub(into.len()));
    into.extend(slots.cold.drain(cold..));
    Ok(())
}

/// Takes stacks of one class back. Their memory waits for [`scavenge`], or until nobody has needed it for a while.
pub(in super::super) fn give(stacks: Vec<Stack>) {
    let Some(class) = stacks.first().map(Stack::class) else {
        return;
    };
    debug_assert!(stacks.iter().all(|stack| stack.class() == class && stack.is_intact()));
    let now = clock::coarse_millis();
    let mut slots = ARENA[class.index()].lock();
    slots.surplus.put(stacks);
    let stale = slots.surplus.stale(now);
    drop(slots);
    put_away(class, stale);
}

/// Gives the memory of some surplus stacks back; false if there were none. For threads that have nothing else to do.
pub(in super::super) fn scavenge() -> bool {
    let mut any = false;
    for class in Class::all() {
        let slice = ARENA[class.index()].lock().surplus.slice();
        any |= !slice.is_empty();
        put_away(class, slice);
    }
    any
}

/// Makes stacks warm, as long as those are few, else cold.
fn put_away(class: Class, mut stacks: Vec<Stack>) {
    if stacks.is_empty() {
        return;
    }
    let room = WARM_LIMIT.saturating_sub(ARENA[class.index()].lock().warm.len()).min(stacks.len());
    let others = stacks.split_off(room);
    discard_below(&stacks, KEPT);
    // Others may have put some away meanwhile: the limit is no promise to the byte.
    ARENA[class.index()].lock().warm.append(&mut stacks);
    give_back(class, others);
}

/// Makes stacks cold: neighbours in one go, guards included, which stay.
fn give_back(class: Class, mut stacks: Vec<Stack>) {
    if stacks.is_empty() {
        return;
    }
    // Highest first, as `take` wants the cold ones.
    stacks.sort_unstable_by_key(|stack| core::cmp::Reverse(stack.start()));
    let mut ranges: Vec<Range> = Vec::new();
    for stack in &stacks {
        let range = below(stack, 0);
        match ranges.last_mut() {
            Some(above) if stack.is_guarded_alike() && range.start + range.len + memory::page_size() == above.start => {
                above.len += above.start - range.start;
                above.start = range.start;
            }
            _ => ranges.push(range),
        }
    }
    // SAFETY: the stacks are idle and ours (I1): nothing refers to their pages, nor to the guards in between.
    unsafe { memory::discard(&ranges) };
    ARENA[class.index()].lock().cold.append(&mut stacks);
}

/// Takes a segment back that its goroutine has no more use for, hot if few are.
pub(in super::super) fn give_segment(segment: Stack) {
    debug_assert!(segment.is_intact());
    let class = segment.class();
    if segment.size() <= LARGEST_HOT {
        let mut slots = ARENA[class.index()].lock();
        if slots.hot.len() < HOT_SEGMENTS {
            slots.hot.push(segment);
            return;
        }
    }
    put_away(segment.class(), vec![segment]);
}

/// Gives back what deep use left on stacks that stay hot.
pub(in super::super) fn discard_deep(stacks: &[Stack]) {
    discard_below(stacks, KEPT_HOT);
}

/// Gives back what deep use left on a spent segment, if it went deep at all: the small ones may keep what they have.
pub(in super::super) fn discard_spent(segment: &Stack) {
    let bounds = segment.bounds();
    if segment.size() > KEPT_SEGMENT && memory::is_resident(bounds.top - KEPT_SEGMENT) {
        discard_below(core::slice::from_ref(segment), KEPT_HOT);
    }
}

/// Gives back all memory of `stacks` but the `kept` topmost bytes of each.
///
/// Asking first which pages are resident (mincore) costs as much as saying at once that none are needed.
fn discard_below(stacks: &[Stack], kept: usize) {
    let ranges: Vec<Range> = stacks.iter().map(|stack| below(stack, kept)).collect();
    // SAFETY: the stacks are idle and ours (I1): nothing refers to their pages.
    unsafe { memory::discard(&ranges) };
}

fn below(stack: &Stack, kept: usize) -> Range {
    let bounds = stack.bounds();
    let kept = kept.next_multiple_of(memory::page_size());
    Range { start: bounds.bottom, len: bounds.top - kept - bounds.bottom }
}

impl Slots {
    /// Cuts the next batch of slots, guards it and puts it on the cold list.
    #[cold]
    fn carve(&mut self, class: Class) -> io::Result<()> {
        if self.uncut.is_empty() {
            self.reserve(class)?;
        }
        let Some(range) = self.uncut.last_mut() else { return Err(io::ErrorKind::OutOfMemory.into()) };
        let first = ((4 << 20) / class.bytes()).clamp(1, 16);
        let count = self.carved.clamp(first, LARGEST_BATCH).min(range.len / class.bytes());
        let cold = &mut self.cold;
        // SAFETY: the slots at the start of the range are blank and unreferred to (I3).
        unsafe {
            guard::guard_slots(range.start, count, class, |start, protection| {
                // SAFETY: each slot is told of once, so this is its only owner (I1 of the parent).
                let stack = Stack::from_slot(start, class, protection);
                sanitizer::register_stack(stack.bounds());
                cold.push(stack);
            })?;
        }
        range.start += count * class.bytes();
        range.len -= count * class.bytes();
        if range.len == 0 {
            self.uncut.pop();
        }
        let fresh = self.cold.len() - count;
        self.cold[fresh..].reverse();
        self.carved += count;
        Ok(())
    }

    /// Reserves as much again as there is, or as much as can be had.
    fn reserve(&mut self, class: Class) -> io::Result<()> {
        let slot = class.bytes();
        let mut len = self.reserved.clamp(FIRST_REGION, LARGEST_REGION).max(slot) / slot * slot;
        let range = loop {
            match memory::reserve(len) {
                Ok(range) => break range,
                // Little address space may be left (a small RLIMIT_AS): take what there is, down to one slot.
                Err(_) if len > slot => len = (len / 2 / slot).max(1) * slot,
                Err(error) => return Err(error),
            }
        };
        if !regions::add(range, class) {
            // SAFETY: reserved above, nothing refers to it.
            unsafe { memory::release(range) };
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.uncut.push(range);
        self.reserved += range.len;
        Ok(())
    }
}
