//! Models of what the public interface can't say under loom: a timeout is a third party that claims the wait.

use super::chan;
use super::shared::Ended;
use crate::park::{Outcome, Ticket, WaitReason};
use core::mem::MaybeUninit;

/// Waits while another thread stands for the timer.
fn timed_wait(ticket: Ticket, reason: WaitReason) -> Outcome {
    let timer = loom::thread::spawn(move || ticket.end(Outcome::TIMED_OUT));
    let outcome = ticket.wait(reason);
    timer.join().unwrap();
    outcome
}

/// Mutations caught: `Core::block` not removing its node after a timeout; `take_waiter` ignoring a lost claim.
#[test]
fn b09_timeout_against_delivery_to_a_receiver() {
    // The value goes into the slot of a receiver that has given up.
    loom::model(|| {
        let (tx, rx) = chan(0);
        let sender = loom::thread::spawn(move || {
            let first = tx.try_send(Box::new(1));
            tx.close();
            first.is_ok()
        });
        let mut place = MaybeUninit::<Box<i32>>::uninit();
        // SAFETY: there is room for the value, and it is there if the answer is Done.
        let ended = unsafe {
            let ended = rx.chan().recv(place.as_mut_ptr(), |t| timed_wait(t, WaitReason::ChanReceive));
            if ended == Ended::Done {
                assert_eq!(*place.assume_init(), 1);
            }
            ended
        };
        assert_eq!(sender.join().unwrap(), ended == Ended::Done);
    });
}

/// Mutations caught: as above.
#[test]
fn b10_timeout_against_delivery_from_a_sender() {
    // A sender that gives up gets its value back, and the receiver has it too.
    loom::model(|| {
        let (tx, rx) = chan(0);
        let receiver = loom::thread::spawn(move || rx.recv());
        let mut value = Box::new(1);
        // SAFETY: the value is forgotten if the channel has it.
        let ended = unsafe { tx.chan().send(&raw mut value, |t| timed_wait(t, WaitReason::ChanSend)) };
        if ended == Ended::Done {
            core::mem::forget(value);
        }
        drop(tx);
        assert_eq!(receiver.join().unwrap().is_some(), ended == Ended::Done);
    });
}
