//! What the goroutines of a wave share, and the books that must balance at its end.

use gaggle::sync::{Mutex, MutexGuard, PoisonError, WaitGroup};
use gaggle::{Receiver, Sender, chan, unbounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// A small random generator (xorshift64*).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 33) % n
    }

    pub fn fork(&mut self) -> Dice {
        Dice::new(self.next())
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }
}

/// A value that is counted while it lives.
#[derive(Debug)]
pub struct Coin(Arc<AtomicU64>, pub u64);

impl Drop for Coin {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

pub type Lane = (Sender<Coin>, Receiver<Coin>);

pub struct World {
    /// Unbuffered, buffered and unbounded.
    pub lanes: Vec<Lane>,
    pub members: WaitGroup,
    /// Two numbers that are equal whenever the lock is free.
    account: Mutex<(u64, u64)>,
    alive: Arc<AtomicU64>,
    pub sent: AtomicU64,
    pub received: AtomicU64,
}

impl World {
    pub fn new() -> Self {
        Self {
            lanes: vec![chan(0), chan(0), chan(1), chan(7), unbounded()],
            members: WaitGroup::new(),
            account: Mutex::new((0, 0)),
            alive: Arc::default(),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
        }
    }

    pub fn coin(&self, value: u64) -> Coin {
        self.alive.fetch_add(1, SeqCst);
        Coin(self.alive.clone(), value)
    }

    /// Books a coin that a channel took.
    pub fn booked_sent(&self, value: u64) {
        self.sent.fetch_add(value, SeqCst);
    }

    pub fn book_received(&self, coin: Coin) {
        self.received.fetch_add(coin.1, SeqCst);
    }

    /// Locks the account. Poison says little here: in pinned mode the panic of a neighbour on the thread may be seen.
    pub fn account(&self) -> MutexGuard<'_, (u64, u64)> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After the last member: what was sent was received or is still there, and nothing else is alive.
    pub fn check(&self) {
        for (_, rx) in &self.lanes {
            rx.try_iter().for_each(|coin| self.book_received(coin));
        }
        assert_eq!(self.sent.load(SeqCst), self.received.load(SeqCst), "sent and received");
        assert_eq!(self.alive.load(SeqCst), 0, "coins that nobody has");
        let account = self.account();
        assert_eq!(account.0, account.1);
    }
}

/// Tells the wave that a member is done, however it ends.
pub struct Done(pub Arc<World>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.members.done();
    }
}
