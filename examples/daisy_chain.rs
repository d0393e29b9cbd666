//! A whisper down a chain of 100,000 goroutines: each takes a number from its right, adds one, hands it to its left.
//!
//! The idea is the "gopher daisy chain" of Rob Pike's talk "Go Concurrency Patterns" (2012).
//!
//! Migrating mode, as a program ported from Go would run; the links touch no thread local. `stack = 64 << 10` asks for
//! the smallest class of stack: 100,000 of them take 6.4 GB of addresses, and of memory one page each.

use gaggle::{chan, go};
use std::time::Instant;

/// The portable back end makes two mappings for each stack, and the kernel allows a process 65,530.
const PORTABLE: bool =
    cfg!(any(gaggle_portable, not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))));

const LINKS: u32 = if PORTABLE { 10_000 } else { 100_000 };

#[gaggle::main(unsafe(migrate))]
fn main() {
    let start = Instant::now();
    let (first, leftmost) = chan::<u32>(0);
    let mut left = first;
    for _ in 0..LINKS {
        let (tx, right) = chan::<u32>(0);
        go!(stack = 64 << 10; {
            let heard = right.recv().expect("the neighbour says something");
            left.send(heard + 1).expect("the neighbour listens");
        });
        left = tx;
    }
    let built = start.elapsed();
    left.send(0).expect("the last link listens");
    let heard = leftmost.recv().expect("the whisper arrives");
    println!("{heard}");
    println!("[built in {built:.0?}, whispered in {:.0?}]", start.elapsed() - built);
}
