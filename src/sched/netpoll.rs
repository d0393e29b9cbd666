//! The network poller: turns the kernel's events into wake-ups. `NETPOLL.md` tells the protocol.
//!
//! Whoever calls [`poll`] polls: `vigil.rs` says who does, and when.
//!
//! # Invariants
//! 1. Slots are type-stable: recycled, never freed. A token is the index of a slot and the generation of its
//!    registration; a slot is free between two generations.
//! 2. A chunk of the table, once there, stays. Chunk `k` has `FIRST << k` slots.
//! 3. A watched descriptor is an external: an event may wake a goroutine (woken, I2).
//!
//! # Locking
//! `TABLE.free`, `STARTING`: their locks (ranks Leaf and Deadline).

use super::readiness::Readiness;
use super::vigil;
use super::watch::External;
use super::woken::{Waiter, Woken};
use crate::platform::poller::{self, Poller};
pub(crate) use crate::platform::poller::{AsSource, REARM};
use crate::primitives::atomic::{AtomicPtr, Ordering};
use crate::primitives::{Lock, LockRank};
use core::ptr;
use std::io;
use std::time::Duration;

/// A descriptor that the poller watches.
pub(crate) struct Source {
    source: poller::Source,
    /// See I3. One for all its waits: a wait would count up and down each time.
    _external: External,
}

/// The two directions of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// A descriptor's place in the table.
pub(crate) struct Slot {
    index: u32,
    read: Readiness<Waiter>,
    write: Readiness<Waiter>,
}

const FIRST: usize = 64;
const CHUNKS: usize = 20;
/// A token has room for so many bits of index; the others are the generation's.
const INDEX_BITS: u32 = if usize::BITS == 64 { 32 } else { 20 };
const MOST: u32 = ((FIRST << CHUNKS) - FIRST) as u32;
const GENERATIONS: u32 = (usize::MAX >> INDEX_BITS) as u32;

struct Free {
    slots: Vec<Registration>,
    made: u32,
}

struct Table {
    chunks: [AtomicPtr<Slot>; CHUNKS],
    free: Lock<Free>,
}

static TABLE: Table = Table {
    chunks: [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS],
    free: Lock::new(LockRank::Leaf, Free { slots: Vec::new(), made: 0 }),
};

impl Table {
    /// In which chunk, and where in it.
    fn place(index: u32) -> (usize, usize) {
        let from_first = index as usize + FIRST;
        let chunk = (from_first / FIRST).ilog2() as usize;
        (chunk, from_first - (FIRST << chunk))
    }

    fn get(&self, index: u32) -> Option<&'static Slot> {
        let (chunk, at) = Self::place(index);
        // ORDERING: Acquire pairs with the Release in `make`.
        let slots = self.chunks.get(chunk)?.load(Ordering::Acquire);
        // SAFETY: a chunk has as many slots as `place` counts on, and is leaked (I2).
        if slots.is_null() { None } else { Some(unsafe { &*slots.add(at) }) }
    }

    /// A slot that was never used.
    fn make(&self, free: &mut Free) -> &'static Slot {
        let index = free.made;
        assert!(index < MOST, "more than {MOST} sockets");
        let (chunk, at) = Self::place(index);
        if at == 0 {
            let slot = |i| Slot { index: index + i as u32, read: Readiness::new(), write: Readiness::new() };
            let slots: &'static mut [Slot] = Box::leak((0..FIRST << chunk).map(slot).collect());
            // ORDERING: Release pairs with the Acquire in `get`.
            self.chunks[chunk].store(slots.as_mut_ptr(), Ordering::Release);
        }
        free.made += 1;
        self.get(index).expect("runtime bug: no chunk for a slot")
    }
}

/// A slot in use, under one generation (I1).
#[derive(Clone, Copy)]
pub(crate) struct Registration {
    slot: &'static Slot,
    generation: u32,
}

impl Registration {
    /// A place in the table; [`free`](Self::free) gives it back.
    pub(crate) fn take() -> Self {
        let mut free = TABLE.free.lock();
        let used = free.slots.pop();
        used.unwrap_or_else(|| Self { slot: TABLE.make(&mut free), generation: 0 })
    }

    /// # Safety
    /// No copy is used again, nobody waits, and the poller does not watch its descriptor any more.
    pub(crate) unsafe fn free(self) {
        let generation = self.generation.wrapping_add(1) & GENERATIONS;
        self.slot.read.renew(generation);
        self.slot.write.renew(generation);
        TABLE.free.lock().slots.push(Self { slot: self.slot, generation });
    }

    #[inline]
    pub(crate) fn readiness(&self, direction: Direction) -> &'static Readiness<Waiter> {
        match direction {
            Direction::Read => &self.slot.read,
            Direction::Write => &self.slot.write,
        }
    }

    /// Lets the poller watch what `socket` has a descriptor of.
    pub(crate) fn watch(&self, socket: &impl AsSource) -> io::Result<Source> {
        let mut source = Source { source: socket.source()?, _external: External::begin() };
        started_poller()?.add(&mut source.source, self.token())?;
        Ok(source)
    }

    /// Asks for the next event, where the poller does not go on watching by itself.
    pub(crate) fn rearm(&self, source: &mut Source) -> io::Result<()> {
        started_poller()?.rearm(&mut source.source, self.token())
    }

    fn token(&self) -> usize {
        self.slot.index as usize | (self.generation as usize) << INDEX_BITS
    }

    /// Ends [`watch`](Self::watch), before the descriptor is closed.
    pub(crate) fn unwatch(&self, source: &mut Source) {
        if let Some(poller) = poller() {
            // It is watched, and the kernel has no other reason to refuse; nobody could do anything about it.
            let _ = poller.remove(&mut source.source);
        }
    }

    /// Passes an event on (readiness, I4).
    pub(crate) fn pass_on(&self, direction: Direction) {
        wake_all(self.readiness(direction).pass_on());
    }

    /// Makes those who wait look again at what is kept beside the descriptor.
    pub(crate) fn stir(&self, direction: Direction) {
        wake_all(self.readiness(direction).stir());
    }

    /// Ends all waits, and forbids further ones.
    pub(crate) fn close(&self) {
        wake_all(self.slot.read.close());
        wake_all(self.slot.write.close());
    }
}

fn wake_all(waiters: impl IntoIterator<Item = Waiter>) {
    let mut woken = Woken::new();
    waiters.into_iter().for_each(|waiter| woken.wake(waiter));
    woken.submit();
}

static POLLER: AtomicPtr<Poller> = AtomicPtr::new(ptr::null_mut());
/// Serialises the start.
static STARTING: Lock<()> = Lock::new(LockRank::Deadline, ());

fn poller() -> Option<&'static Poller> {
    // ORDERING: Acquire pairs with the Release in `start_poller`.
    // SAFETY: null, or leaked by `start_poller`.
    unsafe { POLLER.load(Ordering::Acquire).as_ref() }
}

fn started_poller() -> io::Result<&'static Poller> {
    poller().map_or_else(start_poller, Ok)
}

#[cold]
fn start_poller() -> io::Result<&'static Poller> {
    let starting = STARTING.lock();
    if let Some(poller) = poller() {
        return Ok(poller);
    }
    let poller: &'static Poller = Box::leak(Box::new(Poller::new()?));
    // ORDERING: Release pairs with the Acquire in `poller`.
    POLLER.store(ptr::from_ref(poller).cast_mut(), Ordering::Release);
    drop(starting);
    vigil::tell_poller_started();
    Ok(poller)
}

/// Whether there is a poller.
#[inline]
pub(super) fn is_started() -> bool {
    poller().is_some()
}

/// Ends the wait of whoever polls, now or next.
pub(super) fn interrupt() {
    if let Some(poller) = poller() {
        poller.interrupt();
    }
}

/// Takes the events that the kernel has, waiting for the first one no longer than `timeout` says, which is asked when
/// nobody else polls; the caller submits those that they have woken. False if another thread polls now.
pub(crate) fn poll(timeout: impl FnOnce() -> Option<Duration>, woken: &mut Woken) -> bool {
    let Some(poller) = poller() else { return false };
    let polled = poller.poll(timeout, |token, ready| {
        let (index, generation) = (token & (usize::MAX >> (usize::BITS - INDEX_BITS)), token >> INDEX_BITS);
        let Some(slot) = TABLE.get(index as u32) else { return };
        woken.begin();
        if ready.read
            && let Some(waiter) = slot.read.event(generation as u32)
        {
            woken.wake(waiter);
        }
        if ready.write
            && let Some(waiter) = slot.write.event(generation as u32)
        {
            woken.wake(waiter);
        }
    });
    match polled {
        Some(Err(error)) => crate::platform::fatal::fatal(format_args!("cannot poll: {error}")),
        Some(Ok(())) => true,
        None => false,
    }
}
