//! The wait queue by itself, against a plain list.

use super::{WaitNode, WaitQueue};
use crate::park::begin_wait;
use crate::primitives::rand::Rng;
use std::collections::VecDeque;

fn nodes() -> Vec<WaitNode> {
    let ticket = begin_wait();
    assert!(ticket.cancel());
    (0..6).map(|arm| WaitNode::new(ticket, arm, std::ptr::null_mut())).collect()
}

/// The whole queue, walked both ways.
fn check(queue: &WaitQueue, expected: &VecDeque<usize>) {
    let (mut arms, mut before) = (Vec::new(), std::ptr::null_mut());
    let mut at = queue.head;
    while !at.is_null() {
        // SAFETY: the nodes outlive the queue, and this thread alone accesses them.
        let node = unsafe { &*at };
        assert!(node.linked);
        assert_eq!(node.prev, before, "the way back leads elsewhere");
        arms.push(node.arm as usize);
        (before, at) = (at, node.next);
    }
    assert_eq!(queue.tail, before);
    assert_eq!(arms, Vec::from(expected.clone()));
}

#[test]
fn a_queue_against_a_list() {
    // A waiter that is lost, served twice, or out of turn; a link into a frame that is gone.
    let mut rng = Rng::new(1);
    for _ in 0..50 {
        let (mut queue, mut list, mut nodes) = (WaitQueue::new(), VecDeque::new(), nodes());
        let base = nodes.as_mut_ptr();
        for _ in 0..100 {
            let n = rng.below(6) as usize;
            // SAFETY: in bounds, and the nodes stay in place.
            let node = unsafe { base.add(n) };
            // SAFETY: as above; this thread is the only one.
            unsafe {
                match rng.below(4) {
                    0 | 1 if !(*node).linked => {
                        queue.push_back(node);
                        list.push_back(n);
                    }
                    2 => {
                        let popped = queue.pop_front().map(|node| node.as_ref().arm as usize);
                        assert_eq!(popped, list.pop_front());
                    }
                    _ => {
                        let was_there = list.iter().position(|m| *m == n).and_then(|at| list.remove(at)).is_some();
                        assert_eq!(queue.remove(node), was_there);
                    }
                }
            }
            assert_eq!(queue.is_empty(), list.is_empty());
            check(&queue, &list);
        }
    }
}
