//! Every operation of a sender against every operation of a receiver, at every kind of capacity.

use super::{Census, Token, model, spawn};
use gaggle::{Receiver, Sender, chan, unbounded};

/// `None`: unbounded.
const CAPACITIES: [Option<usize>; 4] = [Some(0), Some(1), Some(2), None];

fn channel(capacity: Option<usize>) -> (Sender<Token>, Receiver<Token>) {
    capacity.map_or_else(unbounded, chan)
}

#[derive(Clone, Copy, Debug)]
enum Sends {
    Send,
    SendTwice,
    TrySend,
    SendAndClose,
    Close,
    Drop,
}

impl Sends {
    const ALL: [Self; 6] = [Self::Send, Self::SendTwice, Self::TrySend, Self::SendAndClose, Self::Close, Self::Drop];

    /// Does it, gives its handle up, and says how many values it believes to be sent.
    fn run(self, tx: Sender<Token>, tokens: [Token; 2]) -> usize {
        let [one, two] = tokens;
        match self {
            Self::Send => usize::from(tx.send(one).is_ok()),
            Self::SendTwice => usize::from(tx.send(one).is_ok()) + usize::from(tx.send(two).is_ok()),
            Self::TrySend => usize::from(tx.try_send(one).is_ok()),
            Self::SendAndClose => {
                let sent = tx.send(one).is_ok();
                tx.close();
                usize::from(sent)
            }
            Self::Close => {
                tx.close();
                0
            }
            Self::Drop => 0,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Receives {
    Recv,
    RecvAll,
    TryRecv,
    Drop,
}

impl Receives {
    const ALL: [Self; 4] = [Self::Recv, Self::RecvAll, Self::TryRecv, Self::Drop];

    /// Does it, gives its handle up, and says how many values it got.
    fn run(self, rx: Receiver<Token>) -> usize {
        match self {
            Self::Recv => usize::from(rx.recv().is_some()),
            Self::RecvAll => rx.iter().count(),
            Self::TryRecv => usize::from(rx.try_recv().is_ok()),
            Self::Drop => 0,
        }
    }
}

/// Mutations caught: a value that the last receiver leaves in the buffer; a close or a drop that wakes nobody; a send
/// that is said to have failed after it was carried out, or the other way round.
#[test]
fn every_pair_of_operations_at_every_capacity() {
    // A party that sleeps for ever, a value lost or there twice, or one that is said to be sent and is not.
    for capacity in CAPACITIES {
        for sends in Sends::ALL {
            for receives in Receives::ALL {
                model(move || {
                    let (tx, rx) = channel(capacity);
                    let census = Census::new();
                    let tokens = [census.token(1), census.token(2)];
                    let sender = spawn(move || sends.run(tx, tokens));
                    let received = receives.run(rx);
                    let sent = sender.join().unwrap();
                    let case = || format!("{sends:?} against {receives:?}, capacity {capacity:?}");
                    assert_eq!(census.alive(), 0, "{}", case());
                    assert!(received <= sent, "{}: {received} of {sent}", case());
                    if capacity == Some(0) || matches!(receives, Receives::RecvAll) {
                        assert_eq!(received, sent, "{}", case());
                    }
                });
            }
        }
    }
}

/// Mutations caught: `one_side_gone` swapped Relaxed.
#[test]
fn every_capacity_with_one_party_on_both_sides() {
    // The handles of both sides are given up at once, with values in the buffer.
    for capacity in CAPACITIES {
        model(move || {
            let (tx, rx) = channel(capacity);
            let census = Census::new();
            let token = census.token(1);
            let (other_tx, other_rx) = (tx.clone(), rx.clone());
            let other = spawn(move || {
                let _ = other_tx.try_send(token);
                drop(other_tx);
                drop(other_rx);
            });
            drop(rx);
            drop(tx);
            other.join().unwrap();
            assert_eq!(census.alive(), 0);
        });
    }
}
