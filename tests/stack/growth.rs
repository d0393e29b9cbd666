//! Recursion beyond the stack: depth, references held across, panics, parks, the memory afterwards.

use super::program;
use gaggle::stack;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};

const LEVELS: usize = if cfg!(debug_assertions) { 300_000 } else { 1_000_000 };

/// Resident bytes of this process.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// About a hundred bytes of frame that the compiler must keep.
#[gaggle::growable]
fn levels(depth: usize) -> usize {
    let frame = black_box([depth as u64; 10]);
    let below = if depth == 0 { 0 } else { levels(depth - 1) };
    below + usize::from(frame[depth % 10] == depth as u64)
}

#[test]
fn a_million_levels_deep_and_the_memory_is_given_back() {
    // Recursion that the stack cannot hold must not crash, nor keep its memory for ever.
    let ended = program("growth::program_a_million_levels", &[]);
    assert!(ended.success, "{}", ended.stderr);
}

#[test]
#[ignore = "a program: it measures its process"]
fn program_a_million_levels() {
    // See `a_million_levels_deep_and_the_memory_is_given_back`.
    let task = gaggle::spawn(|| {
        let before = resident();
        let deep = levels(LEVELS);
        (deep, before, resident())
    });
    let (deep, before, after) = task.join().unwrap();
    assert_eq!(deep, LEVELS + 1);
    let kept = after.saturating_sub(before);
    assert!(kept < 4 << 20, "{kept} bytes are still resident");
}

#[test]
fn plain_threads_grow_too() {
    // The same library code runs on goroutines and on threads.
    let deep = std::thread::Builder::new().stack_size(128 << 10).spawn(|| levels(20_000)).unwrap().join().unwrap();
    assert_eq!(deep, 20_001);
}

#[test]
fn every_level_of_room_is_as_promised() {
    // A checked function must always find room for the unchecked code below it.
    fn descend(depth: usize) -> usize {
        stack::grow(|| {
            assert!(stack::remaining() > 10 << 10, "{} bytes left", stack::remaining());
            let frame = black_box([0_u8; 500]);
            if depth == 0 { frame.len() } else { descend(depth - 1) }
        })
    }
    for size in [64 << 10, 256 << 10, 1 << 20] {
        let task = gaggle::task::Builder::new().stack_size(size).spawn(|| descend(5_000)).unwrap();
        assert_eq!(task.join().unwrap(), 500);
    }
}

#[test]
fn with_room_has_the_room_it_was_asked_for() {
    // A call that needs a large frame must not be left on a small segment.
    let sum = gaggle::run(|| {
        stack::with_room(3 << 20, || {
            assert!(stack::remaining() >= 3 << 20);
            let large = black_box([1_u8; 2 << 20]);
            large.iter().map(|&byte| u64::from(byte)).sum::<u64>()
        })
    });
    assert_eq!(sum, 2 << 20);
}

#[test]
fn b23_references_into_the_stack_survive_growth() {
    // A stack that grows by moving leaves them dangling: in an argument, in a register, in a box, in a child's borrow.
    #[gaggle::growable]
    fn by_argument(depth: usize, count: &mut u64) {
        *count += 1;
        if depth > 0 {
            by_argument(depth - 1, count);
        }
    }
    #[gaggle::growable]
    #[allow(clippy::redundant_allocation, reason = "references kept on the heap are the test")]
    fn by_box<'a>(depth: usize, local: &'a u64, mut held: Vec<Box<&'a u64>>) -> u64 {
        held.push(Box::new(local));
        if depth == 0 {
            return held.iter().map(|reference| ***reference).sum();
        }
        let here = black_box(depth as u64);
        by_box(depth - 1, &here, held)
    }
    #[gaggle::growable]
    fn by_child(depth: usize, outer: &std::sync::atomic::AtomicU64) {
        use std::sync::atomic::{AtomicU64, Ordering};
        let own = AtomicU64::new(0);
        gaggle::scope(|scope| {
            scope.go(|| {
                gaggle::runtime::yield_now();
                own.fetch_add(1, Ordering::Relaxed);
                outer.fetch_add(1, Ordering::Relaxed);
            });
            if depth > 0 {
                by_child(depth - 1, &own);
            }
        });
        assert_eq!(own.load(Ordering::Relaxed), if depth > 0 { 2 } else { 1 });
    }
    gaggle::run(|| {
        let mut count = 0;
        by_argument(50_000, &mut count);
        assert_eq!(count, 50_001);
        let first = 7;
        assert_eq!(by_box(20_000, &first, Vec::new()), 7 + (1..=20_000).sum::<u64>());
        by_child(500, &std::sync::atomic::AtomicU64::new(0));
    });
}

#[test]
fn goroutines_park_inside_their_segments() {
    // The switch must resume it there, and each return must find the segment it came from.
    fn nest(links: usize, rx: &gaggle::Receiver<u64>, tx: &gaggle::Sender<u64>) -> u64 {
        if links == 0 {
            tx.send(1).unwrap();
            return rx.recv().unwrap();
        }
        let before = black_box(links as u64);
        // More room than is left: each call is a new link.
        let inner = stack::with_room(stack::remaining() + 1, || nest(links - 1, rx, tx));
        tx.send(links as u64).unwrap();
        inner + before
    }
    gaggle::run(|| {
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let ((down, rx), (tx, up)) = (gaggle::chan::<u64>(0), gaggle::chan::<u64>(0));
                (gaggle::spawn(move || nest(4, &rx, &tx)), down, up)
            })
            .collect();
        for (_, down, up) in &tasks {
            assert_eq!(up.recv(), Some(1));
            down.send(1000).unwrap();
        }
        for (task, _down, up) in tasks {
            assert!(up.iter().eq(1..=4));
            assert_eq!(task.join().unwrap(), 1000 + (1..=4).sum::<u64>());
        }
    });
}

#[test]
fn a_panic_unwinds_through_segments_and_drops_what_they_hold() {
    // Unwinding that stops at a boundary aborts the process, or leaks what lies beyond.
    struct Counted<'a>(&'a std::cell::Cell<usize>);
    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    #[gaggle::growable]
    fn sink(depth: usize, drops: &std::cell::Cell<usize>) {
        let _counted = Counted(drops);
        let frame = black_box([0_u8; 200]);
        if depth == 0 {
            std::panic::resume_unwind(Box::new(frame.len()));
        }
        sink(depth - 1, drops);
    }
    gaggle::run(|| {
        for _ in 0..3 {
            let drops = std::cell::Cell::new(0);
            let before = stack::remaining();
            let payload = catch_unwind(AssertUnwindSafe(|| sink(10_000, &drops))).unwrap_err();
            assert_eq!(*payload.downcast::<usize>().unwrap(), 200);
            assert_eq!(drops.get(), 10_001);
            assert!(stack::remaining().abs_diff(before) < 4096, "not back on the first stack");
        }
    });
}

#[test]
#[cfg_attr(gaggle_portable, ignore = "a generator's backtrace ends at its foot")]
fn a_backtrace_crosses_segments() {
    // Without it a crash deep in a recursion would hide who started it.
    #[inline(never)]
    fn the_one_who_started_it() -> String {
        fn down(links: usize) -> String {
            if links == 0 {
                return std::backtrace::Backtrace::force_capture().to_string();
            }
            stack::with_room(stack::remaining() + 1, || down(links - 1))
        }
        black_box(down(black_box(3)))
    }
    let trace = gaggle::spawn(the_one_who_started_it).join().unwrap();
    assert!(trace.contains("the_one_who_started_it"), "{trace}");
}

#[test]
fn a_loop_across_the_boundary_takes_one_segment() {
    // Mapping a segment for each crossing (the hot split) would make the loop a thousand times slower.
    fn at_the_edge() -> Option<usize> {
        let frame = black_box([0_u8; 256]);
        if stack::remaining() > (32 << 10) + 700 {
            return at_the_edge().filter(|_| frame[0] == 0);
        }
        let mut places: Vec<usize> = (0..1000).map(|_| stack::grow(|| stack::grow(place))).collect();
        places.sort_unstable();
        places.dedup();
        Some(places.len())
    }
    #[inline(never)]
    fn place() -> usize {
        let frame = black_box([0_u8; 2048]);
        stack::with_room(stack::remaining() + 1, || black_box(&raw const frame as usize))
    }
    let places = gaggle::spawn(at_the_edge).join().unwrap();
    assert_eq!(places, Some(1));
}
