//! B23: what growth by copying frames breaks, under `#[growable]`; deeper, and across threads, than `stack/growth.rs`.

use crate::support::{everywhere, scaled, turn, yields};
use gaggle::{chan, growable, spawn};
use std::cell::Cell;
use std::hint::black_box;
use std::pin::Pin;

const DEPTH: u64 = if cfg!(debug_assertions) { 2_000 } else { 20_000 };

#[test]
fn b23_a_mutable_argument_survives_growth() {
    // A `&mut` in a register that points into a frame that has moved: silent garbage.
    let _turn = turn("b23_a_mutable_argument_survives_growth");
    #[growable]
    fn count(depth: u64, sum: &mut u64, cells: &[Cell<u64>; 4]) {
        let mut own = depth;
        if depth > 0 {
            count(depth - 1, &mut own, cells);
            if depth.is_multiple_of(500) {
                gaggle::runtime::yield_now();
            }
        }
        cells[(depth % 4) as usize].set(cells[(depth % 4) as usize].get() + 1);
        *sum += own;
    }
    everywhere(scaled(10), || {
        let all: Vec<_> = (0..4)
            .map(|_| {
                spawn(|| {
                    let (mut sum, cells) = (0, [const { Cell::new(0) }; 4]);
                    count(DEPTH, &mut sum, black_box(&cells));
                    (sum, cells.iter().map(Cell::get).sum::<u64>())
                })
            })
            .collect();
        for g in all {
            assert_eq!(g.join().unwrap(), (DEPTH * (DEPTH + 1) / 2, DEPTH + 1));
        }
    });
}

#[test]
fn b23_boxes_and_pins_into_the_stack_survive_growth() {
    // A reference held in the heap: nothing that scans a stack finds it.
    let _turn = turn("b23_boxes_and_pins_into_the_stack_survive_growth");
    struct Node<'a> {
        value: u64,
        outer: Option<&'a Node<'a>>,
    }
    #[growable]
    #[allow(clippy::redundant_allocation, reason = "a reference in the heap is the test")]
    fn link(depth: u64, outer: &Node<'_>, heap: Vec<Box<&u64>>) -> u64 {
        let here = std::pin::pin!(Node { value: depth, outer: Some(outer) });
        let pinned: Pin<&Node<'_>> = here.as_ref();
        let mut heap: Vec<Box<&u64>> = heap;
        if depth.is_multiple_of(16) {
            heap.push(Box::new(&pinned.get_ref().value));
        }
        if depth > 0 {
            return link(depth - 1, pinned.get_ref(), heap.iter().map(|b| Box::new(**b)).collect());
        }
        yields(2);
        let chain: u64 = std::iter::successors(Some(pinned.get_ref()), |n| n.outer).map(|n| n.value).sum();
        chain + heap.iter().map(|b| ***b).sum::<u64>()
    }
    everywhere(scaled(10), || {
        const LINKS: u64 = 1_000;
        let sum = spawn(|| link(LINKS, &Node { value: 0, outer: None }, Vec::new())).join().unwrap();
        assert_eq!(sum, LINKS * (LINKS + 1) / 2 + (0..=LINKS).filter(|n| n % 16 == 0).sum::<u64>());
    });
}

#[test]
fn b23_a_scoped_childs_borrow_survives_growth() {
    // A child on another thread that writes into a frame of its parent while the parent grows.
    let _turn = turn("b23_a_scoped_childs_borrow_survives_growth");
    #[growable]
    fn down(depth: u64, from: &gaggle::Receiver<u64>) -> u64 {
        let frame = black_box([depth; 16]);
        let below = if depth > 0 { down(depth - 1, from) } else { from.iter().sum() };
        below + frame[(depth % 16) as usize] - depth
    }
    everywhere(scaled(20), || {
        spawn(|| {
            let mut slots = [0u64; 8];
            let (tx, rx) = chan(0);
            let sum = gaggle::scope(|s| {
                for (n, slot) in slots.iter_mut().enumerate() {
                    let tx = tx.clone();
                    s.go(move || {
                        for _ in 0..20 {
                            *slot += n as u64;
                            tx.send(*slot).unwrap();
                        }
                    });
                }
                drop(tx);
                down(DEPTH / 4, &rx)
            });
            assert_eq!(slots, [0, 20, 40, 60, 80, 100, 120, 140]);
            assert_eq!(sum, 28 * 210);
        })
        .join()
        .unwrap();
    });
}
