//! One channel, several senders and receivers that run at the same time: values are conserved, each is delivered once
//! or handed back, in the order of its sender; who waits is woken, or the script would not end.

use super::books::{Books, Received, Sent};
use super::bytes::Bytes;
use super::ledger::{Ledger, Payload};
use super::stage::{Stage, dawdle};
use gaggle::{
    Receiver, RecvTimeoutError, SendTimeoutError, Sender, TryRecvError, TrySendError, chan, select, unbounded,
};
use std::sync::Arc;
use std::time::Duration;

type Value = Payload<2>;

/// Runs a script; panics if a value is lost, doubled or out of order.
pub fn run(bytes: &[u8]) {
    let mut head = Bytes::new(bytes);
    let stage = Stage::new(head.byte());
    let bytes = bytes.to_vec();
    stage.play(move || {
        let ledger = Ledger::new();
        play(stage, Bytes::new(&bytes[bytes.len().min(1)..]), &ledger);
        ledger.close();
    });
}

fn play(stage: Stage, mut bytes: Bytes<'_>, ledger: &Arc<Ledger>) {
    let capacity = Some(bytes.below(5)).filter(|capacity| *capacity != 4);
    let (tx, rx) = capacity.map_or_else(unbounded, chan);
    let (senders, receivers) = (1 + bytes.below(3), 1 + bytes.below(3));
    let mut sending = Vec::new();
    let mut receiving = Vec::new();
    for number in 0..senders {
        let script = bytes.take(24).to_vec();
        let (tx, ledger) = (tx.clone(), ledger.clone());
        sending.push(stage.start(number, move || send_all(tx, Bytes::new(&script), &ledger)));
    }
    drop(tx);
    for number in 0..receivers {
        let script = bytes.take(24).to_vec();
        let rx = rx.clone();
        receiving.push(stage.start(number, move || receive_all(&rx, Bytes::new(&script))));
    }
    drop(rx);
    let books = Books {
        sent: sending.into_iter().map(|party| party.join()).collect(),
        received: receiving.into_iter().map(|party| party.join()).collect(),
        capacities: vec![capacity],
    };
    books.check();
}

/// One sender: plain, impatient and selecting sends; it may close the channel, or swap its handle for a clone.
fn send_all(mut tx: Sender<Value>, mut script: Bytes<'_>, ledger: &Arc<Ledger>) -> Sent {
    let mut account = Sent::default();
    let mut closed = false;
    while !script.is_empty() {
        match script.below(16) {
            0 => dawdle(script.below(8)),
            1 => tx = tx.clone(),
            2 if script.below(8) == 0 => {
                if tx.close() {
                    account.closed.push(0);
                }
                closed = true;
            }
            op => {
                let value = Value::new(ledger);
                let id = value.id();
                match send_one(&tx, value, op, &mut script) {
                    Ok(()) => {
                        assert!(!closed, "{id} was sent on a closed channel");
                        account.done.push((id, 0));
                    }
                    Err((back, was_closed)) => {
                        assert_eq!(back.id(), id, "another value came back");
                        assert!(was_closed || !closed, "a closed channel opened");
                        closed |= was_closed;
                        account.handed_back.push(id);
                    }
                }
            }
        }
    }
    account
}

/// Sends in the manner of `op`; the error says whether the channel is closed.
fn send_one(tx: &Sender<Value>, value: Value, op: usize, script: &mut Bytes<'_>) -> Result<(), (Value, bool)> {
    match op {
        2..=4 => tx.try_send(value).map_err(|error| {
            let closed = matches!(error, TrySendError::Closed(_));
            (error.into_inner(), closed)
        }),
        5..=6 => tx.send_timeout(value, short(script)).map_err(|error| {
            let closed = matches!(error, SendTimeoutError::Closed(_));
            (error.into_inner(), closed)
        }),
        7..=8 => select! {
            sent = tx <- value => sent.map_err(|error| (error.into_inner(), true)),
        },
        _ => tx.send(value).map_err(|error| (error.into_inner(), true)),
    }
}

/// One receiver: it ends when the channel is closed and drained, or leaves when its script is at its end.
fn receive_all(rx: &Receiver<Value>, mut script: Bytes<'_>) -> Received {
    let mut account = Received::default();
    let stays = script.below(4) != 0;
    loop {
        let op = if script.is_empty() && stays { 15 } else { script.below(16) };
        if script.is_empty() && !stays {
            return account;
        }
        match receive_one(rx, op, &mut script) {
            Ok(value) => account.got.push((value.id(), 0)),
            Err(false) => {}
            Err(true) => break,
        }
    }
    assert_eq!(rx.try_recv().err(), Some(TryRecvError::Closed), "a closed channel has something again");
    account.drained.push(0);
    account
}

/// Receives in the manner of `op`; the error says whether the channel is closed and drained.
fn receive_one(rx: &Receiver<Value>, op: usize, script: &mut Bytes<'_>) -> Result<Value, bool> {
    match op {
        0 => {
            dawdle(script.below(8));
            Err(false)
        }
        1..=3 => rx.try_recv().map_err(|error| error == TryRecvError::Closed),
        4..=6 => rx.recv_timeout(short(script)).map_err(|error| error == RecvTimeoutError::Closed),
        7..=8 => select! {
            value = <-rx => value.ok_or(true),
        },
        9 => select! {
            value = <-rx => value.ok_or(true),
            value = <-rx.clone() => value.ok_or(true),
            default => Err(false),
        },
        _ => rx.recv().ok_or(true),
    }
}

/// A time that may pass before the other side comes, or not.
fn short(script: &mut Bytes<'_>) -> Duration {
    Duration::from_micros(script.byte().into())
}
