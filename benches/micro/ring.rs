//! The run queue of a processor.

use crate::Piece;
use crate::local_queue::{CAPACITY, LocalQueue};
use std::hint::black_box;
use std::ptr::NonNull;

pub const PIECES: &[Piece] = &[
    ("ring: push and pop", push_pop),
    ("ring: push, of a queue that spills", spill),
    ("ring: push, steal half, pop; per item", steal),
];

fn item(n: u64) -> NonNull<u8> {
    NonNull::new(std::ptr::without_provenance_mut(n as usize + 1)).expect("one more than a number is not null")
}

fn push_pop(n: u64) {
    let ring = black_box(LocalQueue::new());
    for i in 0..n {
        ring.push(item(i), |_| unreachable!("it is nearly empty"));
        assert_eq!(ring.pop(), Some(item(i)));
    }
}

fn spill(n: u64) {
    let ring = black_box(LocalQueue::new());
    let mut spilled = 0;
    (0..n).for_each(|i| ring.push(item(i), |_| spilled += 1));
    let left = std::iter::from_fn(|| ring.pop()).count() as u64;
    assert_eq!(spilled + left, n);
}

fn steal(n: u64) {
    const BATCH: u64 = CAPACITY as u64 / 2;
    let (ring, mine) = (black_box(LocalQueue::new()), black_box(LocalQueue::new()));
    let rounds = n.div_ceil(BATCH);
    let mut seen = 0;
    for _ in 0..rounds {
        (0..BATCH).for_each(|i| ring.push(item(i), |_| unreachable!("half full")));
        seen += u64::from(ring.steal_into(&mine).is_some());
        seen += std::iter::from_fn(|| mine.pop()).count() as u64;
        seen += std::iter::from_fn(|| ring.pop()).count() as u64;
    }
    assert_eq!(seen, rounds * BATCH);
}
