//! The thread locals that are read on goroutines' stacks: which worker this thread is, and the like.
//!
//! A goroutine may resume on another thread, and the compiler may keep the address of a thread local across the
//! switch. So the locals are read only by `#[inline(never)]` functions that return a value (`tests/layers.rs`
//! looks for both).

use super::goroutine::Goroutine;
use super::status::ParkWord;
use super::worker::Worker;
use crate::coroutine::stack::StackState;
use crate::primitives::atomic::AtomicBool;
use crate::primitives::rand::Rng;
use crate::primitives::{sequence, thread_local};
use core::any::Any;
use core::cell::{Cell, RefCell, UnsafeCell};
use core::ptr::{self, NonNull};

thread_local! {
    static WORKER: Cell<*const Worker> = const { Cell::new(ptr::null()) };
    static THREAD_RNG: RefCell<Rng> = RefCell::new(Rng::new(sequence() << 20));
    static THREAD_LOCALS: UnsafeCell<Option<Box<dyn Any>>> = const { UnsafeCell::new(None) };
    static THREAD_STACK: UnsafeCell<StackState> = const { UnsafeCell::new(StackState::new()) };
}

/// The worker of this thread, if it is one.
#[inline(never)]
pub(crate) fn worker() -> Option<&'static Worker> {
    // SAFETY: workers are leaked.
    unsafe { WORKER.get().as_ref() }
}

/// The worker of this thread, which is one.
#[inline]
pub(super) fn worker_here() -> &'static Worker {
    worker().expect("runtime bug: not on a worker's thread")
}

#[inline(never)]
pub(super) fn set_worker(w: &'static Worker) {
    WORKER.set(w);
}

/// This thread is no worker any more.
#[inline(never)]
pub(super) fn forget_worker() {
    WORKER.set(ptr::null());
}

/// The goroutine that runs here, if one does.
#[inline]
pub(crate) fn goroutine() -> Option<NonNull<Goroutine>> {
    NonNull::new(worker()?.current())
}

/// Calls `f` inside the lease of this thread's worker (worker, I6); on a plain thread it just calls it. `f` neither parks
/// nor unwinds.
pub(super) fn inside<R>(f: impl FnOnce() -> R) -> R {
    match worker() {
        Some(w) if !w.current().is_null() => w.inside(f),
        _ => f(),
    }
}

/// The park word of the goroutine that runs here, if one does.
#[inline]
pub(crate) fn park_word() -> Option<NonNull<ParkWord>> {
    // The word is the first field (goroutine, I1).
    goroutine().map(NonNull::cast)
}

/// A number below `n`, evenly distributed.
pub(crate) fn rand_below(n: u32) -> u32 {
    match worker() {
        Some(w) => w.rand_below(n),
        None => thread_rand_below(n),
    }
}

#[inline(never)]
fn thread_rand_below(n: u32) -> u32 {
    // While the thread's locals are being destroyed any choice will do.
    THREAD_RNG.try_with(|rng| rng.borrow_mut().below(n)).unwrap_or(0)
}

/// The stack state of the goroutine that runs here; null on a plain thread.
#[inline]
pub(crate) fn stack_state() -> *mut StackState {
    match goroutine() {
        // SAFETY: the goroutine runs here, so its owner fields are ours.
        Some(g) => unsafe { g.as_ref().stack.with_mut(|s| s) },
        None => ptr::null_mut(),
    }
}

/// The stack limit of the goroutine, or plain thread, that runs here; 0 when it is not known.
#[inline(never)]
pub(crate) fn stack_limit() -> usize {
    let state = stack_state();
    let state = if state.is_null() { thread_stack_state() } else { state };
    // SAFETY: null, or the state of what runs here.
    unsafe { state.as_ref() }.map_or(0, StackState::limit)
}

/// Where a plain thread keeps what it knows of its own stack; null while the thread's locals are being destroyed.
#[inline(never)]
pub(crate) fn thread_stack_state() -> *mut StackState {
    THREAD_STACK.try_with(UnsafeCell::get).unwrap_or(ptr::null_mut())
}

type Locals = Option<Box<dyn Any>>;

/// Calls `f` with the locals of the goroutine that runs here, or of the plain thread; `None` if those are gone.
///
/// `f` is not user code: it neither parks nor comes back here.
pub(crate) fn with_locals<R>(f: impl FnOnce(&mut Locals) -> R) -> Option<R> {
    let locals = match goroutine() {
        // SAFETY: owner field; the goroutine runs here.
        Some(g) => unsafe { g.as_ref() }.locals.with_mut(|locals| locals),
        None => thread_locals()?,
    };
    // SAFETY: owned by whoever runs here, and `f` does not come back.
    Some(f(unsafe { &mut *locals }))
}

#[inline(never)]
fn thread_locals() -> Option<*mut Locals> {
    THREAD_LOCALS.try_with(UnsafeCell::get).ok()
}

/// Where the monitor asks the calling goroutine to yield.
#[inline]
pub(crate) fn slice_mark() -> Option<&'static AtomicBool> {
    let w = worker()?;
    if w.current().is_null() { None } else { Some(&w.slice) }
}
