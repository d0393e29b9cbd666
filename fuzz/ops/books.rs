//! What the parties of a script say they did, and the laws that all of it together must obey.

use std::collections::{BTreeMap, BTreeSet};

/// One sender's account, in the order of its operations. Numbers of payloads only grow within it.
#[derive(Debug, Default)]
pub struct Sent {
    /// For each payload, the channel that has it.
    pub done: Vec<(u32, usize)>,
    pub handed_back: Vec<u32>,
    /// The channels for which one of its calls of `close` was the one that closed.
    pub closed: Vec<usize>,
}

/// One receiver's account.
#[derive(Debug, Default)]
pub struct Received {
    /// Each payload, and the channel that it came from, in order.
    pub got: Vec<(u32, usize)>,
    /// The channels that it found closed and drained.
    pub drained: Vec<usize>,
}

#[derive(Debug, Default)]
pub struct Books {
    pub sent: Vec<Sent>,
    pub received: Vec<Received>,
    /// For each channel, how many values it may keep when everybody has left; `None` is no limit.
    pub capacities: Vec<Option<usize>>,
}

impl Books {
    /// Checks them. All parties have ended.
    pub fn check(&self) {
        let senders = self.senders();
        let received = self.each_once(&senders);
        self.in_order(&senders);
        for (channel, capacity) in self.capacities.iter().enumerate() {
            let closers = self.sent.iter().flat_map(|sent| &sent.closed).filter(|c| **c == channel).count();
            assert!(closers <= 1, "channel {channel} was closed {closers} times");
            let left = senders.iter().filter(|(id, (_, on))| *on == channel && !received.contains(id)).count();
            let drained = self.received.iter().any(|received| received.drained.contains(&channel));
            let limit = if drained { Some(0) } else { *capacity };
            let fine = limit.is_none_or(|limit| left <= limit);
            assert!(fine, "channel {channel}: {left} values lost, drained {drained}, capacity {capacity:?}: {self:?}");
        }
    }

    /// For each payload that was sent, its sender and the channel.
    fn senders(&self) -> BTreeMap<u32, (usize, usize)> {
        let mut senders = BTreeMap::new();
        for (number, sent) in self.sent.iter().enumerate() {
            for (id, channel) in &sent.done {
                assert!(senders.insert(*id, (number, *channel)).is_none(), "payload {id} was sent twice");
            }
        }
        for id in self.sent.iter().flat_map(|sent| &sent.handed_back) {
            assert!(!senders.contains_key(id), "payload {id} was sent and handed back");
        }
        senders
    }

    /// What was received was sent, on that channel, and was received by one receiver only.
    fn each_once(&self, senders: &BTreeMap<u32, (usize, usize)>) -> BTreeSet<u32> {
        let mut seen = BTreeSet::new();
        for (id, channel) in self.received.iter().flat_map(|received| &received.got) {
            let sent = senders.get(id).map(|(_, channel)| *channel);
            assert_eq!(sent, Some(*channel), "payload {id} came out where it was not sent");
            assert!(seen.insert(*id), "payload {id} was received twice");
        }
        seen
    }

    /// What one receiver got from one sender over one channel came in the order in which it was sent.
    fn in_order(&self, senders: &BTreeMap<u32, (usize, usize)>) {
        for received in &self.received {
            let mut last = BTreeMap::new();
            for (id, channel) in &received.got {
                let before = last.insert((senders[id].0, *channel), *id);
                assert!(before < Some(*id), "channel {channel}: {id} came after {before:?}");
            }
        }
    }
}
