//! What `select!` expands to: arms, one of the calls that picks the winner, and the winner's `finish`.
//!
//! ```
//! use gaggle::__private::select::{block, recv_arm, send_arm};
//!
//! let (tx, rx) = gaggle::chan(1);
//! let never: Option<gaggle::Receiver<u8>> = None;
//! let mut a0 = send_arm(&tx, "sent", true);
//! let mut a1 = recv_arm(&never, true);
//! let winner = block(&mut [a0.case(), a1.case()], false);
//! assert_eq!(winner, 0);
//! assert_eq!(a0.finish(), Ok(()));
//! assert_eq!(rx.recv(), Some("sent"));
//! ```

pub use super::cases::{Case, RecvArm, SendArm};
use super::run;
pub use super::timed::block_until;
use crate::chan::{Receiver, Sender};
use crate::park::{WaitReason, begin_wait};
use crate::primitives::sync::Arc;
use std::rc::Rc;

/// What may stand after `<-`: a receiver, a reference or pointer to one, or an option of these, where `None` is
/// Go's nil channel: never ready.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a channel to receive from",
    label = "expected a gaggle `Receiver`",
    note = "a `Receiver<T>`, a reference, `Box`, `Arc` or `Rc` of one, or an `Option` of these (`None` is never ready)"
)]
pub trait RecvSource {
    /// What is received.
    type Item;
    /// The receiver, if there is one.
    fn receiver(&self) -> Option<&Receiver<Self::Item>>;
}

/// What may stand before `<-`: a sender, a reference or pointer to one, or an option of these, where `None` is
/// Go's nil channel: never ready.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a channel to send on",
    label = "expected a gaggle `Sender`",
    note = "a `Sender<T>`, a reference, `Box`, `Arc` or `Rc` of one, or an `Option` of these (`None` is never ready)"
)]
pub trait SendTarget {
    /// What is sent.
    type Item;
    /// The sender, if there is one.
    fn sender(&self) -> Option<&Sender<Self::Item>>;
}

impl<T> RecvSource for Receiver<T> {
    type Item = T;
    #[inline]
    fn receiver(&self) -> Option<&Receiver<T>> {
        Some(self)
    }
}

impl<T> SendTarget for Sender<T> {
    type Item = T;
    #[inline]
    fn sender(&self) -> Option<&Sender<T>> {
        Some(self)
    }
}

impl<S: RecvSource> RecvSource for Option<S> {
    type Item = S::Item;
    #[inline]
    fn receiver(&self) -> Option<&Receiver<S::Item>> {
        self.as_ref()?.receiver()
    }
}

impl<S: SendTarget> SendTarget for Option<S> {
    type Item = S::Item;
    #[inline]
    fn sender(&self) -> Option<&Sender<S::Item>> {
        self.as_ref()?.sender()
    }
}

macro_rules! through_pointers {
    ($($pointer:ty),*) => {$(
        impl<S: RecvSource + ?Sized> RecvSource for $pointer {
            type Item = S::Item;
            #[inline]
            fn receiver(&self) -> Option<&Receiver<S::Item>> {
                S::receiver(self)
            }
        }

        impl<S: SendTarget + ?Sized> SendTarget for $pointer {
            type Item = S::Item;
            #[inline]
            fn sender(&self) -> Option<&Sender<S::Item>> {
                S::sender(self)
            }
        }
    )*};
}

through_pointers!(&S, &mut S, Box<S>, Arc<S>, Rc<S>);

/// An arm that receives from `source`; one that never wins if not `enabled`.
#[inline]
pub fn recv_arm<S: RecvSource + ?Sized>(source: &S, enabled: bool) -> RecvArm<'_, S::Item> {
    RecvArm::new(if enabled { source.receiver() } else { None })
}

/// An arm that sends `value` to `target`; one that never wins if not `enabled`.
#[inline]
pub fn send_arm<S: SendTarget + ?Sized>(target: &S, value: S::Item, enabled: bool) -> SendArm<'_, S::Item> {
    SendArm::new(if enabled { target.sender() } else { None }, value)
}

/// Waits until one of `cases` can be done, does it, and says which.
pub fn block(cases: &mut [Case<'_>], biased: bool) -> usize {
    run::block(cases, biased, |ticket| ticket.wait(WaitReason::Select))
        .expect("runtime bug: a select without a deadline timed out")
}

/// Does one of `cases` if that is possible now, and says which.
#[inline]
pub fn poll(cases: &mut [Case<'_>], biased: bool) -> Option<usize> {
    run::poll(cases, biased)
}

/// `select! {}`: waits for ever.
pub fn forever() -> ! {
    begin_wait().wait(WaitReason::SelectNoCases);
    unreachable!("runtime bug: a wait that nobody can end was ended")
}
