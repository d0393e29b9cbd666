//! The stacks that a worker keeps hot, so that starting a goroutine touches neither a lock nor a cold page.
//!
//! # Invariants
//! 1. Owner only: one worker, no synchronisation.
//! 2. The first `clean` stacks of a list hold little memory; those above were given since, and may have gone deep.

use super::store::{self, Stack};
use super::{CLASSES, Class, StackError};
use crate::primitives::atomic::{AtomicUsize, Ordering};

/// Hot stacks per class, most recently used first.
#[derive(Debug)]
pub(crate) struct StackCache {
    classes: [Hot; CLASSES],
    /// Whether it is among the [`CACHES`].
    counted: bool,
}

/// How many caches may keep idle stacks.
static CACHES: AtomicUsize = AtomicUsize::new(0);

#[derive(Debug)]
struct Hot {
    idle: Vec<Stack>,
    clean: usize,
}

impl StackCache {
    pub(crate) const fn new() -> Self {
        Self { classes: [const { Hot { idle: Vec::new(), clean: 0 } }; CLASSES], counted: false }
    }

    /// The most recently used stack of the class, or a new one.
    ///
    /// # Errors
    /// When address space or memory ran out.
    #[inline]
    pub(crate) fn take(&mut self, class: Class) -> Result<Stack, StackError> {
        match self.classes[class.index()].idle.pop() {
            Some(stack) => Ok(stack),
            None => self.refill(class),
        }
    }

    /// Keeps an idle stack for the next [`take`](Self::take).
    #[inline]
    pub(crate) fn give(&mut self, stack: Stack) {
        let class = stack.class();
        let hot = &mut self.classes[class.index()];
        hot.clean = hot.clean.min(hot.idle.len());
        hot.idle.push(stack);
        if hot.idle.len() > limit(class) {
            hot.spill(limit(class) / 2);
        }
    }

    /// For a worker that goes idle: gives back the memory of stacks that went deep since the last time, and all but
    /// a few stacks to the process-wide store, where other workers find them.
    pub(crate) fn trim(&mut self) {
        for class in Class::all() {
            let hot = &mut self.classes[class.index()];
            if hot.idle.len() > limit(class) / 2 {
                hot.spill(limit(class) / 2);
            }
            hot.clean = hot.clean.min(hot.idle.len());
            if hot.clean < hot.idle.len() {
                store::discard_deep(&hot.idle[hot.clean..]);
                hot.clean = hot.idle.len();
            }
        }
    }

    #[cold]
    fn refill(&mut self, class: Class) -> Result<Stack, StackError> {
        if !self.counted {
            self.counted = true;
            // ORDERING: Relaxed; a number that only makes promises generous.
            CACHES.fetch_add(1, Ordering::Relaxed);
        }
        let idle = &mut self.classes[class.index()].idle;
        store::take(class, (limit(class) / 2).max(1), idle)?;
        Ok(idle.pop().expect("the store answered with no stack"))
    }
}

impl Hot {
    /// Gives all but `kept` stacks to the store, the coldest first.
    #[cold]
    fn spill(&mut self, kept: usize) {
        let surplus = self.idle.len().saturating_sub(kept);
        let coldest: Vec<Stack> = self.idle.drain(..surplus).collect();
        self.clean = self.clean.saturating_sub(surplus);
        store::give(coldest);
    }
}

impl Drop for StackCache {
    fn drop(&mut self) {
        self.classes.iter_mut().for_each(|hot| hot.spill(0));
        if self.counted {
            // ORDERING: Relaxed; see `refill`.
            CACHES.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Promises of stacks, taken from the store in batches: a goroutine that is spawned takes one, its end gives it back.
/// So it is at the spawn that a lack of address space shows, not when the goroutine first runs.
///
/// Owner only, as [`StackCache`].
#[derive(Debug)]
pub(crate) struct Promises([usize; CLASSES]);

impl Promises {
    pub(crate) const fn new() -> Self {
        Self([0; CLASSES])
    }

    /// Takes one promise.
    ///
    /// # Errors
    /// When there is no address space for one more stack.
    #[inline]
    pub(crate) fn take(&mut self, class: Class) -> Result<(), StackError> {
        let left = &mut self.0[class.index()];
        if *left == 0 {
            *left = Self::refill(class)?;
        }
        *left -= 1;
        Ok(())
    }

    #[cold]
    fn refill(class: Class) -> Result<usize, StackError> {
        // ORDERING: Relaxed; a number.
        let hot = limit(class) * (CACHES.load(Ordering::Relaxed) + 1);
        let batch = limit(class);
        if store::promise(class, batch, hot).is_ok() {
            return Ok(batch);
        }
        store::promise(class, 1, hot).map(|()| 1)
    }

    /// Gives one promise back.
    #[inline]
    pub(crate) fn give(&mut self, class: Class) {
        let left = &mut self.0[class.index()];
        *left += 1;
        if *left > 4 * limit(class) {
            store::release_promise(class, 2 * limit(class));
            *left -= 2 * limit(class);
        }
    }
}

/// How many stacks of a class stay hot: 64 of the small ones, 16 MiB worth of the larger.
const fn limit(class: Class) -> usize {
    let fit = (16 << 20) / class.bytes();
    if fit > 64 {
        64
    } else if fit == 0 {
        1
    } else {
        fit
    }
}
