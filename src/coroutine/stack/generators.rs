//! Stacks of the portable back end: each is a generator of the `generator` crate that runs one job after the other.
//!
//! That crate keeps its stacks to itself, so a [`Stack`] here owns a whole generator, and starting something on a
//! stack means handing a job to it. The store's contract is that of `slots/mod.rs`.
//!
//! # Invariants
//! 1. A [`Routine`] is touched by one thread at a time: by whoever owns its [`Stack`], or by the code that runs on it.
//! 2. `job` is filled before a resumption that starts something, and emptied first thing by the body.
//! 3. A routine is `idle` exactly while its body waits for a job: then no frames but the body's own are on it.
//! 4. [`innermost`] is the routine whose stack the thread runs on, null on the thread's own stack. It is set by the
//!    code that resumes, on the thread that resumes, before and after.

use super::{Bounds, Class, Protection, StackError, Usage};
use crate::primitives::atomic::{AtomicUsize, Ordering};
use crate::primitives::thread_local;
use core::any::Any;
use core::cell::Cell;
use core::ptr::{self, NonNull};
use generator::{Generator, Gn, Scope};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a routine does next.
pub(in crate::coroutine) enum Job {
    /// Calls an entry, and leaves for the context it returns.
    Enter(unsafe extern "C" fn(*mut ()) -> *const (), *mut ()),
    /// Calls a closure on behalf of the routine below, or of a thread.
    Call(*mut &'static mut dyn FnMut()),
    /// Ends the generator, so that it can be freed.
    End,
}

/// A generator, and what passes between it and those who resume it.
pub(in crate::coroutine) struct Routine {
    generator: Option<Generator<'static, (), ()>>,
    scope: *mut Scope<'static, 'static, (), ()>,
    job: Option<Job>,
    pub(in crate::coroutine) idle: bool,
    /// The payload, when a [`Job::Call`] panicked.
    pub(in crate::coroutine) panic: Option<Box<dyn Any + Send>>,
    /// The routine that this one is a segment of; null for a base, and for a segment of a plain thread.
    pub(in crate::coroutine) below: *mut Routine,
    pub(in crate::coroutine) is_segment: bool,
    bounds: Bounds,
    class: Class,
}

impl Routine {
    /// Runs the routine until it yields: for a new job, or to go on where it yielded.
    ///
    /// # Safety
    /// `this` is alive and suspended, and the caller may touch it (I1).
    pub(in crate::coroutine) unsafe fn resume(this: *mut Routine) {
        let outside = innermost();
        set_innermost(this);
        // SAFETY: the caller's promise. Only the generator is borrowed while its body runs, and the body does not touch
        // that field.
        let generator = unsafe { &mut (*this).generator };
        generator.as_mut().expect("a routine without its generator").resume();
        // A resumption returns on the thread that made it, however far the goroutine went meanwhile (I4).
        set_innermost(outside);
    }

    /// In the routine: suspends it; returns when it is resumed.
    ///
    /// # Safety
    /// The caller runs on `this`.
    pub(in crate::coroutine) unsafe fn pause(this: *mut Routine) {
        // SAFETY: the scope lives in the body's frame, below ours.
        unsafe { (*(*this).scope).yield_with(()) }
    }

    /// # Safety
    /// `this` is idle and the caller owns its stack.
    pub(in crate::coroutine) unsafe fn assign(this: *mut Routine, job: Job) {
        // SAFETY: the caller's promise.
        unsafe {
            debug_assert!((*this).idle);
            (*this).idle = false;
            (*this).job = Some(job);
        }
    }

    /// The base on which the chain of segments up to `this` stands; null when that is a plain thread.
    ///
    /// # Safety
    /// The caller runs on `this`; null is taken for a thread.
    pub(in crate::coroutine) unsafe fn base_of(mut this: *mut Routine) -> *mut Routine {
        // SAFETY: routines below a running one are alive.
        while !this.is_null() && unsafe { (*this).is_segment } {
            this = unsafe { (*this).below };
        }
        this
    }
}

/// One owned generator. Dropping it ends the generator and frees its stack.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stack(NonNull<Routine>);

// SAFETY: owning a `Stack` is owning its idle routine (I1, I3), which is bound to no thread while it is idle.
unsafe impl Send for Stack {}

impl Stack {
    fn create(class: Class) -> Result<Stack, StackError> {
        let words = class.bytes() / size_of::<usize>();
        let routine = Box::into_raw(Box::new(Routine {
            generator: None,
            scope: ptr::null_mut(),
            job: None,
            idle: true,
            panic: None,
            below: ptr::null_mut(),
            is_segment: false,
            bounds: Bounds { bottom: 0, top: 0 },
            class,
        }));
        let carried = Carried(routine);
        // The crate panics when it gets no memory; asking first keeps that panic's message off the terminal.
        let enough = has_room(class.bytes());
        let make = AssertUnwindSafe(|| Gn::new_scoped_opt(words, move |scope| body(carried, scope)));
        let made = enough.then(|| catch_unwind(make));
        let Some(Ok(generator)) = made else {
            // SAFETY: made above, given to nobody.
            drop(unsafe { Box::from_raw(routine) });
            return Err(StackError::OutOfMemory { size: class.bytes(), errno: 0 });
        };
        // SAFETY: the routine is ours alone; the first resumption only lets it find its bounds and wait.
        unsafe {
            (*routine).generator = Some(generator);
            Routine::resume(routine);
            // ORDERING: Relaxed; a statistic.
            MADE.fetch_add(1, Ordering::Relaxed);
            Ok(Stack(NonNull::new_unchecked(routine)))
        }
    }

    pub(in crate::coroutine) fn routine(&self) -> *mut Routine {
        self.0.as_ptr()
    }

    /// The room for frames.
    pub(crate) fn bounds(&self) -> Bounds {
        // SAFETY: set before the stack was handed out, never changed.
        unsafe { (*self.0.as_ptr()).bounds }
    }

    pub(crate) fn class(&self) -> Class {
        // SAFETY: never changed.
        unsafe { (*self.0.as_ptr()).class }
    }

    /// Bytes of the stack.
    pub(crate) fn size(&self) -> usize {
        self.class().bytes()
    }

    /// Generators bring guards of their own, so nothing is ever found overrun afterwards.
    pub(super) fn is_intact(&self) -> bool {
        true
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let routine = self.0.as_ptr();
        // ORDERING: Relaxed; a statistic.
        MADE.fetch_sub(1, Ordering::Relaxed);
        // SAFETY: the owner's last act (I1). Freed while suspended inside a job (never by the scheduler), the generator
        // would unwind frames of others: it is leaked instead.
        unsafe {
            if (*routine).idle {
                Routine::assign(routine, Job::End);
                Routine::resume(routine);
                drop(Box::from_raw(routine));
            } else {
                core::mem::forget((*routine).generator.take());
            }
        }
    }
}

/// A routine's address on its way into its own body.
struct Carried(*mut Routine);

// SAFETY: the body is the routine's own code (I1).
unsafe impl Send for Carried {}

fn body(carried: Carried, mut scope: Scope<'_, 'static, (), ()>) {
    let this = carried.0;
    let here = stack_address();
    // SAFETY: we run on the routine, so it is ours to touch (I1); the scope outlives all we do with the pointer.
    unsafe {
        let top = here.next_multiple_of(page_size());
        (*this).bounds = Bounds { bottom: top - (*this).class.bytes(), top };
        (*this).scope = (&raw mut scope).cast();
        loop {
            Routine::pause(this);
            match (*this).job.take() {
                Some(Job::Enter(entry, arg)) => {
                    let next = entry(arg);
                    set_pending(next);
                }
                Some(Job::Call(closure)) => {
                    (*this).panic = catch_unwind(AssertUnwindSafe(|| (*closure)())).err();
                }
                Some(Job::End) | None => return,
            }
            (*this).idle = true;
        }
    }
}

thread_local! {
    static INNERMOST: Cell<*mut Routine> = const { Cell::new(ptr::null_mut()) };
    static PENDING: Cell<*const ()> = const { Cell::new(ptr::null()) };
}

// The accessors are never inlined and pass values: a goroutine may be on another thread after each pause, and an
// address of a thread local kept in a register would still be the old thread's.

/// The routine that the calling thread runs on (I4).
#[inline(never)]
pub(in crate::coroutine) fn innermost() -> *mut Routine {
    INNERMOST.get()
}

#[inline(never)]
fn set_innermost(routine: *mut Routine) {
    INNERMOST.set(routine);
}

/// Leaves word for the thread's own stack which context to resume next.
#[inline(never)]
pub(in crate::coroutine) fn set_pending(context: *const ()) {
    PENDING.set(context);
}

/// What [`set_pending`] left on this thread.
#[inline(never)]
pub(in crate::coroutine) fn take_pending() -> *const () {
    PENDING.replace(ptr::null())
}

/// An address in the caller's frame, near enough to the stack pointer.
#[inline(never)]
pub(crate) fn stack_address() -> usize {
    let local = 0_u8;
    std::hint::black_box(&raw const local) as usize
}

pub(super) fn page_size() -> usize {
    #[cfg(target_os = "linux")]
    return crate::platform::memory::page_size();
    #[cfg(not(target_os = "linux"))]
    4096
}

/// Whether address space for a stack is left, as far as can be asked.
fn has_room(bytes: usize) -> bool {
    #[cfg(target_os = "linux")]
    {
        use crate::platform::memory;
        // SAFETY: the range was reserved here and given to nobody.
        memory::reserve(bytes + 2 * page_size()).map(|range| unsafe { memory::release(range) }).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = bytes;
        true
    }
}

/// What guards the stacks: the generator crate protects a page below each.
pub(crate) fn protection() -> Protection {
    Protection::Mprotect
}

/// Stacks promised so far; each becomes one generator at most.
static PROMISED: AtomicUsize = AtomicUsize::new(0);

/// How many generators the process may have: each takes two mappings, of which Linux allows `vm.max_map_count`.
fn most_stacks() -> usize {
    static MOST: AtomicUsize = AtomicUsize::new(0);
    // ORDERING: Relaxed, both; a fact about the system, found out by whoever comes first.
    let most = MOST.load(Ordering::Relaxed);
    if most != 0 {
        return most;
    }
    let mappings = if cfg!(target_os = "linux") {
        let read = std::fs::read_to_string("/proc/sys/vm/max_map_count");
        read.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(65_530)
    } else {
        usize::MAX
    };
    // A thousand for everything else in the process, and for segments.
    let most = (mappings.saturating_sub(1_000) / 2).max(1);
    MOST.store(most, Ordering::Relaxed);
    most
}

/// Sets `count` more stacks of `class` aside, besides `hot` that may be idle in caches: as far as mappings go. Of
/// address space it only sees what there is at this moment.
///
/// # Errors
/// When there is not so much left.
pub(super) fn promise(class: Class, count: usize, hot: usize) -> Result<(), StackError> {
    // ORDERING: Relaxed; a number.
    let before = PROMISED.fetch_add(count, Ordering::Relaxed);
    if before + count + hot <= most_stacks() && has_room(class.bytes().saturating_mul(count)) {
        return Ok(());
    }
    release_promise(class, count);
    Err(StackError::OutOfMemory { size: class.bytes(), errno: 0 })
}

/// Takes promises back.
pub(super) fn release_promise(_class: Class, count: usize) {
    // ORDERING: Relaxed; a number.
    PROMISED.fetch_sub(count, Ordering::Relaxed);
}

/// One stack: generators made ahead would each hold two pages.
///
/// # Errors
/// When address space or memory ran out.
pub(super) fn take(class: Class, _count: usize, into: &mut Vec<Stack>) -> Result<(), StackError> {
    into.push(without_foreign_handler(|| Stack::create(class))?);
    Ok(())
}

/// Generators that there are.
static MADE: AtomicUsize = AtomicUsize::new(0);

/// Counts generators; each is taken to hold two pages, as one does that parks early.
pub(super) fn usage() -> Usage {
    // ORDERING: Relaxed; a statistic.
    let count = MADE.load(Ordering::Relaxed);
    Usage { count, resident: count * 2 * page_size() }
}

/// Frees stacks that nobody wants hot.
pub(super) fn give(stacks: Vec<Stack>) {
    drop(stacks);
}

/// Nobody keeps idle generators that hold memory.
pub(super) fn scavenge() -> bool {
    false
}

/// The generator crate gives nothing back of a stack but the whole.
pub(super) fn discard_deep(_stacks: &[Stack]) {}

/// Frees a segment that its goroutine has no more use for.
pub(super) fn give_segment(segment: Stack) {
    drop(segment);
}

/// As [`discard_deep`]: a spent segment keeps its memory until its goroutine ends.
pub(super) fn discard_spent(_segment: &Stack) {}

/// Whether a fault at `address` hit the guard of the stack that the thread runs on. Async-signal-safe.
#[cfg(unix)]
pub(super) fn is_overflow(address: usize, _sp: usize) -> bool {
    let routine = innermost();
    // SAFETY: the thread runs on this routine, so it is alive; its bounds do not change.
    !routine.is_null() && {
        let bottom = unsafe { (*routine).bounds.bottom };
        (bottom.saturating_sub(page_size())..bottom).contains(&address)
    }
}

/// Calls `create`, and puts the handlers for memory faults back in force that the generator crate replaces when its
/// first stack is made: its own prints, and panics on every fault outside a generator.
fn without_foreign_handler<T>(create: impl FnOnce() -> T) -> T {
    #[cfg(unix)]
    {
        use crate::primitives::{Lock, LockRank};
        static FIRST: Lock<bool> = Lock::new(LockRank::Leaf, true);
        let mut first = FIRST.lock();
        if core::mem::replace(&mut *first, false) {
            return crate::platform::signals::keep_actions(create);
        }
    }
    create()
}
