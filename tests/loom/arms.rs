//! A select of two arms against every operation on one of its channels, and against another select; every arm can win.

use super::{Census, Token, model, spawn};
use gaggle::__private::select::{block, poll, recv_arm, send_arm};
use gaggle::{Receiver, Sender, chan};

const CAPACITIES: [usize; 2] = [0, 1];

/// What somebody else does with the senders' end of a channel that a select receives from.
#[derive(Clone, Copy, Debug)]
enum Other {
    Send,
    TrySend,
    Close,
    Drop,
    /// A select that sends there, or not at all.
    SelectSend,
    /// A select with `default`.
    PollSend,
}

impl Other {
    const ALL: [Self; 6] = [Self::Send, Self::TrySend, Self::Close, Self::Drop, Self::SelectSend, Self::PollSend];

    /// Does it, gives its handle up, and says how many values it believes to be sent.
    fn run(self, tx: Sender<Token>, never: &Receiver<u32>, token: Token) -> usize {
        match self {
            Self::Send => usize::from(tx.send(token).is_ok()),
            Self::TrySend => usize::from(tx.try_send(token).is_ok()),
            Self::Close => {
                tx.close();
                0
            }
            Self::Drop => 0,
            Self::SelectSend => {
                let (mut silent, mut send) = (recv_arm(never, true), send_arm(&tx, token, true));
                assert_eq!(block(&mut [silent.case(), send.case()], false), 1, "nobody sends there");
                usize::from(send.finish().is_ok())
            }
            Self::PollSend => {
                let mut send = send_arm(&tx, token, true);
                match poll(&mut [send.case()], false) {
                    Some(_) => usize::from(send.finish().is_ok()),
                    None => 0,
                }
            }
        }
    }
}

/// Mutations caught: `settle` leaving the losers linked; `enqueue` queueing the first arm only.
#[test]
fn a_select_against_every_operation() {
    // A select that sleeps for ever, a value lost or there twice, or a send that is said to have been carried out.
    for capacity in CAPACITIES {
        for other in Other::ALL {
            model(move || {
                let (tx, rx) = chan(capacity);
                let (other_tx, other_rx) = chan::<Token>(capacity);
                let (_silent, never) = chan::<u32>(0);
                let census = Census::new();
                let token = census.token(1);
                let party = spawn(move || {
                    let sent = other.run(tx, &never, token);
                    drop(other_tx);
                    sent
                });
                let (mut a, mut b) = (recv_arm(&rx, true), recv_arm(&other_rx, true));
                let mut received = match block(&mut [a.case(), b.case()], false) {
                    0 => usize::from(a.finish().is_some()),
                    _ => {
                        assert!(b.finish().is_none(), "nothing is sent there");
                        0
                    }
                };
                // What the select did not take is there for the next one.
                received += rx.iter().count();
                let sent = party.join().unwrap();
                assert_eq!(received, sent, "{other:?}, capacity {capacity}");
                assert_eq!(census.alive(), 0, "{other:?}, capacity {capacity}");
            });
        }
    }
}

/// What somebody else does with the receivers' end of a channel that a select sends to.
#[derive(Clone, Copy, Debug)]
enum End {
    Drop,
    TryRecv,
    Recv,
    SelectRecv,
}

impl End {
    const ALL: [Self; 4] = [Self::Drop, Self::TryRecv, Self::Recv, Self::SelectRecv];

    /// Does it, gives its handle up, and says how many values it got.
    fn run(self, rx: Receiver<Token>, never: &Receiver<u32>) -> usize {
        match self {
            Self::Drop => 0,
            Self::TryRecv => usize::from(rx.try_recv().is_ok()),
            Self::Recv => usize::from(rx.recv().is_some()),
            Self::SelectRecv => {
                let (mut silent, mut recv) = (recv_arm(never, true), recv_arm(&rx, true));
                assert_eq!(block(&mut [silent.case(), recv.case()], false), 1, "nobody sends there");
                usize::from(recv.finish().is_some())
            }
        }
    }
}

/// Mutations caught: as above; `take_waiter` ignoring a lost claim.
#[test]
fn a_sending_select_against_every_end_of_its_receivers() {
    // A value that is lost with its arm, or delivered though the select says otherwise.
    for capacity in CAPACITIES {
        for end in End::ALL {
            model(move || {
                let (tx, rx) = chan(capacity);
                let (full, full_rx) = chan::<Token>(0);
                let (_silent, never) = chan::<u32>(0);
                let census = Census::new();
                let (one, two) = (census.token(1), census.token(2));
                let party = spawn(move || {
                    let received = end.run(rx, &never);
                    drop(full_rx);
                    received
                });
                let (mut a, mut b) = (send_arm(&tx, one, true), send_arm(&full, two, true));
                let sent = match block(&mut [a.case(), b.case()], false) {
                    0 => {
                        drop(b);
                        usize::from(a.finish().is_ok())
                    }
                    _ => {
                        drop(a);
                        assert!(b.finish().is_err(), "nobody receives there");
                        0
                    }
                };
                drop(tx);
                let received = party.join().unwrap();
                assert!(received <= sent, "{end:?}, capacity {capacity}: received {received}, sent {sent}");
                assert!(received == sent || capacity > 0, "{end:?}: received {received}, sent {sent}");
                assert_eq!(census.alive(), 0, "{end:?}, capacity {capacity}");
            });
        }
    }
}
