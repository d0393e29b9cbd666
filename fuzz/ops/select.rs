//! One thread, a few channels, one [`Select`] whose arms come and go, and `select!`s in between: each choice must be
//! among the arms that the specification finds ready, and move exactly the value that it says.

use super::bytes::Bytes;
use super::chan::{Answer, Spec};
use super::ledger::{Ledger, Payload};
use gaggle::{Receiver, Select, SelectedOperation, SendError, Sender, chan, select, unbounded};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

type Value = Payload<1>;
type Channel = (Sender<Value>, Receiver<Value>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arm {
    Recv(usize),
    /// The channel and the number of the value that waits to go.
    Send(usize, u32),
}

/// What an operation came to, as the arm that was selected tells it.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Received(Option<u32>),
    Sent(Result<(), u32>),
}

struct Bench<'a> {
    channels: &'a [Channel],
    specs: Vec<Spec>,
    ledger: Arc<Ledger>,
    select: Select<'a>,
    biased: bool,
    arms: BTreeMap<usize, Arm>,
    /// A value that was received by an operation that nobody asked: it is reported before anything else.
    kept: Option<(usize, u32)>,
    next_index: usize,
}

/// Runs a script; panics if a select does anything that the specification does not allow.
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let ledger = Ledger::new();
    let capacities: Vec<_> =
        (0..=bytes.below(4)).map(|_| Some(bytes.below(4)).filter(|capacity| *capacity != 3)).collect();
    let channels: Vec<Channel> = capacities.iter().map(|c| c.map_or_else(unbounded, chan)).collect();
    let biased = bytes.below(4) == 0;
    let mut bench = Bench {
        channels: &channels,
        specs: capacities.into_iter().map(Spec::new).collect(),
        ledger: ledger.clone(),
        select: if biased { Select::new_biased() } else { Select::new() },
        biased,
        arms: BTreeMap::new(),
        kept: None,
        next_index: 0,
    };
    while !bytes.is_empty() && !ledger.is_full() {
        bench.step(&mut bytes);
    }
    drop(bench);
    drop(channels);
    ledger.close();
}

impl<'a> Bench<'a> {
    fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.below(16) {
            0 => self.plain_send(bytes),
            1 => self.plain_recv(bytes),
            2 => self.close(bytes),
            3 => self.add_recv(bytes),
            4..=5 => self.add_send(bytes),
            6 => self.remove(bytes),
            7 => self.take(bytes),
            8..=9 => self.written(bytes),
            how => self.select(how, bytes),
        }
        for ((tx, rx), spec) in self.channels.iter().zip(&self.specs) {
            let expected = (spec.buffered(), spec.is_closed());
            assert_eq!((tx.len(), tx.is_closed()), expected, "a sender's view");
            assert_eq!((rx.len(), rx.is_closed()), expected, "a receiver's view");
        }
    }

    fn value(&self) -> (Value, u32) {
        let value = Value::new(&self.ledger);
        let id = value.id();
        (value, id)
    }

    fn plain_send(&mut self, bytes: &mut Bytes<'_>) {
        let at = bytes.below(self.channels.len());
        let (value, id) = self.value();
        let sent = self.channels[at].0.try_send(value).is_ok();
        assert_eq!(sent, self.specs[at].send(id) == Answer::Done(()), "try_send");
    }

    fn plain_recv(&mut self, bytes: &mut Bytes<'_>) {
        let at = bytes.below(self.channels.len());
        let got = self.channels[at].1.try_recv().ok().map(|value| value.id());
        assert_eq!(got, self.specs[at].recv().done(), "try_recv");
    }

    fn close(&mut self, bytes: &mut Bytes<'_>) {
        let at = bytes.below(self.channels.len());
        if bytes.below(4) == 0 {
            assert_eq!(self.channels[at].0.close(), self.specs[at].close(), "close");
        }
    }

    fn added(&mut self, index: usize, arm: Arm) {
        assert_eq!(index, self.next_index, "an index is given out twice, or left out");
        self.next_index += 1;
        self.arms.insert(index, arm);
    }

    fn add_recv(&mut self, bytes: &mut Bytes<'_>) {
        let at = bytes.below(self.channels.len());
        let index = self.select.recv(&self.channels[at].1);
        self.added(index, Arm::Recv(at));
    }

    fn add_send(&mut self, bytes: &mut Bytes<'_>) {
        let at = bytes.below(self.channels.len());
        let (value, id) = self.value();
        let index = self.select.send(&self.channels[at].0, value);
        self.added(index, Arm::Send(at, id));
    }

    /// Any index that was ever given out may be removed, also twice.
    fn remove(&mut self, bytes: &mut Bytes<'_>) {
        if self.next_index == 0 {
            return;
        }
        let index = bytes.below(self.next_index);
        self.select.remove(index);
        if let Some(Arm::Send(_, id)) = self.arms.remove(&index) {
            assert!(self.ledger.is_dropped(id), "a removed arm keeps its value");
        }
        if let Some((_, id)) = self.kept.take_if(|(kept, _)| *kept == index) {
            assert!(self.ledger.is_dropped(id), "a removed arm keeps what it received");
        }
    }

    fn take(&mut self, bytes: &mut Bytes<'_>) {
        let sends: Vec<_> = self.arms.iter().filter(|(_, arm)| matches!(arm, Arm::Send(..))).collect();
        if sends.is_empty() {
            return;
        }
        let (&index, &arm) = sends[bytes.below(sends.len())];
        self.arms.remove(&index);
        assert!(matches!(arm, Arm::Send(_, id) if self.select.take::<Value>(index).id() == id), "take");
    }

    fn is_ready(&self, arm: Arm) -> bool {
        match arm {
            Arm::Recv(at) => self.specs[at].can_recv(),
            Arm::Send(at, _) => self.specs[at].can_send(),
        }
    }

    /// What the specification does for `arm`.
    fn perform(&mut self, arm: Arm) -> Outcome {
        match arm {
            Arm::Recv(at) => Outcome::Received(self.specs[at].recv().done()),
            Arm::Send(at, id) => Outcome::Sent(self.specs[at].send(id).done().ok_or(id)),
        }
    }

    /// The dynamic select, blocking or not, where the specification says that it does not block.
    fn select(&mut self, how: usize, bytes: &mut Bytes<'_>) {
        let ready: Vec<usize> = self.arms.iter().filter(|(_, arm)| self.is_ready(**arm)).map(|(i, _)| *i).collect();
        let expected = self.kept.is_some() || !ready.is_empty();
        let operation = match how {
            10..=11 if expected => Some(self.select.select()),
            12 => self.select.select_timeout(Duration::ZERO),
            13 if expected => self.select.select_timeout(Duration::from_secs(3600)),
            _ => self.select.try_select(),
        };
        let Some(operation) = operation else {
            assert!(!expected, "ready: {ready:?}, kept: {:?}, but nothing was selected", self.kept);
            return;
        };
        let index = operation.index();
        if let Some((kept, id)) = self.kept {
            assert_eq!(index, kept, "a received value was passed over");
            if bytes.below(4) != 0 {
                let Arm::Recv(at) = self.arms[&kept] else { panic!("a send was kept") };
                assert_eq!(finish(operation, Arm::Recv(at), self.channels), Outcome::Received(Some(id)));
                self.kept = None;
            }
            return;
        }
        assert!(ready.contains(&index), "arm {index} was selected, ready were {ready:?}");
        assert!(!self.biased || ready[0] == index, "arm {index} was selected before {}", ready[0]);
        let arm = self.arms[&index];
        let unused = bytes.below(4) == 0;
        let outcome = (!unused).then(|| finish(operation, arm, self.channels));
        let expected = self.perform(arm);
        self.settle(index, expected, outcome);
    }

    /// Puts the arm of an operation in order, which was asked for its `outcome` or dropped unused.
    fn settle(&mut self, index: usize, expected: Outcome, outcome: Option<Outcome>) {
        match (outcome, expected) {
            (Some(outcome), expected) => {
                assert_eq!(outcome, expected, "arm {index}");
                if matches!(expected, Outcome::Sent(_)) {
                    self.arms.remove(&index);
                }
            }
            (None, Outcome::Received(Some(id))) => self.kept = Some((index, id)),
            (None, Outcome::Sent(Ok(()))) => drop(self.arms.remove(&index)),
            // The value of a send on a closed channel stays where it is.
            (None, Outcome::Received(None) | Outcome::Sent(Err(_))) => {}
        }
    }

    /// `select!` with guards, a nil channel and a `default`.
    fn written(&mut self, bytes: &mut Bytes<'_>) {
        let channels = self.channels;
        let [a, b, c] = std::array::from_fn(|_| bytes.below(channels.len()));
        let [guard_a, guard_b, biased] = std::array::from_fn(|_| bytes.flag());
        let (value, id) = self.value();
        let nil: Option<&Receiver<Value>> = None;
        let maybe = if bytes.flag() { Some(&channels[c].1) } else { nil };
        let received = |value: Option<Value>| Outcome::Received(value.map(|value| value.id()));
        let sent = |sent: Result<(), SendError<Value>>| Outcome::Sent(sent.map_err(|error| error.into_inner().id()));
        let (rx, tx) = (&channels[a].1, &channels[b].0);
        let won = if biased {
            select! { biased;
                v = <-rx if guard_a => Some((0, received(v))),
                s = tx <- value if guard_b => Some((1, sent(s))),
                v = <-maybe => Some((2, received(v))),
                default => None,
            }
        } else {
            select! {
                v = <-rx if guard_a => Some((0, received(v))),
                s = tx <- value if guard_b => Some((1, sent(s))),
                v = <-maybe => Some((2, received(v))),
                default => None,
            }
        };
        let arms = [
            guard_a.then_some(Arm::Recv(a)),
            guard_b.then_some(Arm::Send(b, id)),
            maybe.is_some().then_some(Arm::Recv(c)),
        ];
        let ready = arms.map(|arm| arm.filter(|arm| self.is_ready(*arm)));
        let Some((arm, outcome)) = won else {
            assert_eq!(ready, [None; 3], "default was taken although an arm was ready");
            return;
        };
        assert!(!biased || ready[..arm].iter().all(Option::is_none), "arm {arm} won before its turn: {ready:?}");
        let winner = ready[arm].unwrap_or_else(|| panic!("arm {arm} won and was not ready: {ready:?}"));
        assert_eq!(outcome, self.perform(winner), "arm {arm}");
    }
}

/// Asks an operation for its result.
fn finish(operation: SelectedOperation<'_>, arm: Arm, channels: &[Channel]) -> Outcome {
    match arm {
        Arm::Recv(at) => Outcome::Received(operation.recv(&channels[at].1).map(|value| value.id())),
        Arm::Send(at, _) => Outcome::Sent(operation.send(&channels[at].0).map_err(|e| e.into_inner().id())),
    }
}
