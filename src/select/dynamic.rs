//! The dynamic form: arms collected at run time.
//!
//! # Invariants
//! 1. An arm made for a channel of `T` is a `RecvArm<T>` or a `SendArm<T>`, as its `side` says. A channel carries
//!    one type, lifetimes included, so an arm and a handle of the same channel agree on `T`.
//! 2. `arms` is sorted by index, and no index is given out twice.
//! 3. At most one arm, `last`, has won and not been put in order again (`Select::tidy`).

use super::cases::{Case, Done, RecvArm, SendArm};
use super::run;
use crate::chan::core::{Core, Side};
use crate::chan::{Receiver, SendError, Sender};
use crate::park::WaitReason;
use core::any::{TypeId, type_name};
use core::fmt;
use smallvec::SmallVec;

/// An arm of any type.
trait AnyArm {
    fn case(&mut self) -> Case<'_>;
    fn core(&self) -> Option<&Core>;
    fn side(&self) -> Side;
    fn done(&self) -> Done;
    /// Lets an arm that won take part again; its value is where it was.
    fn rearm(&mut self);
    /// The type of the value to send, and its name.
    fn value_type(&self) -> Option<(TypeId, &'static str)>;
}

impl<T> AnyArm for RecvArm<'_, T> {
    fn case(&mut self) -> Case<'_> {
        self.case()
    }
    fn core(&self) -> Option<&Core> {
        self.core()
    }
    fn side(&self) -> Side {
        Side::Receivers
    }
    fn done(&self) -> Done {
        self.done()
    }
    fn rearm(&mut self) {
        self.rearm()
    }
    fn value_type(&self) -> Option<(TypeId, &'static str)> {
        None
    }
}

impl<T: 'static> AnyArm for SendArm<'_, T> {
    fn case(&mut self) -> Case<'_> {
        self.case()
    }
    fn core(&self) -> Option<&Core> {
        self.core()
    }
    fn side(&self) -> Side {
        Side::Senders
    }
    fn done(&self) -> Done {
        self.done()
    }
    fn rearm(&mut self) {
        self.rearm()
    }
    fn value_type(&self) -> Option<(TypeId, &'static str)> {
        Some((TypeId::of::<T>(), type_name::<T>()))
    }
}

struct Entry<'a> {
    index: usize,
    arm: Box<dyn AnyArm + 'a>,
}

/// A `select!` whose arms are known only at run time.
///
/// Arms are added with [`recv`](Self::recv) and [`send`](Self::send), each of which returns the arm's index. An index
/// names that arm for ever: it does not change when another arm is removed, and is not given to another arm.
/// [`select`](Self::select) waits until one of the operations can be done and does it; the [`SelectedOperation`]
/// says which, and hands over the result. The same `Select` can be used again and again: an arm that receives takes
/// part each time; an arm that sends is gone once its value is, and stays until then.
///
/// Among ready arms the choice is uniformly random. A value that is sent waits in a small allocation of its arm,
/// as the place for what is received does; the static [`select!`](macro@crate::select) needs none.
///
/// # Compared with Go
/// `reflect.Select`, with the list of cases kept between calls.
///
/// ```
/// use gaggle::{Select, chan};
///
/// let (tx1, rx1) = chan(1);
/// let (_tx2, rx2) = chan::<i32>(0);
/// let (tx3, rx3) = chan(0);
///
/// let mut s = Select::new();
/// let a = s.recv(&rx1);
/// let b = s.recv(&rx2);
/// let c = s.send(&tx3, "nobody receives this");
///
/// tx1.send(7).unwrap();
/// let op = s.select();
/// assert_eq!(op.index(), a);
/// assert_eq!(op.recv(&rx1), Some(7));
///
/// // Nothing is ready now.
/// assert!(s.try_select().is_none());
///
/// s.remove(b);
/// let unsent: &str = s.take(c);
/// assert_eq!(unsent, "nobody receives this");
/// # drop(rx3);
/// ```
#[derive(Default)]
pub struct Select<'a> {
    arms: Vec<Entry<'a>>,
    next: usize,
    /// The index of the arm that won last, until it is put in order again.
    last: Option<usize>,
    biased: bool,
}

impl<'a> Select<'a> {
    /// A select without arms.
    ///
    /// ```
    /// assert!(gaggle::Select::new().try_select().is_none());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// A select that tries its arms in the order in which they were added, rather than in random order.
    ///
    /// # Compared with Go
    /// Go has none; `select! { biased; … }` is the static form.
    ///
    /// ```
    /// use gaggle::{Select, chan};
    /// let (tx, rx) = chan(1);
    /// tx.send(()).unwrap();
    /// let mut s = Select::new_biased();
    /// let first = s.recv(&rx);
    /// s.recv(&rx);
    /// let op = s.select();
    /// assert_eq!(op.index(), first);
    /// assert_eq!(op.recv(&rx), Some(()));
    /// ```
    pub fn new_biased() -> Self {
        Self { biased: true, ..Self::default() }
    }

    fn add(&mut self, arm: Box<dyn AnyArm + 'a>) -> usize {
        let index = self.next;
        self.next += 1;
        self.arms.push(Entry { index, arm });
        index
    }

    /// Adds an arm that receives from `receiver`, and returns its index.
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan(1);
    /// let mut s = gaggle::Select::new();
    /// let a = s.recv(&rx);
    /// tx.send('x').unwrap();
    /// let op = s.select();
    /// assert_eq!((op.index(), op.recv(&rx)), (a, Some('x')));
    /// ```
    pub fn recv<T>(&mut self, receiver: &'a Receiver<T>) -> usize {
        self.add(Box::new(RecvArm::new(Some(receiver))))
    }

    /// Adds an arm that sends `value` on `sender`, and returns its index. The arm is gone once the value is.
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan(1);
    /// let mut s = gaggle::Select::new();
    /// let b = s.send(&tx, 5);
    /// let op = s.select();
    /// assert_eq!((op.index(), op.send(&tx)), (b, Ok(())));
    /// assert_eq!(rx.recv(), Some(5));
    /// ```
    pub fn send<T: 'static>(&mut self, sender: &'a Sender<T>, value: T) -> usize {
        self.add(Box::new(SendArm::new(Some(sender), value)))
    }

    /// Takes the value of send arm `index` back, and removes the arm.
    ///
    /// # Panics
    /// If there is no such arm, or its value has been sent; if the arm receives; if its value is not a `T`.
    ///
    /// ```
    /// let (tx, _rx) = gaggle::chan(0);
    /// let mut s = gaggle::Select::new();
    /// let b = s.send(&tx, String::from("kept"));
    /// assert!(s.try_select().is_none());
    /// assert_eq!(s.take::<String>(b), "kept");
    /// ```
    #[track_caller]
    pub fn take<T: 'static>(&mut self, index: usize) -> T {
        self.tidy();
        let Some(at) = self.position(index) else {
            panic!("select: there is no arm {index} with a value to take back")
        };
        match self.arms[at].arm.value_type() {
            Some((id, _)) if id == TypeId::of::<T>() => {}
            Some((_, name)) => panic!("select: the value of arm {index} is a {name}, not a {}", type_name::<T>()),
            None => panic!("select: arm {index} receives; it has no value to take back"),
        }
        let arm = Box::into_raw(self.arms.remove(at).arm);
        // SAFETY: an arm with a value of this type is a `SendArm<T>` (I1), boxed as one.
        unsafe { Box::from_raw(arm.cast::<SendArm<'a, T>>()) }.into_value()
    }

    /// Removes arm `index`; the others keep their indices. An unsent value is dropped (to have it back, use
    /// [`take`](Self::take)), and so is a value that was received by an operation that was not asked for it.
    ///
    /// # Panics
    /// If no arm ever had this index.
    ///
    /// ```
    /// let (_tx, rx) = gaggle::chan::<i32>(0);
    /// let mut s = gaggle::Select::new();
    /// let a = s.recv(&rx);
    /// s.remove(a);
    /// ```
    #[track_caller]
    pub fn remove(&mut self, index: usize) {
        assert!(index < self.next, "select: there is no arm {index}");
        if let Some(at) = self.position(index) {
            self.arms.remove(at);
        }
    }

    /// Waits until one of the operations can be done, does it, and says which.
    ///
    /// # Blocking
    /// While no arm is ready; for ever if there are no arms.
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan(1);
    /// let mut s = gaggle::Select::new();
    /// s.recv(&rx);
    /// for i in 0..3 {
    ///     tx.send(i).unwrap();
    ///     assert_eq!(s.select().recv(&rx), Some(i));
    /// }
    /// ```
    pub fn select(&mut self) -> SelectedOperation<'_> {
        let at = self.run(|cases, biased| run::block(cases, biased, |ticket| ticket.wait(WaitReason::Select)));
        self.operation(at.expect("runtime bug: a select without a deadline timed out"))
    }

    /// Does one of the operations if that is possible now, and says which.
    ///
    /// # Compared with Go
    /// A `select` with a `default` case.
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan(1);
    /// let mut s = gaggle::Select::new();
    /// s.recv(&rx);
    /// assert!(s.try_select().is_none());
    /// tx.send(1).unwrap();
    /// assert_eq!(s.try_select().unwrap().recv(&rx), Some(1));
    /// ```
    pub fn try_select(&mut self) -> Option<SelectedOperation<'_>> {
        let at = self.run(run::poll)?;
        Some(self.operation(at))
    }

    /// Where the arm of this index stands.
    fn position(&self, index: usize) -> Option<usize> {
        self.arms.binary_search_by_key(&index, |entry| entry.index).ok()
    }

    /// Puts the arm that won last in order. If that is an arm whose value nobody has asked for, its position is the
    /// answer: the value is handed out before anything else is received.
    fn tidy(&mut self) -> Option<usize> {
        let at = self.position(self.last?)?;
        let arm = &mut self.arms[at].arm;
        match (arm.side(), arm.done()) {
            (Side::Receivers, Done::Moved) => return Some(at),
            (Side::Senders, Done::Moved) => drop(self.arms.remove(at)),
            (_, Done::Closed) => arm.rearm(),
            (_, Done::No) => {}
        }
        self.last = None;
        None
    }

    /// Picks the winner with `pick`, and returns its position.
    pub(super) fn run(&mut self, pick: impl FnOnce(&mut [Case<'_>], bool) -> Option<usize>) -> Option<usize> {
        if let Some(at) = self.tidy() {
            return Some(at);
        }
        let mut cases: SmallVec<[Case<'_>; 8]> = self.arms.iter_mut().map(|entry| entry.arm.case()).collect();
        pick(&mut cases, self.biased)
    }

    pub(super) fn operation(&mut self, at: usize) -> SelectedOperation<'_> {
        let entry = &mut self.arms[at];
        self.last = Some(entry.index);
        SelectedOperation { index: entry.index, arm: &mut *entry.arm }
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.arms.iter().map(|entry| (entry.index, entry.arm.side()))).finish()
    }
}

/// The operation that a [`Select`] has done: ask it for its result.
///
/// The value has been sent or received already. Nothing is lost if this is dropped unused: a received value stays in
/// its arm, and is what the next select on the same `Select` reports, before anything else; the value of a send
/// on a closed channel stays in its arm too, where [`Select::take`] finds it.
///
/// ```
/// let (tx, rx) = gaggle::chan(1);
/// tx.send("not lost").unwrap();
/// let mut s = gaggle::Select::new();
/// s.recv(&rx);
/// drop(s.select());
/// assert!(rx.is_empty());
/// assert_eq!(s.select().recv(&rx), Some("not lost"));
/// ```
#[must_use = "the value of a receive waits here; ask for it with `recv`"]
pub struct SelectedOperation<'s> {
    index: usize,
    arm: &'s mut (dyn AnyArm + 's),
}

impl<'s> SelectedOperation<'s> {
    /// The index of the arm that was selected.
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan::<i32>(0);
    /// drop(tx);
    /// let mut s = gaggle::Select::new();
    /// let a = s.recv(&rx);
    /// assert_eq!(s.select().index(), a);
    /// ```
    pub fn index(&self) -> usize {
        self.index
    }

    /// What was received from `receiver`; `None` if it is closed and drained.
    ///
    /// # Panics
    /// If the selected arm is not a receive from this channel.
    ///
    /// ```
    /// let (tx, rx) = gaggle::chan::<i32>(0);
    /// drop(tx);
    /// let mut s = gaggle::Select::new();
    /// s.recv(&rx);
    /// assert_eq!(s.select().recv(&rx), None);
    /// ```
    #[track_caller]
    pub fn recv<T: 's>(self, receiver: &Receiver<T>) -> Option<T> {
        self.check(Side::Receivers, receiver.chan().core());
        // SAFETY: the arm receives from this channel, so it is a `RecvArm` of the channel's one type (I1).
        unsafe { &mut *(&raw mut *self.arm).cast::<RecvArm<'s, T>>() }.take()
    }

    /// How the send on `sender` went; a closed channel gives the value back. Either way the arm is gone.
    ///
    /// # Errors
    /// [`SendError`] with the value, if the channel is closed or no receiver is left.
    ///
    /// # Panics
    /// If the selected arm is not a send on this channel.
    ///
    /// ```
    /// use gaggle::SendError;
    /// let (tx, rx) = gaggle::chan(0);
    /// drop(rx);
    /// let mut s = gaggle::Select::new();
    /// s.send(&tx, 5);
    /// assert_eq!(s.select().send(&tx), Err(SendError(5)));
    /// ```
    #[track_caller]
    pub fn send<T: 's>(self, sender: &Sender<T>) -> Result<(), SendError<T>> {
        self.check(Side::Senders, sender.chan().core());
        // SAFETY: the arm sends on this channel, so it is a `SendArm` of the channel's one type (I1).
        unsafe { &mut *(&raw mut *self.arm).cast::<SendArm<'s, T>>() }.take_result()
    }

    #[track_caller]
    fn check(&self, side: Side, core: &Core) {
        let same = self.arm.side() == side && self.arm.core().is_some_and(|own| core::ptr::eq(own, core));
        let (what, index) = (if side == Side::Senders { "send on" } else { "receive from" }, self.index);
        assert!(same, "select: the selected arm, {index}, is not a {what} this channel");
    }
}

impl fmt::Debug for SelectedOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelectedOperation").field("index", &self.index).field("side", &self.arm.side()).finish()
    }
}
