//! Every goroutine object there ever was, and the free ones among them.
//!
//! # Invariants
//! 1. A chunk that is listed is whole and leaked: its objects may be looked at for ever, whatever becomes of the
//!    goroutines in them. A number that is read before and after tells whether it was still the same one.
//!
//! # Locking
//! `central`: its lock (rank Leaf).

use super::goroutine::Goroutine;
use super::list::List;
use crate::primitives::{Lock, LockRank};
use core::ptr::NonNull;

/// Objects are made so many at a time, where there are many, an eighth of what there is: the system is asked less often.
const CHUNK: usize = 64;
const LARGEST_CHUNK: usize = 512;
/// How many free objects move between a processor and the roster at once.
const BATCH: usize = 64;
/// How many free objects a processor keeps at most.
const KEEP: usize = 256;

struct Central {
    free: List<Goroutine>,
    chunks: Vec<&'static [Goroutine]>,
    made: usize,
}

/// See the module's page.
pub(crate) struct Roster {
    central: Lock<Central>,
}

impl Roster {
    pub(super) const fn new() -> Self {
        Self { central: Lock::new(LockRank::Leaf, Central { free: List::new(), chunks: Vec::new(), made: 0 }) }
    }

    /// A free object, from `cache` if it has one.
    #[inline]
    pub(super) fn take(&self, cache: &mut List<Goroutine>) -> NonNull<Goroutine> {
        cache.pop_front().unwrap_or_else(|| self.refill(cache))
    }

    #[cold]
    fn refill(&self, cache: &mut List<Goroutine>) -> NonNull<Goroutine> {
        let mut central = self.central.lock();
        if central.free.is_empty() {
            let count = (central.made / 8).clamp(CHUNK, LARGEST_CHUNK);
            let chunk: &'static [Goroutine] = Box::leak((0..count).map(|_| Goroutine::new()).collect());
            central.chunks.push(chunk);
            central.made += count;
            for g in chunk {
                // SAFETY: fresh, so in no list, and leaked (goroutine, I1).
                unsafe { central.free.push_back(NonNull::from(g)) };
            }
        }
        for _ in 1..BATCH {
            let Some(g) = central.free.pop_front() else {
                break;
            };
            // SAFETY: it was just taken off the only list that it was in.
            unsafe { cache.push_back(g) };
        }
        central.free.pop_front().or_else(|| cache.pop_front()).expect("runtime bug: an empty refill")
    }

    /// A free object for a thread without a processor.
    pub(super) fn take_central(&self) -> NonNull<Goroutine> {
        let mut few = List::new();
        let g = self.refill(&mut few);
        self.central.lock().free.append(&mut few);
        g
    }

    /// Every goroutine object there is so far (I1). Most may be free.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &'static Goroutine> + use<> {
        let chunks = self.central.lock().chunks.clone();
        chunks.into_iter().flatten()
    }

    /// Takes a dead object back.
    ///
    /// # Safety
    /// Its last reference is gone (goroutine, I2).
    #[inline]
    pub(super) unsafe fn give(&self, g: NonNull<Goroutine>, cache: &mut List<Goroutine>) {
        // SAFETY: dead objects are in no list.
        unsafe { cache.push_front(g) };
        if cache.len() > KEEP {
            self.spill(cache);
        }
    }

    #[cold]
    fn spill(&self, cache: &mut List<Goroutine>) {
        let mut central = self.central.lock();
        for _ in 0..BATCH {
            let Some(g) = cache.pop_front() else { break };
            // SAFETY: it was just taken off the only list that it was in.
            unsafe { central.free.push_front(g) };
        }
    }

    /// Takes a dead object back from a thread without a processor.
    ///
    /// # Safety
    /// Its last reference is gone (goroutine, I2).
    pub(super) unsafe fn give_central(&self, g: NonNull<Goroutine>) {
        // SAFETY: dead objects are in no list.
        unsafe { self.central.lock().free.push_front(g) };
    }
}
