//! A million goroutines parked at once, and a recursion a million levels deep: the two ends of the stack story.

use crate::{grouped, heading, memory};
use gaggle::sync::WaitGroup;
use gaggle::{chan, go, time};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The portable back end makes two mappings for each stack, and the kernel allows a process 65,530.
const PORTABLE: bool =
    cfg!(any(gaggle_portable, not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))));

/// One page of stack, and some bytes of records and page tables, with a margin.
const EACH: u64 = 6_000;

/// A million; less in a debug build, on the portable back end, or if memory is short.
fn crowd() -> (u64, &'static str) {
    let wanted = if PORTABLE { 10_000 } else { 1_000_000 };
    let room = memory::room().map_or(wanted, |room| room / EACH / 1_000 * 1_000);
    if cfg!(debug_assertions) && !PORTABLE {
        (100_000.min(room), ", a tenth in a debug build")
    } else if room < wanted {
        (room, ", for want of memory")
    } else if PORTABLE {
        (wanted, ", on the portable back end")
    } else {
        (wanted, "")
    }
}

fn figures(before: Option<u64>, after: Option<u64>) -> Option<u64> {
    Some(after?.saturating_sub(before?))
}

pub fn parked() {
    heading(7, "a million goroutines, parked at once", "for range 1_000_000 { go wait(ch) }");
    let (n, why) = crowd();
    let before = memory::used();
    let start = Instant::now();
    let (started, finished) = (WaitGroup::new(), WaitGroup::new());
    let (gate, closed) = chan::<()>(0);
    for _ in 0..n {
        started.add(1);
        finished.add(1);
        go!(stack = 64 << 10, clone started, finished, closed; {
            started.done();
            closed.recv();
            finished.done();
        });
    }
    started.wait();
    println!("   all of them wait on one channel [{}{why}: {:.1?}]", grouped(n), start.elapsed());
    if let Some(taken) = figures(before, memory::used()) {
        println!("   memory and page tables [{}: {} each]", memory::size(taken), memory::size(taken / n));
    }
    let start = Instant::now();
    gate.close();
    finished.wait();
    println!("   the channel is closed, and all of them have finished [{:.1?}]", start.elapsed());
}

/// Frames of a hundred bytes and more, `levels` deep; the deepest one looks at the memory.
#[gaggle::growable]
fn dive(levels: u64) -> (u64, Option<u64>) {
    let frame = black_box([levels; 13]);
    if levels == 0 {
        return (frame[0], memory::used());
    }
    let (sum, used) = dive(levels - 1);
    (sum + frame[(levels % 13) as usize], used)
}

pub fn recursion() {
    heading(8, "a million levels of recursion", "func dive(n int) int { … dive(n-1) … }");
    let levels = 1_000_000;
    let before = memory::used();
    let start = Instant::now();
    let (sum, deepest) = go!(name = "diver"; dive(levels)).join().expect("memory suffices");
    println!("   1 + 2 + … + {} = {} [{:.0?}]", grouped(levels), grouped(sum), start.elapsed());
    let Some(taken) = figures(before, deepest) else { return };
    println!("   at the bottom, in one goroutine [{} more than before]", memory::size(taken));
    // Memory goes back in its own time; not for ever, though.
    let mut kept = taken;
    let deadline = Instant::now() + Duration::from_secs(2);
    while kept > taken / 10 && Instant::now() < deadline {
        time::sleep(Duration::from_millis(1));
        kept = figures(before, memory::used()).unwrap_or(0);
    }
    let given_back = if kept <= taken / 10 { "given back" } else { "NOT given back" };
    println!("   afterwards: {given_back} [{} more than before]", memory::size(kept));
}
