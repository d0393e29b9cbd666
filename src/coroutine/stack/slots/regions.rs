//! Whose page is this? A table of all reservations that a signal handler can read.
//!
//! # Invariants
//! 1. An entry is claimed once by raising `CLAIMED`, and is complete once its `end_and_class` is not 0. Complete
//!    entries never change.

use super::super::Class;
use crate::platform::memory::Range;
use crate::primitives::atomic::{AtomicUsize, Ordering};

/// Reservations double, so that this many are never needed: with the largest ones they would be 64 TiB.
const CAPACITY: usize = 4096;
/// The class is kept in the low bits of `end`, free because reservations are whole pages.
const CLASS_MASK: usize = 0xf;

struct Region {
    start: AtomicUsize,
    end_and_class: AtomicUsize,
}

static REGIONS: [Region; CAPACITY] =
    [const { Region { start: AtomicUsize::new(0), end_and_class: AtomicUsize::new(0) } }; CAPACITY];
static CLAIMED: AtomicUsize = AtomicUsize::new(0);

/// A slot found by an address in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) start: usize,
    pub(crate) class: Class,
}

/// Makes a reservation known; false when the table is full.
pub(super) fn add(range: Range, class: Class) -> bool {
    // ORDERING: Relaxed; it only deals out indices, the entry is published below.
    let Some(region) = REGIONS.get(CLAIMED.fetch_add(1, Ordering::Relaxed)) else {
        return false;
    };
    region.start.store(range.start, Ordering::Relaxed);
    // ORDERING: Release publishes `start`; pairs with the Acquire of `find`.
    region.end_and_class.store((range.start + range.len) | class.index(), Ordering::Release);
    true
}

/// All reservations so far.
pub(super) fn all() -> impl Iterator<Item = (Range, Class)> {
    // ORDERING: Relaxed; one that comes this moment may be missed.
    let claimed = CLAIMED.load(Ordering::Relaxed).min(CAPACITY);
    REGIONS[..claimed].iter().filter_map(|region| {
        // ORDERING: Acquire pairs with the Release of `add`: a complete entry (I1) has its start.
        let end_and_class = region.end_and_class.load(Ordering::Acquire);
        let start = region.start.load(Ordering::Relaxed);
        let range = Range { start, len: (end_and_class & !CLASS_MASK).checked_sub(start)? };
        Some((range, Class((end_and_class & CLASS_MASK) as u8)))
    })
}

/// The slot that `address` lies in. Async-signal-safe: loads only.
pub(crate) fn find(address: usize) -> Option<Slot> {
    // ORDERING: Relaxed; an entry that is not seen yet holds no stack that anybody runs on yet.
    let claimed = CLAIMED.load(Ordering::Relaxed).min(CAPACITY);
    REGIONS[..claimed].iter().find_map(|region| {
        // ORDERING: Acquire pairs with the Release of `add`: a complete entry (I1) has its start.
        let end_and_class = region.end_and_class.load(Ordering::Acquire);
        let start = region.start.load(Ordering::Relaxed);
        let class = Class((end_and_class & CLASS_MASK) as u8);
        let inside = (start..end_and_class & !CLASS_MASK).contains(&address);
        inside.then(|| Slot { start: address - (address - start) % class.bytes(), class })
    })
}
