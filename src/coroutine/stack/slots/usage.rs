//! What all stacks take, for metrics.

use super::super::{Class, Usage};
use super::{arena, regions};
use crate::platform::memory::{self, Range};

/// So many slots of a reservation are asked for at most: the others are taken to be like them.
const SAMPLE: usize = 64;

/// Counts stacks, and estimates the memory that they hold.
pub(in super::super) fn usage() -> Usage {
    let count = Class::all().map(arena::carved).sum();
    let resident = regions::all().map(|(range, class)| resident(range, class.bytes())).sum();
    Usage { count, resident }
}

fn resident(reservation: Range, slot: usize) -> usize {
    let slots = reservation.len / slot;
    let sample = slots.min(SAMPLE);
    let nth = |n: usize| Range { start: reservation.start + n * slots / sample * slot, len: slot };
    let held: usize = (0..sample).map(|n| memory::resident_bytes(nth(n))).sum();
    held / sample.max(1) * slots
}
