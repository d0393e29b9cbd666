//! Channels whose sender has no owner: [`after`](super::after) and [`never`](super::never) hand out a receiver only,
//! and the channel must neither close while somebody can receive, nor stay when nobody can.
//!
//! # Invariants
//! 1. Every such channel has one entry, made with it. It goes, with its deadline, in the first sweep that finds the
//!    receivers gone.
//! 2. A sweep comes when the entries have doubled since the last one, so there are at most twice as many entries as
//!    wanted ones (and [`FIRST_SWEEP`]), and an entry costs O(1) amortised.
//!
//! # Locking
//! `KEPT`: guarded by its lock (rank Leaf). Entries are dropped after unlocking: that closes channels.

use crate::chan::Sender;
use crate::park::deadline::TimerHandle;
use crate::primitives::{Lock, LockRank};

const FIRST_SWEEP: usize = 64;

/// A channel that is to stay open while it has a receiver.
pub(super) trait Keep: Send {
    fn is_wanted(&self) -> bool;
}

struct Entry {
    channel: Box<dyn Keep>,
    deadline: Option<TimerHandle>,
}

struct Kept {
    entries: Vec<Entry>,
    next_sweep: usize,
}

static KEPT: Lock<Kept> = Lock::new(LockRank::Leaf, Kept { entries: Vec::new(), next_sweep: FIRST_SWEEP });

/// Keeps `channel` open, and `deadline` running, for as long as it is wanted.
pub(super) fn keep(channel: Box<dyn Keep>, deadline: Option<TimerHandle>) {
    let mut kept = KEPT.lock();
    kept.entries.push(Entry { channel, deadline });
    let unwanted = if kept.entries.len() >= kept.next_sweep { sweep(&mut kept) } else { Vec::new() };
    drop(kept);
    for entry in unwanted {
        if let Some(deadline) = entry.deadline {
            deadline.stop();
        }
    }
}

fn sweep(kept: &mut Kept) -> Vec<Entry> {
    let (wanted, unwanted) = kept.entries.drain(..).partition(|entry| entry.channel.is_wanted());
    kept.entries = wanted;
    kept.next_sweep = (kept.entries.len() * 2).max(FIRST_SWEEP);
    unwanted
}

/// Keeps a channel open on which nothing will ever be sent, until its receivers are gone.
pub(crate) fn keep_open<T: 'static>(sender: Sender<T>) {
    keep(Box::new(Silent(sender)), None);
}

/// The sender of a channel on which nothing is ever sent.
struct Silent<T>(Sender<T>);

/// Sent to whichever thread sweeps.
///
/// # Safety
/// No `T` goes through the channel, so none moves to another thread with its sender.
unsafe impl<T> Send for Silent<T> {}

impl<T> Keep for Silent<T> {
    fn is_wanted(&self) -> bool {
        !self.0.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_receivers_do_not_pile_up() {
        // A loop that makes an `after` per round and never waits for it (B18): its memory grew without bound.
        let hour = std::time::Duration::from_secs(3600);
        let wanted: Vec<_> = (0..100).map(|_| crate::time::after(hour)).collect();
        for _ in 0..10_000 {
            drop(crate::time::after(hour));
        }
        let entries = KEPT.lock().entries.len();
        assert!(entries < 2_000, "{entries} entries kept for {} receivers", wanted.len());
    }
}
