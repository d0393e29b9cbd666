//! What can't be seen from outside: the order in which waiters are served. The `wait` that an operation is given
//! runs when its node stands in the queue, so a test can let one party queue up after another.

use super::core::{Core, Side};
use super::shared::{Chan, Ended, Slot, Step};
use super::{Receiver, Sender, chan, unbounded};
use crate::park::{Outcome, OutcomeKind, Ticket, WaitNode, WaitReason, begin_wait};
use std::mem::{self, MaybeUninit};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

/// Sends on a thread; returns when that waits in the queue.
fn queued_send<T: Send + 'static>(tx: &Sender<T>, mut value: T) -> JoinHandle<Ended> {
    let (queued, is_queued) = mpsc::channel();
    let tx = tx.clone();
    let thread = thread::spawn(move || {
        let wait = |ticket: Ticket| {
            queued.send(()).unwrap();
            ticket.wait(WaitReason::ChanSend)
        };
        // SAFETY: the value is forgotten if the channel has it.
        let ended = unsafe { tx.chan().send(&raw mut value, wait) };
        if ended == Ended::Done {
            mem::forget(value);
        }
        ended
    });
    is_queued.recv().unwrap();
    thread
}

/// Receives on a thread; returns when that waits in the queue.
fn queued_recv<T: Send + 'static>(rx: &Receiver<T>) -> JoinHandle<Option<T>> {
    let (queued, is_queued) = mpsc::channel();
    let rx = rx.clone();
    let thread = thread::spawn(move || {
        let mut place = MaybeUninit::uninit();
        let wait = |ticket: Ticket| {
            queued.send(()).unwrap();
            ticket.wait(WaitReason::ChanReceive)
        };
        // SAFETY: there is room for a `T`, and the value is there if the answer is Done.
        unsafe { (rx.chan().recv(place.as_mut_ptr(), wait) == Ended::Done).then(|| place.assume_init()) }
    });
    is_queued.recv().unwrap();
    thread
}

#[test]
fn receivers_are_served_in_turn() {
    // A value that goes to who came last.
    for (tx, rx) in [chan(0), chan(2), unbounded()] {
        let receivers: Vec<_> = (0..5).map(|_| queued_recv(&rx)).collect();
        (0..5).for_each(|i| tx.send(i).unwrap());
        for (i, receiver) in receivers.into_iter().enumerate() {
            assert_eq!(receiver.join().unwrap(), Some(i));
        }
    }
}

#[test]
fn senders_are_served_in_turn() {
    // A sender that is passed over; buffered values overtaken by those of waiting senders.
    for capacity in [0, 1, 3] {
        let (tx, rx) = chan(capacity);
        (0..capacity).for_each(|i| tx.send(i).unwrap());
        let senders: Vec<_> = (capacity..capacity + 5).map(|i| queued_send(&tx, i)).collect();
        for (i, sender) in senders.into_iter().enumerate() {
            assert_eq!(rx.len(), capacity);
            // Values come in the order of the sends, and each makes room for the first of the waiting senders only.
            assert_eq!(rx.recv(), Some(i));
            assert_eq!(sender.join().unwrap(), Ended::Done);
        }
        assert_eq!(rx.try_iter().collect::<Vec<_>>(), (5..capacity + 5).collect::<Vec<_>>());
    }
}

#[test]
fn close_ends_waits_on_both_sides() {
    // A waiter left asleep on a closed channel.
    let (tx, rx) = chan::<u8>(1);
    let receivers: Vec<_> = (0..3).map(|_| queued_recv(&rx)).collect();
    assert!(tx.close());
    assert!(receivers.into_iter().all(|r| r.join().unwrap().is_none()));
    let (tx, rx) = chan(1);
    tx.send(9).unwrap();
    let senders: Vec<_> = (0..3).map(|i| queued_send(&tx, i)).collect();
    drop(rx);
    assert!(senders.into_iter().all(|s| s.join().unwrap() == Ended::Closed));
}

/// A node whose wait is over: what a select that has won elsewhere leaves in a queue for a moment.
fn stale_node() -> WaitNode {
    let ticket = begin_wait();
    assert!(ticket.cancel());
    WaitNode::new(ticket, 0, std::ptr::null_mut())
}

#[test]
fn stale_nodes_are_passed_over() {
    // A value handed to a waiter whose wait is over: it would be lost, or written into a frame that is gone.
    let (tx, rx) = chan(1);
    let mut stale = stale_node();
    let node = &raw mut stale;
    // SAFETY: the node stays in place until it is removed.
    unsafe { tx.chan().core().lock().enqueue(Side::Receivers, node) };
    let receiver = queued_recv(&rx);
    tx.send(1).unwrap();
    assert_eq!(receiver.join().unwrap(), Some(1));
    // SAFETY: it was enqueued here; it has been dropped from the queue.
    unsafe { tx.chan().core().lock().remove(Side::Receivers, node) };
    assert!(!tx.chan().core().look().is_closed());

    // Nobody but stale waiters: the value is buffered, and the channel is quiet again.
    // SAFETY: as above.
    unsafe { tx.chan().core().lock().enqueue(Side::Receivers, node) };
    assert!(tx.try_send(2).is_ok());
    assert_eq!(rx.len(), 1);
    // SAFETY: as above.
    unsafe { tx.chan().core().lock().enqueue(Side::Senders, node) };
    assert_eq!(rx.try_recv(), Ok(2));
    assert!(rx.try_recv().is_err());
    assert!(tx.chan().core().look().is_quiet_for_send());
}

#[test]
fn close_meets_stale_nodes() {
    // A close that wakes a wait that is over, or loses the live ones behind it.
    let (tx, rx) = chan::<u8>(0);
    let mut stale = stale_node();
    let node = &raw mut stale;
    // SAFETY: the node stays in place; the close drops it from the queue.
    unsafe { tx.chan().core().lock().enqueue(Side::Receivers, node) };
    let receiver = queued_recv(&rx);
    assert!(tx.close());
    assert_eq!(receiver.join().unwrap(), None);
    assert!(!stale.is_linked());
}

#[test]
fn a_wait_that_times_out_leaves_no_node() {
    // A node on a frame that is gone, still linked.
    let (tx, rx) = chan::<u8>(0);
    let mut place = MaybeUninit::uninit();
    let give_up = |ticket: Ticket| {
        assert!(ticket.claim(Outcome::TIMED_OUT));
        ticket.wake();
        ticket.wait(WaitReason::ChanReceive)
    };
    // SAFETY: there is room for a value.
    assert_eq!(unsafe { rx.chan().recv(place.as_mut_ptr(), give_up) }, Ended::TimedOut);
    assert!(tx.try_send(1).is_err(), "nobody waits any more");
    assert!(tx.chan().core().look().recv_would_wait());
}

#[test]
fn one_word_tells_everything() {
    // A look that mixes up its bits.
    let (tx, rx) = chan(2);
    let core: &Core = tx.chan().core();
    assert!(core.look().recv_would_wait() && core.look().is_quiet_for_send() && !core.look().send_would_wait(2));
    tx.send(1).unwrap();
    assert!(core.look().is_quiet_for_recv() && !core.look().recv_would_wait());
    tx.send(2).unwrap();
    assert!(core.look().send_would_wait(2) && core.look().len() == 2);
    let sender = queued_send(&tx, 3);
    assert!(!core.look().is_quiet_for_recv() && core.look().send_would_wait(2));
    assert_eq!(rx.recv(), Some(1));
    sender.join().unwrap();
    tx.close();
    let word = core.look();
    assert!(word.is_closed() && !word.send_would_wait(2) && !word.is_quiet_for_send() && word.is_quiet_for_recv());
    assert_eq!(OutcomeKind::Closed(0), Outcome::closed(0).kind());
}

#[test]
fn a_step_reports_whom_to_wake() {
    // A waiter that is served and never woken.
    let (tx, rx) = chan(0);
    let receiver = queued_recv(&rx);
    let mut value = 5;
    let chan: &Chan<i32> = tx.chan();
    let mut locked = chan.core().lock();
    // SAFETY: the value is Copy.
    let step = unsafe { chan.offer(&mut locked, &Slot::new(&raw mut value)) };
    drop(locked);
    let Step::Done(Some(ticket)) = step else { panic!("the receiver was not found") };
    ticket.wake();
    assert_eq!(receiver.join().unwrap(), Some(5));
}
