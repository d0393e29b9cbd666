//! What a generator and its body share.
//!
//! # Invariants
//! 1. A [`Core`] is boxed, and accessed by one side at a time: by the generator's owner while the body does not run, by the
//!    body while it does.
//! 2. A [`Yielder`] is made in the body's first frame and borrowed from there; nothing that is `'static` or `Send` can
//!    hold it. So whoever calls it runs on the body's stack, or a segment of it.
//! 3. Once `cancel` is set the body is not suspended any more.

use super::fiber::Fiber;
use core::any::Any;
use core::fmt;
use core::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What unwinds the body of a generator that is dropped.
struct Cancelled;

/// The part that the yielder knows.
pub(super) struct Exchange<In, Out> {
    pub(super) fiber: Fiber,
    pub(super) input: Option<In>,
    pub(super) output: Option<Out>,
    pub(super) cancel: bool,
}

type Body<In, Out, R> = Box<dyn FnOnce(&mut Yielder<In, Out>) -> R>;

/// See the module's page.
pub(super) struct Core<In, Out, R> {
    pub(super) exchange: Exchange<In, Out>,
    pub(super) body: Option<Body<In, Out, R>>,
    pub(super) result: Option<R>,
    pub(super) panic: Option<Box<dyn Any + Send>>,
}

impl<In, Out, R> Core<In, Out, R> {
    pub(super) fn new(body: impl FnOnce(&mut Yielder<In, Out>) -> R + 'static) -> *mut Self
    where
        In: 'static,
        Out: 'static,
        R: 'static,
    {
        let fiber = Fiber::new(Self::run, core::ptr::null_mut());
        let exchange = Exchange { fiber, input: None, output: None, cancel: false };
        let core = Box::into_raw(Box::new(Self { exchange, body: Some(Box::new(body)), result: None, panic: None }));
        // SAFETY: made above; nobody else knows it.
        unsafe { (*core).exchange.fiber = Fiber::new(Self::run, core.cast()) };
        core
    }

    /// What the fiber runs. Does not unwind.
    ///
    /// # Safety
    /// `arg` is the core of the fiber on which this runs.
    unsafe fn run(arg: *mut ()) {
        let core = arg.cast::<Self>();
        // SAFETY: the caller's promise; the body runs, so the core is ours (I1), and no reference outlives its line.
        unsafe {
            let Some(body) = (*core).body.take() else { return };
            let mut yielder = Yielder { exchange: &raw mut (*core).exchange, _values: PhantomData };
            match catch_unwind(AssertUnwindSafe(|| body(&mut yielder))) {
                Ok(result) => (*core).result = Some(result),
                Err(payload) if payload.is::<Cancelled>() => {}
                Err(payload) => (*core).panic = Some(payload),
            }
            // What the last `send` brought and nobody took.
            (*core).exchange.input = None;
        }
    }

    /// Enters the body with a value.
    ///
    /// # Safety
    /// The fiber is suspended, and the caller may enter it.
    pub(super) unsafe fn enter(this: *mut Self, value: In) {
        // SAFETY: the caller's promise; the core is ours until the switch (I1).
        unsafe {
            (*this).exchange.input = Some(value);
            Fiber::resume(&raw mut (*this).exchange.fiber);
        }
    }

    /// Unwinds the body.
    ///
    /// # Safety
    /// As [`enter`](Self::enter).
    pub(super) unsafe fn cancel(this: *mut Self) {
        // SAFETY: the caller's promise; the core is ours until the switch (I1). It comes back done (I3).
        unsafe {
            (*this).exchange.cancel = true;
            Fiber::resume(&raw mut (*this).exchange.fiber);
        }
    }
}

/// With which the body of a generator hands out values.
///
/// ```
/// use gaggle::generator::{Generator, Yielder};
///
/// fn twice(y: &mut Yielder<(), &'static str>, word: &'static str) {
///     y.yield_(word);
///     y.yield_(word);
/// }
/// let words = Generator::new(|y| ["never", "say"].into_iter().for_each(|word| twice(y, word)));
/// assert_eq!(words.collect::<Vec<_>>(), ["never", "never", "say", "say"]);
/// ```
pub struct Yielder<In, Out> {
    /// Neither `Send` nor `Sync` (I2).
    exchange: *mut Exchange<In, Out>,
    _values: PhantomData<(In, Out)>,
}

impl<In, Out> Yielder<In, Out> {
    /// Hands out `value` and waits; returns what the next `send` brings.
    ///
    /// If the generator is dropped meanwhile, it does not return but unwinds the body: called in a destructor then, it ends
    /// the process, as every panic in a destructor that runs because of a panic.
    ///
    /// # Blocking
    /// The body waits until it is driven on; nobody else does.
    pub fn yield_(&mut self, value: Out) -> In {
        let exchange = self.exchange;
        // SAFETY: we are on the body's stack (I2), so the exchange is ours while the body runs (I1).
        unsafe {
            if !(*exchange).cancel {
                (*exchange).input = None;
                (*exchange).output = Some(value);
                Fiber::suspend(&raw mut (*exchange).fiber);
            }
            match (*exchange).input.take() {
                Some(value) => value,
                // Not a panic: no hook, no message.
                None => resume_unwind(Box::new(Cancelled)),
            }
        }
    }

    /// What the `send` that started the generator brought; once, and before the first `yield_`.
    pub fn first(&mut self) -> Option<In> {
        // SAFETY: as in `yield_`.
        unsafe { (*self.exchange).input.take() }
    }
}

impl<In, Out> fmt::Debug for Yielder<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Yielder").finish_non_exhaustive()
    }
}
