//! Several goroutines that select on the same channels, face to face: no value is lost or doubled by an arm that did
//! not win, and nobody sleeps on: the script ends only if every select that can go on does.
//!
//! Senders select among sends, traders among sends and receives at once. A drain receives from all channels until all
//! are closed, so every send finds somebody in the end; the channels close when their last sender has left, or when
//! some party closes them before.

use super::books::{Books, Received, Sent};
use super::bytes::Bytes;
use super::ledger::{Ledger, Payload};
use super::stage::{Party, Stage, dawdle};
use gaggle::{Receiver, Select, SendError, Sender, chan, select, unbounded};
use std::sync::Arc;
use std::time::Duration;

type Value = Payload<1>;

/// Runs a script; panics if a value is lost, doubled or out of order.
pub fn run(bytes: &[u8]) {
    let mut head = Bytes::new(bytes);
    let stage = Stage::new(head.byte());
    let rest = head.to_vec();
    stage.play(move || {
        let ledger = Ledger::new();
        play(stage, Bytes::new(&rest), &ledger);
        ledger.close();
    });
}

fn play(stage: Stage, mut bytes: Bytes<'_>, ledger: &Arc<Ledger>) {
    let capacities: Vec<_> =
        (0..=bytes.below(3)).map(|_| Some([0, 0, 1, 2, 9][bytes.below(5)]).filter(|c| *c != 9)).collect();
    let (senders, receivers): (Vec<_>, Vec<_>) =
        capacities.iter().map(|capacity| capacity.map_or_else(unbounded, chan)).unzip();
    let mut parties = Vec::new();
    for number in 0..1 + bytes.below(4) {
        let trades = bytes.flag();
        let script = bytes.take(20).to_vec();
        let receivers = if trades { receivers.clone() } else { Vec::new() };
        let (senders, ledger) = (senders.clone(), ledger.clone());
        let work = move || Trader::new(&senders, &receivers, &ledger).work(Bytes::new(&script));
        parties.push(stage.start(number, work));
    }
    drop(senders);
    let drains: Vec<_> = (0..1 + bytes.below(2))
        .map(|number| {
            let receivers = receivers.clone();
            let patient = bytes.flag();
            stage.start(number, move || drain(&receivers, patient))
        })
        .collect();
    drop(receivers);
    let (sent, traded): (Vec<_>, Vec<_>) = parties.into_iter().map(Party::join).unzip();
    let received = traded.into_iter().chain(drains.into_iter().map(Party::join)).collect();
    Books { sent, received, capacities }.check();
}

struct Trader<'a> {
    senders: &'a [Sender<Value>],
    receivers: &'a [Receiver<Value>],
    ledger: &'a Arc<Ledger>,
    sent: Sent,
    received: Received,
}

/// What a select came to. A value whose arm did not win is dropped with it.
enum Won {
    Send(Result<(), SendError<Value>>),
    Recv(usize, Option<Value>),
    Nothing,
}

impl<'a> Trader<'a> {
    fn new(senders: &'a [Sender<Value>], receivers: &'a [Receiver<Value>], ledger: &'a Arc<Ledger>) -> Self {
        Self { senders, receivers, ledger, sent: Sent::default(), received: Received::default() }
    }

    fn work(mut self, mut script: Bytes<'_>) -> (Sent, Received) {
        while !script.is_empty() {
            match script.below(8) {
                0 => dawdle(script.below(6)),
                1 if script.below(8) == 0 => {
                    let at = script.below(self.senders.len());
                    if self.senders[at].close() {
                        self.sent.closed.push(at);
                    }
                }
                how => self.trade(how, &mut script),
            }
        }
        (self.sent, self.received)
    }

    /// One select that offers a value, and receives if that comes first.
    fn trade(&mut self, how: usize, script: &mut Bytes<'_>) {
        let value = Value::new(self.ledger);
        let id = value.id();
        let [a, b, c] = std::array::from_fn(|_| script.below(self.senders.len()));
        let won = match how {
            0..=2 => self.collected(value, [a, b, c], script.below(3)),
            3 => self.impatient(value, [a, b, c], Duration::from_micros(script.byte().into())),
            4 => self.polled(value, [a, b, c]),
            _ => self.written(value, [a, b, c]),
        };
        match won {
            Won::Send(Ok(())) => self.sent.done.push((id, a)),
            Won::Send(Err(back)) => {
                assert_eq!(back.into_inner().id(), id, "another value came back");
                self.sent.handed_back.push(id);
            }
            Won::Recv(at, value) => {
                self.sent.handed_back.push(id);
                match value {
                    Some(value) => self.received.got.push((value.id(), at)),
                    None => self.received.drained.push(at),
                }
            }
            Won::Nothing => self.sent.handed_back.push(id),
        }
    }

    /// `select!`; the same channel may stand in all three arms, on both sides.
    fn written(&self, value: Value, [a, b, c]: [usize; 3]) -> Won {
        select! {
            sent = self.senders[a] <- value => Won::Send(sent),
            value = <-self.receivers.get(b) => Won::Recv(b, value),
            value = <-self.receivers.get(c) => Won::Recv(c, value),
        }
    }

    fn impatient(&self, value: Value, [a, b, c]: [usize; 3], timeout: Duration) -> Won {
        select! {
            value = <-self.receivers.get(b) => Won::Recv(b, value),
            sent = self.senders[a] <- value => Won::Send(sent),
            value = <-self.receivers.get(c) => Won::Recv(c, value),
            after(timeout) => Won::Nothing,
        }
    }

    fn polled(&self, value: Value, [a, b, c]: [usize; 3]) -> Won {
        select! { biased;
            value = <-self.receivers.get(b) => Won::Recv(b, value),
            value = <-self.receivers.get(c) => Won::Recv(c, value),
            sent = self.senders[a] <- value => Won::Send(sent),
            default => Won::Nothing,
        }
    }

    /// The dynamic form. An unsent value is taken back and must be the one that was offered.
    fn collected(&self, value: Value, [a, b, c]: [usize; 3], how: usize) -> Won {
        let id = value.id();
        let mut s = Select::new();
        let receiving: Vec<_> =
            [b, c].into_iter().filter_map(|at| Some((s.recv(self.receivers.get(at)?), at))).collect();
        let send = s.send(&self.senders[a], value);
        let operation = match how {
            0 => s.try_select(),
            1 => s.select_timeout(Duration::from_micros(id.into())),
            _ => Some(s.select()),
        };
        let won = match operation {
            None => Won::Nothing,
            Some(operation) if operation.index() == send => return Won::Send(operation.send(&self.senders[a])),
            Some(operation) => {
                let index = operation.index();
                let (_, at) = receiving.into_iter().find(|(arm, _)| *arm == index).expect("no such arm");
                Won::Recv(at, operation.recv(&self.receivers[at]))
            }
        };
        assert_eq!(s.take::<Value>(send).id(), id, "a losing arm has another value");
        won
    }
}

/// Receives from all channels until all are closed and drained.
fn drain(receivers: &[Receiver<Value>], patient: bool) -> Received {
    let mut account = Received::default();
    let mut s = Select::new();
    for rx in receivers {
        s.recv(rx);
    }
    while account.drained.len() < receivers.len() {
        // A short timeout takes the drain out of the queues and puts it back, again and again.
        let operation = if patient { Some(s.select()) } else { s.select_timeout(Duration::from_micros(50)) };
        let Some(operation) = operation else { continue };
        let at = operation.index();
        match operation.recv(&receivers[at]) {
            Some(value) => account.got.push((value.id(), at)),
            None => {
                account.drained.push(at);
                s.remove(at);
            }
        }
    }
    account
}
