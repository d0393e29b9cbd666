//! Generators: functions that hand out values one by one, and take some in between.
//!
//! The body of a [`Generator`] is an ordinary function on a stack of its own. [`Yielder::yield_`] hands a value to whoever
//! drives the generator and waits there, in the midst of loops, recursion and calls, until it is driven on.
//!
//! ```
//! use gaggle::generator::Generator;
//!
//! let fibonacci = Generator::new(|y| {
//!     let (mut a, mut b) = (0_u64, 1);
//!     loop {
//!         y.yield_(a);
//!         (a, b) = (b, a + b);
//!     }
//! });
//! assert_eq!(fibonacci.take(10).collect::<Vec<_>>(), [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]);
//! ```
//!
//! # Sending values in
//! `yield_` returns what the next [`send`](Generator::send) brings. What the first `send` brings, which starts the body, is
//! at [`Yielder::first`]. An iterator is a generator that is sent `()`.
//!
//! ```
//! use gaggle::generator::Generator;
//!
//! let mut average = Generator::new(|y| {
//!     let (mut sum, mut count) = (y.first().unwrap_or(0.0), 1.0);
//!     loop {
//!         sum += y.yield_(sum / count);
//!         count += 1.0;
//!     }
//! });
//! assert_eq!(average.send(10.0), Some(10.0));
//! assert_eq!(average.send(20.0), Some(15.0));
//! # let _: Generator<f64, f64> = average;
//! ```
//!
//! # The end
//! When the body returns, `send` and `next` answer `None`, from then on; [`Generator::result`] has what it returned. A
//! panic of the body goes on in the caller of `send`. A generator that is dropped before its end is unwound: the body's
//! destructors run, without a panic message.
//!
//! # Generators and goroutines
//! The body runs on behalf of the goroutine (or thread) that drives it, and may do what that may: receive, lock, sleep,
//! grow, start goroutines, drive other generators. If it waits, that goroutine waits. Goroutine locals and
//! [`id`](crate::runtime::id) are the driver's. For [migrating](crate::runtime) goroutines `yield_` counts as an operation
//! that may wait: hold no borrow of a thread local across it.
//!
//! A generator is not `Send`: its stack may hold what must not leave its thread. It is driven by the goroutine that
//! started it, and by no other, not even on the same thread. [`Synced`] is a generator for many drivers.
//!
//! As everything that suspends in the midst of calls (see *What no mode can make sound* in [`runtime`](crate::runtime)), a
//! generator on a plain thread must not be suspended inside `LocalKey::with` of a `thread_local!` and then be kept in
//! another one until the thread ends.
//!
//! # Compared with Python
//! `next(g)`, `g.send(v)`, `return v` and `g.close()` are `next`, `send`, `result` and the drop. `yield_` works at any
//! depth of calls, so there is no `yield from`.
//!
//! # Compared with Go
//! `iter.Pull`, in both directions.

mod body;
mod fiber;
mod synced;

pub use body::Yielder;
pub use synced::{Driven, Synced};

use crate::coroutine::stack::{self, DEFAULT_STACK};
use body::Core;
use core::fmt;
use core::iter::FusedIterator;
use fiber::{Fiber, Phase};
use std::panic::resume_unwind;

/// A function that hands out values of type `Out` and is sent values of type `In`; see the [module](self).
///
/// ```
/// use gaggle::generator::Generator;
///
/// /// The leaves of a tree, from left to right.
/// enum Tree {
///     Leaf(u32),
///     Node(Vec<Tree>),
/// }
///
/// fn walk(tree: &Tree, y: &mut gaggle::generator::Yielder<(), u32>) {
///     match tree {
///         Tree::Leaf(n) => y.yield_(*n),
///         Tree::Node(trees) => trees.iter().for_each(|tree| walk(tree, y)),
///     }
/// }
///
/// let tree = Tree::Node(vec![Tree::Leaf(1), Tree::Node(vec![Tree::Leaf(2), Tree::Leaf(3)])]);
/// let leaves = Generator::new(move |y| walk(&tree, y));
/// assert_eq!(leaves.collect::<Vec<_>>(), [1, 2, 3]);
/// ```
///
/// It stays where it was made:
/// ```compile_fail,E0277
/// let g = gaggle::generator::Generator::<(), ()>::new(|y| y.yield_(()));
/// std::thread::spawn(move || drop(g));
/// ```
pub struct Generator<In, Out, R = ()> {
    /// Boxed: the fiber in it stays in place. A raw pointer, since the body has one too.
    core: *mut Core<In, Out, R>,
    stack: usize,
}

impl<In: 'static, Out: 'static, R: 'static> Generator<In, Out, R> {
    /// A generator with this body, which does not run before the first `next` or `send`.
    ///
    /// ```
    /// let mut countdown = gaggle::generator::Generator::new(|y| {
    ///     (1..=3).rev().for_each(|n| y.yield_(n));
    ///     "lift-off"
    /// });
    /// assert_eq!(countdown.by_ref().collect::<Vec<_>>(), [3, 2, 1]);
    /// assert_eq!(countdown.result(), Some("lift-off"));
    /// ```
    pub fn new<F>(body: F) -> Self
    where
        F: FnOnce(&mut Yielder<In, Out>) -> R + 'static,
    {
        Self::with_stack(DEFAULT_STACK, body)
    }

    /// As [`new`](Self::new), on a stack of at least `bytes` to begin with (256 KiB otherwise).
    ///
    /// # Panics
    /// For 0 and for more than 1 GiB.
    ///
    /// ```
    /// use gaggle::generator::Generator;
    ///
    /// let mut small = Generator::<(), usize>::with_stack(64 << 10, |y| y.yield_(gaggle::stack::remaining()));
    /// assert!(small.next().unwrap() < 64 << 10);
    /// ```
    #[track_caller]
    pub fn with_stack<F>(bytes: usize, body: F) -> Self
    where
        F: FnOnce(&mut Yielder<In, Out>) -> R + 'static,
    {
        if let Err(error) = stack::class_for(bytes) {
            panic!("{error}");
        }
        Self { core: Core::new(body), stack: bytes }
    }

    /// Drives the body on to its next value: what it waits for in `yield_` is `value`. `None` if it ends instead, and
    /// when it has ended.
    ///
    /// # Blocking
    /// While the body does.
    ///
    /// # Panics
    /// With the panic of the body; if another goroutine than the one that started it drives it; if there is no memory
    /// for its stack.
    ///
    /// ```
    /// let mut echo = gaggle::generator::Generator::<&str, String>::new(|y| {
    ///     let mut heard = y.first().unwrap();
    ///     while heard != "stop" {
    ///         heard = y.yield_(heard.to_uppercase());
    ///     }
    /// });
    /// assert_eq!(echo.send("a").as_deref(), Some("A"));
    /// assert_eq!(echo.send("b").as_deref(), Some("B"));
    /// assert_eq!(echo.send("stop"), None);
    /// ```
    #[track_caller]
    pub fn send(&mut self, value: In) -> Option<Out> {
        match self.phase() {
            Phase::Done => return None,
            Phase::Fresh => self.start(),
            Phase::Suspended if self.may_enter() => {}
            Phase::Suspended | Phase::Running => {
                panic!("a generator is driven by the goroutine that started it, and by no other")
            }
        }
        // SAFETY: it is suspended, ours to enter, and the body gets its value.
        unsafe { Core::enter(self.core, value) };
        self.take()
    }

    /// As [`send`](Self::send) with the default value: `()` for an iterator.
    ///
    /// ```
    /// let mut g = gaggle::generator::Generator::<u32, u32>::new(|y| {
    ///     let n = y.yield_(1);
    ///     y.yield_(n + 1);
    /// });
    /// assert_eq!((g.next(), g.send(10), g.next()), (Some(1), Some(11), None));
    /// ```
    #[allow(clippy::should_implement_trait, reason = "it is that one where `In` is `()`")]
    #[track_caller]
    pub fn next(&mut self) -> Option<Out>
    where
        In: Default,
    {
        self.send(In::default())
    }

    /// What the body returned, once, when it has ended.
    ///
    /// ```
    /// let mut g = gaggle::generator::Generator::<(), u32, _>::new(|_| "nothing to yield");
    /// assert_eq!((g.result(), g.next()), (None, None));
    /// assert_eq!((g.result(), g.result()), (Some("nothing to yield"), None));
    /// ```
    pub fn result(&mut self) -> Option<R> {
        // SAFETY: the core is ours while the body does not run, which it does only inside `send`.
        unsafe { (*self.core).result.take() }
    }

    /// Whether the body has ended: returned, or panicked.
    ///
    /// ```
    /// let mut one = gaggle::generator::Generator::<(), u32>::new(|y| y.yield_(1));
    /// assert_eq!((one.next(), one.is_done()), (Some(1), false));
    /// assert_eq!((one.next(), one.is_done()), (None, true));
    /// ```
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.phase() == Phase::Done
    }

    #[track_caller]
    fn start(&mut self) {
        // SAFETY: fresh, in a box, and ours.
        if let Err(error) = unsafe { Fiber::start(&raw mut (*self.core).exchange.fiber, self.stack) } {
            panic!("cannot start a generator: {error}");
        }
    }

    /// What the body left when it came back.
    fn take(&mut self) -> Option<Out> {
        // SAFETY: the body does not run, so the core is ours.
        let core = unsafe { &mut *self.core };
        if let Some(payload) = core.panic.take() {
            resume_unwind(payload);
        }
        core.exchange.output.take()
    }
}

impl<In, Out, R> Generator<In, Out, R> {
    fn phase(&self) -> Phase {
        // SAFETY: the body does not run while somebody has the generator: it runs inside `send` and `drop` only.
        unsafe { (*self.core).exchange.fiber.phase() }
    }

    fn may_enter(&self) -> bool {
        // SAFETY: as in `phase`.
        unsafe { (*self.core).exchange.fiber.may_enter() }
    }
}

impl<Out: 'static, R: 'static> Iterator for Generator<(), Out, R> {
    type Item = Out;

    fn next(&mut self) -> Option<Out> {
        self.send(())
    }
}

impl<Out: 'static, R: 'static> FusedIterator for Generator<(), Out, R> {}

impl<In, Out, R> Drop for Generator<In, Out, R> {
    /// Unwinds the body, if it has begun and not ended. One that another goroutine has begun is leaked (fiber, I4).
    fn drop(&mut self) {
        if self.phase() == Phase::Suspended {
            if !self.may_enter() {
                return;
            }
            // SAFETY: it is suspended, and ours to enter.
            unsafe { Core::cancel(self.core) };
        }
        // SAFETY: made by `Core::new`; the body was never there, or is gone.
        let core = unsafe { Box::from_raw(self.core) };
        let panic = core.panic;
        drop((core.body, core.result, core.exchange));
        // A destructor of the body panicked, as any destructor may.
        if let Some(payload) = panic.filter(|_| !std::thread::panicking()) {
            resume_unwind(payload);
        }
    }
}

impl<In, Out, R> fmt::Debug for Generator<In, Out, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator").field("phase", &self.phase()).finish_non_exhaustive()
    }
}
