//! Payloads that are counted: a value that is lost, doubled, or dropped twice is found out when the books are closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// How many payloads one script may make; the next ones are refused by [`Ledger::is_full`].
pub const MAX_IDS: usize = 4096;

/// For each payload, how often it was dropped.
#[derive(Debug)]
pub struct Ledger {
    made: AtomicU32,
    dropped: Box<[AtomicU8]>,
}

impl Ledger {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { made: AtomicU32::new(0), dropped: (0..MAX_IDS).map(|_| AtomicU8::new(0)).collect() })
    }

    pub fn is_full(&self) -> bool {
        self.made.load(Ordering::Relaxed) as usize + 64 >= MAX_IDS
    }

    /// A number for a new payload.
    fn issue(&self) -> u32 {
        self.made.fetch_add(1, Ordering::Relaxed)
    }

    pub fn is_dropped(&self, id: u32) -> bool {
        self.dropped[id as usize].load(Ordering::Relaxed) != 0
    }

    /// Every payload was dropped, and once.
    pub fn close(&self) {
        for id in 0..self.made.load(Ordering::Relaxed) {
            let times = self.dropped[id as usize].load(Ordering::Relaxed);
            assert_eq!(times, 1, "payload {id} was dropped {times} times");
        }
    }
}

/// A value to send: it knows its number, and carries `WORDS` words that tell whether it was copied whole.
#[derive(Debug)]
pub struct Payload<const WORDS: usize> {
    id: u32,
    ledger: Arc<Ledger>,
    filling: [u64; WORDS],
}

impl<const WORDS: usize> Payload<WORDS> {
    pub fn new(ledger: &Arc<Ledger>) -> Self {
        let id = ledger.issue();
        let filling = std::array::from_fn(|i| Self::word(id, i));
        Self { id, ledger: ledger.clone(), filling }
    }

    fn word(id: u32, index: usize) -> u64 {
        (u64::from(id) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(index as u32)
    }

    /// The payload's number; it fails if the payload is not what was sent, or is no more.
    pub fn id(&self) -> u32 {
        for (i, word) in self.filling.iter().enumerate() {
            assert_eq!(*word, Self::word(self.id, i), "word {i} of payload {} is damaged", self.id);
        }
        assert!(!self.ledger.is_dropped(self.id), "payload {} is used after its drop", self.id);
        self.id
    }
}

impl<const WORDS: usize> Drop for Payload<WORDS> {
    fn drop(&mut self) {
        self.ledger.dropped[self.id as usize].fetch_add(1, Ordering::Relaxed);
    }
}
