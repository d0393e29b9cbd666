//! One thread, one channel: each operation against a queue that any reader can check in a minute.
//!
//! Operations that would block are left out (the specification knows which), so a script always ends.

use super::bytes::Bytes;
use super::ledger::{Ledger, Payload};
use gaggle::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, TryRecvError, TrySendError, chan, unbounded};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

const MAX_HANDLES: usize = 4;

/// What a channel is: a queue, a limit, and whether it is closed.
#[derive(Debug)]
pub struct Spec {
    capacity: Option<usize>,
    queue: VecDeque<u32>,
    closed: bool,
}

/// What the specification says about a send or a receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    Done(T),
    WouldBlock,
    Closed,
}

impl<T> Answer<T> {
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(value) => Some(value),
            Self::WouldBlock | Self::Closed => None,
        }
    }
}

impl Spec {
    pub fn new(capacity: Option<usize>) -> Self {
        Self { capacity, queue: VecDeque::new(), closed: false }
    }

    pub fn buffered(&self) -> usize {
        self.queue.len()
    }

    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn is_full(&self) -> bool {
        self.capacity.is_some_and(|capacity| self.buffered() >= capacity)
    }

    /// Whether a send would not block.
    pub fn can_send(&self) -> bool {
        self.closed || !self.is_full()
    }

    /// Whether a receive would not block.
    pub fn can_recv(&self) -> bool {
        self.closed || self.buffered() > 0
    }

    pub fn send(&mut self, id: u32) -> Answer<()> {
        if self.closed {
            return Answer::Closed;
        }
        if self.is_full() {
            return Answer::WouldBlock;
        }
        self.queue.push_back(id);
        Answer::Done(())
    }

    pub fn recv(&mut self) -> Answer<u32> {
        match self.queue.pop_front() {
            Some(id) => Answer::Done(id),
            None if self.closed => Answer::Closed,
            None => Answer::WouldBlock,
        }
    }

    pub fn close(&mut self) -> bool {
        !std::mem::replace(&mut self.closed, true)
    }
}

struct Bench<const WORDS: usize> {
    spec: Spec,
    ledger: Arc<Ledger>,
    senders: Vec<Sender<Payload<WORDS>>>,
    receivers: Vec<Receiver<Payload<WORDS>>>,
}

/// Runs a script; panics if the channel does anything that the specification does not.
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    match bytes.below(3) {
        0 => run_with::<0>(bytes),
        1 => run_with::<3>(bytes),
        _ => run_with::<200>(bytes),
    }
}

fn run_with<const WORDS: usize>(mut bytes: Bytes<'_>) {
    let ledger = Ledger::new();
    let capacity = Some(bytes.below(7)).filter(|capacity| *capacity != 6);
    let (tx, rx) = capacity.map_or_else(unbounded, chan);
    let spec = Spec::new(capacity);
    let mut bench = Bench::<WORDS> { spec, ledger: ledger.clone(), senders: vec![tx], receivers: vec![rx] };
    while !bytes.is_empty() && !ledger.is_full() {
        bench.step(&mut bytes);
        bench.check_state();
    }
    drop(bench);
    ledger.close();
}

impl<const WORDS: usize> Bench<WORDS> {
    fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.below(16) {
            0..=2 => self.try_send(bytes),
            3..=4 => self.send(bytes),
            5..=6 => self.try_recv(bytes),
            7..=8 => self.recv(bytes),
            9 => self.burst(bytes),
            10 => self.try_iter(bytes),
            11 => self.close(bytes),
            12 => clone_one(&mut self.senders, bytes),
            13 => clone_one(&mut self.receivers, bytes),
            14 => self.drop_sender(bytes),
            _ => self.drop_receiver(bytes),
        }
    }

    fn payload(&self) -> (Payload<WORDS>, u32) {
        let payload = Payload::new(&self.ledger);
        let id = payload.id();
        (payload, id)
    }

    fn try_send(&mut self, bytes: &mut Bytes<'_>) {
        let Some(tx) = pick(&self.senders, bytes) else { return };
        let (payload, id) = self.payload();
        let answer = match tx.try_send(payload) {
            Ok(()) => Answer::Done(()),
            Err(TrySendError::Full(back)) => {
                assert_eq!(back.id(), id, "another value came back");
                Answer::WouldBlock
            }
            Err(TrySendError::Closed(back)) => {
                assert_eq!(back.id(), id, "another value came back");
                Answer::Closed
            }
        };
        assert_eq!(answer, self.spec.send(id), "try_send of {id}");
    }

    /// A blocking send, where it does not block; with a timeout of nothing, where it does.
    fn send(&mut self, bytes: &mut Bytes<'_>) {
        let Some(tx) = pick(&self.senders, bytes) else { return };
        let (payload, id) = self.payload();
        let answer = if bytes.flag() || !self.spec.can_send() {
            match tx.send_timeout(payload, Duration::ZERO) {
                Ok(()) => Answer::Done(()),
                Err(SendTimeoutError::Timeout(back)) => {
                    assert_eq!(back.id(), id, "another value came back");
                    Answer::WouldBlock
                }
                Err(SendTimeoutError::Closed(back)) => {
                    assert_eq!(back.id(), id, "another value came back");
                    Answer::Closed
                }
            }
        } else {
            match tx.send(payload) {
                Ok(()) => Answer::Done(()),
                Err(error) => {
                    assert_eq!(error.into_inner().id(), id, "another value came back");
                    Answer::Closed
                }
            }
        };
        assert_eq!(answer, self.spec.send(id), "send of {id}");
    }

    fn try_recv(&mut self, bytes: &mut Bytes<'_>) {
        let Some(rx) = pick(&self.receivers, bytes) else { return };
        let answer = match rx.try_recv() {
            Ok(payload) => Answer::Done(payload.id()),
            Err(TryRecvError::Empty) => Answer::WouldBlock,
            Err(TryRecvError::Closed) => Answer::Closed,
        };
        assert_eq!(answer, self.spec.recv(), "try_recv");
    }

    fn recv(&mut self, bytes: &mut Bytes<'_>) {
        let Some(rx) = pick(&self.receivers, bytes) else { return };
        let answer = if bytes.flag() || !self.spec.can_recv() {
            match rx.recv_timeout(Duration::ZERO) {
                Ok(payload) => Answer::Done(payload.id()),
                Err(RecvTimeoutError::Timeout) => Answer::WouldBlock,
                Err(RecvTimeoutError::Closed) => Answer::Closed,
            }
        } else {
            rx.recv().map_or(Answer::Closed, |payload| Answer::Done(payload.id()))
        };
        assert_eq!(answer, self.spec.recv(), "recv");
    }

    /// Many sends or receives in a row: what makes an unbounded channel's memory grow and shrink.
    fn burst(&mut self, bytes: &mut Bytes<'_>) {
        let (count, send) = (bytes.below(96), bytes.flag());
        for _ in 0..count {
            if send && !self.ledger.is_full() {
                self.try_send(&mut Bytes::new(&[]));
            } else {
                self.try_recv(&mut Bytes::new(&[]));
            }
        }
    }

    fn try_iter(&mut self, bytes: &mut Bytes<'_>) {
        let limit = bytes.below(5);
        let Some(rx) = pick(&self.receivers, bytes) else { return };
        let got: Vec<u32> = rx.try_iter().take(limit).map(|payload| payload.id()).collect();
        let expected: Vec<u32> = (0..limit).map_while(|_| self.spec.queue.pop_front()).collect();
        assert_eq!(got, expected, "try_iter");
        if self.spec.closed {
            // On a closed channel the blocking iterator ends too.
            assert!(rx.iter().map(|payload| payload.id()).eq(self.spec.queue.drain(..)), "iter");
        }
    }

    fn close(&mut self, bytes: &mut Bytes<'_>) {
        let Some(tx) = pick(&self.senders, bytes) else { return };
        assert_eq!(tx.close(), self.spec.close(), "close");
    }

    fn drop_sender(&mut self, bytes: &mut Bytes<'_>) {
        drop_one(&mut self.senders, bytes);
        if self.senders.is_empty() {
            self.spec.close();
        }
    }

    fn drop_receiver(&mut self, bytes: &mut Bytes<'_>) {
        drop_one(&mut self.receivers, bytes);
        if self.receivers.is_empty() {
            self.spec.close();
            for id in self.spec.queue.drain(..) {
                assert!(self.ledger.is_dropped(id), "payload {id} outlived the last receiver");
            }
        }
    }

    /// Everything that can be asked without changing anything.
    fn check_state(&self) {
        let spec = &self.spec;
        let len = spec.buffered();
        let expected = (len, len == 0, spec.is_full(), spec.capacity, spec.closed);
        for tx in &self.senders {
            let seen = (tx.len(), tx.is_empty(), tx.is_full(), tx.capacity(), tx.is_closed());
            assert_eq!(seen, expected, "a sender's view");
            assert!(tx.same_channel(&self.senders[0]));
        }
        for rx in &self.receivers {
            let seen = (rx.len(), rx.is_empty(), rx.is_full(), rx.capacity(), rx.is_closed());
            assert_eq!(seen, expected, "a receiver's view");
            assert!(rx.same_channel(&self.receivers[0]));
        }
    }
}

fn pick<'a, T>(handles: &'a [T], bytes: &mut Bytes<'_>) -> Option<&'a T> {
    if handles.is_empty() { None } else { Some(&handles[bytes.below(handles.len())]) }
}

fn clone_one<T: Clone>(handles: &mut Vec<T>, bytes: &mut Bytes<'_>) {
    if let (Some(handle), true) = (pick(handles, bytes), handles.len() < MAX_HANDLES) {
        handles.push(handle.clone());
    }
}

fn drop_one<T>(handles: &mut Vec<T>, bytes: &mut Bytes<'_>) {
    if !handles.is_empty() {
        handles.swap_remove(bytes.below(handles.len()));
    }
}
