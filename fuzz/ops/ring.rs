//! The processors' run queues: rings of two processors against two queues, and then with a thief on another thread.
//!
//! The ring is a file of gaggle that needs only atomics, so the including crate root compiles it as `local_queue`.

use super::bytes::Bytes;
use crate::local_queue::{CAPACITY, LocalQueue};
use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};

/// A pointer that is only a number: nobody looks behind it.
fn item(number: usize) -> NonNull<u8> {
    NonNull::new(std::ptr::without_provenance_mut(number + 1)).expect("one more than a number is not null")
}

fn number(item: NonNull<u8>) -> usize {
    item.addr().get() - 1
}

/// Runs a script; panics if an item is lost, doubled or out of order.
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    if bytes.below(16) == 0 { with_a_thief(bytes) } else { alone(bytes) }
}

struct Pair {
    rings: [LocalQueue<u8>; 2],
    specs: [VecDeque<usize>; 2],
    next: usize,
}

fn alone(mut bytes: Bytes<'_>) {
    let mut pair = Pair { rings: [LocalQueue::new(), LocalQueue::new()], specs: Default::default(), next: 0 };
    while !bytes.is_empty() {
        let who = bytes.below(2);
        match bytes.below(6) {
            0 => (0..bytes.byte()).for_each(|_| pair.push(who)),
            1 => pair.push(who),
            2 => (0..bytes.byte()).for_each(|_| pair.pop(who)),
            3 => pair.pop(who),
            _ => pair.steal(who),
        }
        for (ring, spec) in pair.rings.iter().zip(&pair.specs) {
            assert_eq!(ring.is_empty(), spec.is_empty());
        }
    }
    for who in [0, 1] {
        (0..=pair.specs[who].len()).for_each(|_| pair.pop(who));
    }
}

impl Pair {
    fn push(&mut self, who: usize) {
        let mut spilled = Vec::new();
        self.rings[who].push(item(self.next), |item| spilled.push(number(item)));
        let spec = &mut self.specs[who];
        let expected: Vec<_> = if spec.len() == CAPACITY { spec.drain(..CAPACITY / 2).collect() } else { Vec::new() };
        assert_eq!(spilled, expected, "the older half spills, and only of a full ring");
        spec.push_back(self.next);
        self.next += 1;
    }

    fn pop(&mut self, who: usize) {
        assert_eq!(self.rings[who].pop().map(number), self.specs[who].pop_front(), "pop");
    }

    /// `who` is out of work and takes half of what the other has.
    fn steal(&mut self, who: usize) {
        if !self.specs[who].is_empty() {
            return;
        }
        let got = self.rings[1 - who].steal_into(&self.rings[who]).map(number);
        let victim = &mut self.specs[1 - who];
        let half = victim.len().div_ceil(2);
        let mut taken: VecDeque<_> = victim.drain(..half).collect();
        assert_eq!(got, taken.pop_back(), "a thief runs the last of what it took");
        self.specs[who] = taken;
    }
}

/// The owner plays the script while a thief steals: every item comes out once.
fn with_a_thief(mut bytes: Bytes<'_>) {
    let ring = LocalQueue::new();
    let done = AtomicBool::new(false);
    let mut next = 0;
    let mut out = Vec::new();
    let stolen = std::thread::scope(|scope| {
        let thief = scope.spawn(|| {
            let mine = LocalQueue::new();
            let mut got = Vec::new();
            loop {
                // Read before the last look: what was pushed before it is seen by that.
                let last = done.load(Ordering::Acquire);
                let stolen = ring.steal_into(&mine);
                got.extend(stolen.into_iter().chain(std::iter::from_fn(|| mine.pop())).map(number));
                if last {
                    return got;
                }
            }
        });
        while !bytes.is_empty() {
            let count = usize::from(bytes.byte()) * 4;
            for round in 0..count {
                ring.push(item(next), |item| out.push(number(item)));
                next += 1;
                if round % (1 + count % 5) == 0 {
                    out.extend(ring.pop().map(number));
                }
            }
            out.extend((0..bytes.byte()).map_while(|_| ring.pop()).map(number));
        }
        done.store(true, Ordering::Release);
        thief.join().expect("the thief does not panic")
    });
    out.extend(std::iter::from_fn(|| ring.pop()).map(number));
    out.extend(stolen);
    out.sort_unstable();
    assert!(out.into_iter().eq(0..next), "an item was lost or doubled");
}
