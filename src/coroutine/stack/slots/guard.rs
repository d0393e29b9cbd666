//! Guards for freshly carved slots, the strongest that this kernel gives.
//!
//! # Invariants
//! 1. `WEAKEST` only rises: it names the weakest protection any slot has got so far.
//! 2. At most `MPROTECT_LIMIT` slots are guarded by `mprotect`: each costs two of the 65,530 mappings that a process
//!    may have by default, and the program needs some too.
//! 3. The lowest page of a slot without a guard is all zeroes until the slot is overrun: a frame that reaches it
//!    leaves at least its return address.
//!
//! `GAGGLE_TEST_GUARD=protect|canary` makes a newer kernel behave as an older one, for tests only.

use super::super::{Class, Protection};
use crate::platform::memory::{self, Range};
use crate::primitives::atomic::{AtomicU8, AtomicUsize, Ordering};

const MPROTECT_LIMIT: usize = 28_000;
/// Without guards, every so many slots still get one by `mprotect`, so that endless recursion ends in a report and
/// not in a neighbour's neighbour: a million slots cost 8,000 mappings.
const FENCE_EVERY: usize = 256;
const UNKNOWN: u8 = 0xff;

static WEAKEST: AtomicU8 = AtomicU8::new(UNKNOWN);
static MPROTECTED: AtomicUsize = AtomicUsize::new(0);

/// The weakest protection in force.
#[inline]
pub(crate) fn protection() -> Protection {
    // ORDERING: Relaxed; a fact about the kernel, nothing is published through it.
    match WEAKEST.load(Ordering::Relaxed) {
        UNKNOWN => find_out(),
        0 => Protection::GuardInstall,
        1 => Protection::Mprotect,
        _ => Protection::Canary,
    }
}

#[cold]
fn find_out() -> Protection {
    let strongest = forced();
    // ORDERING: Relaxed, both; as in `protection`.
    let _ = WEAKEST.compare_exchange(UNKNOWN, strongest as u8, Ordering::Relaxed, Ordering::Relaxed);
    protection()
}

/// Without orders the strongest is tried; the first refusal weakens it.
fn forced() -> Protection {
    match std::env::var_os("GAGGLE_TEST_GUARD") {
        Some(value) if value == "protect" => Protection::Mprotect,
        Some(value) if value == "canary" => Protection::Canary,
        _ => Protection::GuardInstall,
    }
}

fn weaken(to: Protection) {
    // ORDERING: Relaxed; as in `protection`.
    WEAKEST.fetch_max(to as u8, Ordering::Relaxed);
}

/// Guards `count` blank slots from `first` on and tells `made` of each, in order, what it got.
///
/// # Errors
/// When memory for page tables ran out; then no slot was told of.
///
/// # Safety
/// The slots are blank, in a reservation of ours, and nobody else refers to them.
pub(super) unsafe fn guard_slots(
    first: usize,
    count: usize,
    class: Class,
    mut made: impl FnMut(usize, Protection),
) -> std::io::Result<()> {
    let start = |index: usize| first + index * class.bytes();
    let page = |index: usize| Range { start: start(index), len: memory::page_size() };
    if protection() == Protection::GuardInstall {
        let pages: Vec<Range> = (0..count).map(page).collect();
        // SAFETY: the caller's promise.
        match unsafe { memory::install_guards(&pages) } {
            // Emulators take advice they do not know for done: the first guard of each batch is tried.
            Ok(()) if memory::is_readable(first) => weaken(Protection::Mprotect),
            Ok(()) => {
                (0..count).for_each(|index| made(start(index), Protection::GuardInstall));
                return Ok(());
            }
            // Unknown to this kernel, or the memory is locked.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => weaken(Protection::Mprotect),
            Err(error) => return Err(error),
        }
    }
    for index in 0..count {
        // SAFETY: the caller's promise.
        let protected = wants_mprotect(index) && unsafe { memory::protect(page(index)) }.is_ok();
        made(start(index), if protected { Protection::Mprotect } else { Protection::Canary });
        if !protected {
            weaken(Protection::Canary);
        }
    }
    Ok(())
}

/// Whether the `index`th slot of a batch gets a guard of its own, on kernels where that costs mappings (I2).
fn wants_mprotect(index: usize) -> bool {
    // ORDERING: Relaxed; a budget, nothing is published through it.
    let within = protection() == Protection::Mprotect && MPROTECTED.fetch_add(1, Ordering::Relaxed) < MPROTECT_LIMIT;
    within || index.is_multiple_of(FENCE_EVERY)
}

/// Whether the lowest page of the slot at `start` is still untouched (I3).
///
/// # Safety
/// The caller owns the slot, and it has no guard.
pub(super) unsafe fn is_blank(start: usize) -> bool {
    let words = memory::page_size() / size_of::<u64>();
    // SAFETY: the page belongs to the caller's slot and is readable, having no guard. The reads are volatile: frames
    // may have been written there behind the compiler's back, which is what we look for.
    (0..words).all(|i| unsafe { (start as *const u64).add(i).read_volatile() } == 0)
}
