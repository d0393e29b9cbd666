//! Channels.

use super::{Census, model, spawn};
use gaggle::{TryRecvError, chan, unbounded};

/// Mutations caught: `Chan::take` not looking for a waiting sender; `Chan::offer` waking the receiver before it fills
/// the slot.
#[test]
fn rendezvous() {
    // A send and a receive that miss each other sleep for ever.
    model(|| {
        let (tx, rx) = chan(0);
        let census = Census::new();
        let token = census.token(7);
        let sender = spawn(move || tx.send(token).is_ok());
        assert_eq!(rx.recv().map(|token| token.number()), Some(7));
        assert!(sender.join().unwrap());
        assert_eq!(census.alive(), 0);
    });
}

/// Mutations caught: `Closed::wake` waking nobody; `close` not setting `CLOSED`.
#[test]
fn close_wakes_receiver() {
    // A receiver that went to sleep just before the close is never told.
    model(|| {
        let (tx, rx) = chan::<u32>(0);
        let receiver = spawn(move || rx.recv());
        assert!(tx.close());
        assert_eq!(receiver.join().unwrap(), None);
    });
}

/// Mutations caught: a closed outcome reported as done.
#[test]
fn close_against_send() {
    // A value that was neither delivered nor handed back, or both.
    model(|| {
        let (tx, rx) = chan(0);
        let census = Census::new();
        let token = census.token(1);
        let closer = tx.clone();
        let sender = spawn(move || tx.send(token).is_ok());
        let closing = spawn(move || closer.close());
        let received = rx.recv().is_some();
        assert!(closing.join().unwrap());
        assert_eq!(sender.join().unwrap(), received, "sent and received must agree");
        assert_eq!(census.alive(), 0);
    });
}

/// Mutations caught: a receive that takes the head without moving the first waiting sender's value up.
#[test]
fn two_senders_on_a_buffer_of_one() {
    // A sender left asleep beside a free place, or values out of order.
    model(|| {
        let (tx, rx) = chan(1);
        let other = tx.clone();
        let a = spawn(move || {
            tx.send(1).unwrap();
            tx.send(2).unwrap();
        });
        let b = spawn(move || other.send(10).unwrap());
        let got: Vec<u32> = (0..3).map(|_| rx.recv().unwrap()).collect();
        let of_a: Vec<u32> = got.iter().copied().filter(|v| *v < 10).collect();
        assert_eq!(of_a, [1, 2]);
        assert_eq!(got.iter().sum::<u32>(), 13);
        a.join().unwrap();
        b.join().unwrap();
        assert_eq!(rx.recv(), None);
    });
}

/// Mutations caught: the quick path of a receive not minding waiting senders.
#[test]
fn a_receive_lets_a_waiting_sender_in() {
    // A sender left asleep beside a free place, until somebody receives again.
    model(|| {
        let (tx, rx) = chan(1);
        tx.send(1).unwrap();
        let sender = spawn(move || tx.send(2).unwrap());
        assert_eq!(rx.recv(), Some(1));
        sender.join().unwrap();
        assert_eq!(rx.recv(), Some(2));
    });
}

/// Mutations caught: `try_recv` that takes the length from one look, and `CLOSED` from a second.
#[test]
fn b06_empty_then_closed() {
    // A value sent before the close that is never seen, because "empty" and "closed" were two looks.
    model(|| {
        let (tx, rx) = chan(1);
        let sender = spawn(move || {
            tx.send(1).unwrap();
            drop(tx);
        });
        let mut got = None;
        loop {
            match rx.try_recv() {
                Ok(value) => got = Some(value),
                Err(TryRecvError::Empty) => loom::thread::yield_now(),
                Err(TryRecvError::Closed) => break,
            }
        }
        assert_eq!(got, Some(1));
        sender.join().unwrap();
    });
}

/// Mutations caught: the buffer not emptied by the last receiver.
#[test]
fn b07_first_sends_against_drop() {
    // The memory of an unbounded channel appears while its last receiver goes: its first values are leaked.
    model(|| {
        let (tx, rx) = unbounded();
        let census = Census::new();
        let senders: Vec<_> = (0..2)
            .map(|i| {
                let (tx, token) = (tx.clone(), census.token(i));
                spawn(move || drop(tx.send(token)))
            })
            .collect();
        drop(rx);
        senders.into_iter().for_each(|s| s.join().unwrap());
        assert_eq!(census.alive(), 0);
    });
}

/// Mutations caught: the buffer not emptied by the last receiver; `one_side_gone` set before the drain.
#[test]
fn b08_drop_rx_against_drop_tx() {
    // Both sides go at once: values dropped twice, the channel freed twice or under the other's hands.
    model(|| {
        let (tx, rx) = unbounded();
        let census = Census::new();
        let tokens = [census.token(1), census.token(2)];
        let sender = spawn(move || {
            for token in tokens {
                let _ = tx.send(token);
            }
        });
        drop(rx);
        sender.join().unwrap();
        assert_eq!(census.alive(), 0);
    });
}

/// Mutations caught: the last receiver not closing the channel.
#[test]
fn b09_drop_rx_against_blocked_send() {
    // A sender left asleep with its value when nobody can take it any more.
    model(|| {
        let (tx, rx) = chan(0);
        let census = Census::new();
        let token = census.token(1);
        let sender = spawn(move || tx.send(token).map_err(|back| back.into_inner().number()));
        drop(rx);
        assert_eq!(sender.join().unwrap(), Err(1));
        assert_eq!(census.alive(), 0);
    });
}

/// Mutations caught: one more value buffered than the capacity allows.
#[test]
fn b11_sent_means_received() {
    // An unbuffered send returns while nobody has the value yet, and it is lost with the last receiver.
    model(|| {
        let (tx, rx) = chan(0);
        let census = Census::new();
        let token = census.token(1);
        let receiver = spawn(move || rx.try_recv().is_ok());
        let sent = tx.send(token).is_ok();
        assert_eq!(receiver.join().unwrap(), sent);
        assert_eq!(census.alive(), 0);
    });
}

/// Mutations caught: close waking only the first waiter.
#[test]
fn b22_close_wakes_every_sender() {
    // One of several blocked senders is woken, the others sleep for ever.
    model(|| {
        let (tx, _rx) = chan(0);
        let senders: Vec<_> = (0..2)
            .map(|i| {
                let tx = tx.clone();
                spawn(move || tx.send(i).unwrap_err().into_inner())
            })
            .collect();
        assert!(tx.close());
        assert_eq!(senders.into_iter().map(|s| s.join().unwrap()).sum::<u32>(), 1);
    });
}

/// Mutations caught: handles counted with separate load and store.
#[test]
fn b27_last_of_two_senders_closes() {
    // Two handles dropped at the same time, neither of which believes to be the last.
    model(|| {
        let (tx, rx) = chan::<u32>(0);
        let other = tx.clone();
        let a = spawn(move || drop(tx));
        let b = spawn(move || drop(other));
        assert_eq!(rx.recv(), None);
        a.join().unwrap();
        b.join().unwrap();
    });
}

/// Mutations caught: `Core::look` Relaxed; `Locked::set` Relaxed.
#[test]
fn closed_publishes_what_came_before() {
    // Who sees the channel closed reads old data.
    model(|| {
        let data = loom::sync::Arc::new(loom::cell::UnsafeCell::new(0));
        let (tx, rx) = chan::<u32>(0);
        let theirs = Shared(data.clone());
        let closer = spawn(move || {
            let theirs = theirs;
            // SAFETY: the reader looks only after it has seen the channel closed.
            theirs.0.with_mut(|data| unsafe { *data = 1 });
            tx.close();
        });
        while rx.try_recv() != Err(TryRecvError::Closed) {
            loom::thread::yield_now();
        }
        // SAFETY: the writer wrote before it closed the channel.
        assert_eq!(data.with(|data| unsafe { *data }), 1);
        closer.join().unwrap();
    });
}

struct Shared(loom::sync::Arc<loom::cell::UnsafeCell<u32>>);
// SAFETY: loom reports any access that the model does not order.
unsafe impl Send for Shared {}
