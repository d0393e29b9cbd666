//! What a goroutine carries about its stack: the base, the segments it grew, and the limit that asks for more.
//!
//! # Invariants
//! 1. `limit` belongs to the stack that frames are pushed on now: the last of `live`, else the base. 0: unknown.
//! 2. `live` segments hold frames; the last was entered last and is left first. `spare` holds none.
//! 3. Between `limit` and the guard lies at least [`RED_ZONE`] (a quarter of the smallest stacks): the frames of code
//!    that does not check fit there.

use super::store::{self, Stack};
use super::{Class, StackError, class_for, max_stack, overflow};
use crate::platform::fatal::runtime_bug;
use smallvec::SmallVec;

/// What a checked function and everything unchecked below it may use.
pub(crate) const RED_ZONE: usize = 32 << 10;
/// Segments grow fourfold up to this size: deep recursion takes few of them, and wastes little.
const LARGEST_SEGMENT: usize = 64 << 20;

/// See the module's page.
#[derive(Debug)]
pub(crate) struct StackState {
    base: Base,
    limit: usize,
    chain: Option<Box<Chain>>,
}

#[derive(Debug)]
enum Base {
    Unbound,
    Slot(Stack),
    /// A plain thread's own stack, which is not ours to give back.
    Thread {
        bottom: usize,
        size: usize,
    },
}

#[derive(Debug, Default)]
struct Chain {
    live: SmallVec<[Stack; 6]>,
    /// The segment left last, kept against the hot split: a loop that calls across the boundary.
    spare: Option<Stack>,
}

const _: () = assert!(size_of::<StackState>() <= 64);

impl StackState {
    pub(crate) const fn new() -> Self {
        Self { base: Base::Unbound, limit: 0, chain: None }
    }

    /// Gives the goroutine its base stack.
    #[inline]
    pub(crate) fn bind(&mut self, stack: Stack) {
        debug_assert!(matches!(self.base, Base::Unbound), "bound twice");
        self.limit = limit_above(stack.bounds().bottom, stack.size());
        self.base = Base::Slot(stack);
    }

    /// Takes the base stack away; segments go back to the store.
    ///
    /// A bound stack must be there, and no frames on segments.
    #[inline]
    pub(crate) fn unbind(&mut self) -> Stack {
        if self.chain.is_some() {
            self.drop_chain();
        }
        self.check_canary();
        self.limit = 0;
        match core::mem::replace(&mut self.base, Base::Unbound) {
            Base::Slot(stack) => stack,
            Base::Unbound | Base::Thread { .. } => runtime_bug!("unbind: no stack is bound"),
        }
    }

    #[cold]
    fn drop_chain(&mut self) {
        let chain = self.chain.take();
        debug_assert!(chain.as_ref().is_none_or(|chain| chain.live.is_empty()), "unbound inside a segment");
        if let Some(spare) = chain.and_then(|chain| chain.spare) {
            store::give_segment(spare);
        }
    }

    /// Below this address of the stack pointer a checked function continues on a segment; 0 when nothing is known.
    #[inline]
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes of the base stack, as a report names them; 0 while unbound.
    pub(crate) fn base_size(&self) -> usize {
        match &self.base {
            Base::Unbound => 0,
            Base::Slot(stack) => stack.size(),
            Base::Thread { size, .. } => *size,
        }
    }

    /// Bytes of the base and of all live segments.
    pub(crate) fn total_size(&self) -> usize {
        let live = self.chain.iter().flat_map(|chain| &chain.live);
        self.base_size() + live.map(Stack::size).sum::<usize>()
    }

    /// Number of segments that hold frames.
    #[cfg(test)]
    pub(crate) fn segments(&self) -> usize {
        self.chain.as_ref().map_or(0, |chain| chain.live.len())
    }

    /// Bytes between `sp` and the guard of the stack it points into, as far as is known.
    pub(crate) fn room(&self, sp: usize) -> usize {
        sp.saturating_sub(self.bottom().unwrap_or(sp))
    }

    /// Reports an overrun of any stack of the goroutine that has no guard, and aborts.
    #[inline]
    pub(crate) fn check_canary(&self) {
        let live = self.chain.iter().flat_map(|chain| &chain.live);
        let mut intact = live.map(Stack::is_intact);
        let base_intact = match &self.base {
            Base::Slot(stack) => stack.is_intact(),
            Base::Unbound | Base::Thread { .. } => true,
        };
        if !base_intact || intact.any(|intact| !intact) {
            overflow::die(format_args!("found when it parked: this kernel has no guards for so many stacks"));
        }
    }

    /// Makes the calling thread's own stack the base, so that growth works on plain threads. False where the system
    /// does not tell its bounds.
    #[cold]
    pub(crate) fn adopt_thread(&mut self) -> bool {
        // Once: the system reads a file to tell, for the main thread.
        if matches!(self.base, Base::Unbound)
            && let Some((bottom, top)) = thread_stack()
        {
            self.limit = limit_above(bottom, top - bottom);
            self.base = Base::Thread { bottom, size: top - bottom };
        }
        self.limit != 0
    }

    /// The base stack, for the switch to start on.
    pub(in crate::coroutine) fn base_stack(&self) -> Option<&Stack> {
        match &self.base {
            Base::Slot(stack) => Some(stack),
            Base::Unbound | Base::Thread { .. } => None,
        }
    }

    /// Links a segment with room for at least `least` bytes, and returns it: the spare one, or a new one.
    ///
    /// # Errors
    /// When memory ran out; `None` when the goroutine may not grow any further.
    pub(super) fn push_segment(&mut self, least: usize) -> Result<Option<&Stack>, StackError> {
        let fits = |spare: &mut Stack| spare.size() >= least.saturating_add(2 * RED_ZONE);
        let spare = self.chain.as_mut().and_then(|chain| chain.spare.take_if(fits));
        let segment = match spare {
            Some(spare) => spare,
            None => match self.next_class(least) {
                Some(class) => Stack::fresh(class)?,
                None => return Ok(None),
            },
        };
        self.limit = limit_above(segment.bounds().bottom, segment.size());
        let live = &mut self.chain.get_or_insert_default().live;
        live.push(segment);
        Ok(live.last())
    }

    /// Unlinks the segment that was just left and keeps it as the spare; an older spare goes back to the store.
    pub(super) fn pop_segment(&mut self) {
        let Some(chain) = &mut self.chain else { runtime_bug!("pop_segment: there is no chain") };
        let left = chain.live.pop();
        debug_assert!(left.is_some(), "no segment is live");
        if let Some(left) = &left {
            store::discard_spent(left);
        }
        let older = core::mem::replace(&mut chain.spare, left);
        self.limit = self.bottom_and_size().map_or(0, |(bottom, size)| limit_above(bottom, size));
        if let Some(older) = older {
            store::give_segment(older);
        }
    }

    /// The class of the next segment: four times the one before, as far as the goroutine's allowance goes.
    fn next_class(&self, least: usize) -> Option<Class> {
        let largest = class_for(LARGEST_SEGMENT).ok()?;
        let last = self.chain.as_ref().and_then(|chain| chain.live.last()).or(self.base_stack());
        let wanted = last.map_or(Class::DEFAULT, Stack::class).next().min(largest);
        let needed = class_for(least.saturating_add(2 * RED_ZONE)).ok()?;
        let allowed = max_stack().saturating_sub(self.total_size());
        Class::all().filter(|class| class.bytes() <= allowed && *class >= needed && *class <= wanted.max(needed)).last()
    }

    fn bottom(&self) -> Option<usize> {
        self.bottom_and_size().map(|(bottom, _)| bottom)
    }

    fn bottom_and_size(&self) -> Option<(usize, usize)> {
        match (self.chain.as_ref().and_then(|chain| chain.live.last()), &self.base) {
            (Some(segment), _) => Some((segment.bounds().bottom, segment.size())),
            (None, Base::Slot(stack)) => Some((stack.bounds().bottom, stack.size())),
            (None, Base::Thread { bottom, size }) => Some((*bottom, *size)),
            (None, Base::Unbound) => None,
        }
    }
}

/// The one of a plain thread goes with the thread's locals, also where that thread ends the process by a call: then its
/// frames lie on a segment, or it is in the body of a generator, and goes on there. What may hold frames is leaked.
impl Drop for StackState {
    fn drop(&mut self) {
        core::mem::forget(core::mem::replace(&mut self.base, Base::Unbound));
        if let Some(chain) = &mut self.chain {
            core::mem::forget(core::mem::take(&mut chain.live));
        }
    }
}

/// Where a stack of `size` bytes starts to be short (I3).
#[inline]
fn limit_above(bottom: usize, size: usize) -> usize {
    bottom + RED_ZONE.min(size / 4)
}

#[cfg(target_os = "linux")]
fn thread_stack() -> Option<(usize, usize)> {
    crate::platform::memory::thread_stack()
}

#[cfg(not(target_os = "linux"))]
fn thread_stack() -> Option<(usize, usize)> {
    None
}
