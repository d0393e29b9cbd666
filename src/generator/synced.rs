//! Generators with many drivers: the body runs on a goroutine of its own, and values meet it there.

use super::{Generator, Yielder};
use crate::chan::{Receiver, Sender, chan};
use crate::go::{self, Exited};
use crate::sync::{Mutex, PoisonError};
use core::any::Any;
use core::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What [`Synced`] may hold: a [`Generator`], as a type.
pub trait Driven: sealed::Sealed {
    /// What it is sent.
    type In;
    /// What it hands out.
    type Out;
    /// What its body returns.
    type Return;
}

mod sealed {
    pub trait Sealed {}
    impl<In, Out, R> Sealed for super::Generator<In, Out, R> {}
}

impl<In, Out, R> Driven for Generator<In, Out, R> {
    type In = In;
    type Out = Out;
    type Return = R;
}

/// A generator that many goroutines and threads may drive, one [`send`](Self::send) at a time.
///
/// The stack of a generator must not move between threads, so the body runs on a goroutine of its own, which lives like
/// any other (in pinned mode at home on one thread); each `send` meets it there. Locals and number are that goroutine's.
///
/// ```
/// use gaggle::generator::{Generator, Synced};
///
/// let tickets: Synced<Generator<(), u32>> = Synced::new(|y| (1..=100).for_each(|n| y.yield_(n)));
/// let sum = gaggle::scope(|s| {
///     let buyers: Vec<_> = (0..4).map(|_| s.go(|| tickets.iter().sum::<u32>())).collect();
///     buyers.into_iter().map(|buyer| buyer.join().unwrap()).sum::<u32>()
/// });
/// assert_eq!(sum, 5050);
/// ```
///
/// Dropping it unwinds the body, on its own goroutine, if it has not ended.
pub struct Synced<G: Driven> {
    line: Mutex<Line<G>>,
}

/// The way to the body, for one at a time.
struct Line<G: Driven> {
    /// `None` once the body has ended.
    body: Option<Way<G>>,
    result: Option<G::Return>,
}

/// There, and back.
type Way<G> = (Sender<<G as Driven>::In>, Receiver<Step<G>>);

/// How a `send` ended.
enum Step<G: Driven> {
    Yielded(G::Out),
    Returned(G::Return),
    Panicked(Box<dyn Any + Send>),
}

impl<In, Out, R> Synced<Generator<In, Out, R>>
where
    In: Send + 'static,
    Out: Send + 'static,
    R: Send + 'static,
{
    /// A generator with this body, which does not run before the first `next` or `send`.
    ///
    /// # Panics
    /// If there is no address space left for a goroutine.
    #[track_caller]
    pub fn new<F>(body: F) -> Self
    where
        F: FnOnce(&mut Yielder<In, Out>) -> R + Send + 'static,
    {
        let (to, inputs) = chan(0);
        let (steps, from) = chan(0);
        go::spawn(move || drive(body, &inputs, &steps));
        Self { line: Mutex::new(Line { body: Some((to, from)), result: None }) }
    }

    /// Drives the body on to its next value, with `value`; `None` if it ends instead, and when it has ended.
    ///
    /// # Blocking
    /// While another `send` is under way, and while the body does.
    ///
    /// # Panics
    /// With the panic of the body, in the one `send` that met it.
    pub fn send(&self, value: In) -> Option<Out> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let (to, from) = line.body.as_ref()?;
        let step = to.send(value).ok().and_then(|()| from.recv());
        if let Some(Step::Yielded(value)) = step {
            return Some(value);
        }
        line.body = None;
        match step {
            Some(Step::Returned(result)) => line.result = Some(result),
            Some(Step::Panicked(payload)) => {
                drop(line);
                resume_unwind(payload);
            }
            // The body ended its goroutine.
            _ => {}
        }
        None
    }

    /// As [`send`](Self::send) with the default value.
    pub fn next(&self) -> Option<Out>
    where
        In: Default,
    {
        self.send(In::default())
    }

    /// The values to come, shared with all other drivers.
    pub fn iter(&self) -> impl Iterator<Item = Out>
    where
        In: Default,
    {
        core::iter::from_fn(|| self.next())
    }

    /// What the body returned, once, when it has ended.
    ///
    /// ```
    /// use gaggle::generator::{Generator, Synced};
    ///
    /// let g = Synced::<Generator<u32, (), u32>>::new(|y| y.first().unwrap() + 1);
    /// assert_eq!((g.send(1), g.result()), (None, Some(2)));
    /// ```
    ///
    /// # Blocking
    /// While a `send` is under way.
    pub fn result(&self) -> Option<R> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner).result.take()
    }
}

/// The life of the body's goroutine: until the body ends, or nobody is left who could drive it.
fn drive<In, Out, R>(
    body: impl FnOnce(&mut Yielder<In, Out>) -> R + 'static,
    inputs: &Receiver<In>,
    steps: &Sender<Step<Generator<In, Out, R>>>,
) where
    In: 'static,
    Out: 'static,
    R: 'static,
{
    let mut generator = Generator::new(body);
    for input in inputs {
        let step = match catch_unwind(AssertUnwindSafe(|| generator.send(input))) {
            Ok(Some(value)) => Step::Yielded(value),
            Ok(None) => match generator.result() {
                Some(result) => Step::Returned(result),
                None => return,
            },
            Err(payload) if payload.is::<Exited>() => resume_unwind(payload),
            Err(payload) => Step::Panicked(payload),
        };
        // The one who sent is there: it holds the line, and waits.
        let _ = steps.send(step);
    }
}

impl<G: Driven> fmt::Debug for Synced<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Synced").finish_non_exhaustive()
    }
}
