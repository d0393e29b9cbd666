//! The interpreters of `fuzz/ops` on their fixed corpus and on random scripts: what the fuzz targets look for is looked
//! for in every `cargo test` too. A failure names the script; `GAGGLE_SEED` plays a random one again.

#[path = "../fuzz/ops/books.rs"]
mod books;
#[path = "../fuzz/ops/bytes.rs"]
mod bytes;
#[path = "../fuzz/ops/chan.rs"]
mod chan;
#[path = "../fuzz/ops/chan_crowd.rs"]
mod chan_crowd;
#[path = "../fuzz/ops/ledger.rs"]
mod ledger;
#[path = "../src/sched/local_queue.rs"]
mod local_queue;
#[path = "../fuzz/ops/play.rs"]
mod play;
#[path = "../fuzz/ops/ring.rs"]
mod ring;
#[path = "../fuzz/ops/select.rs"]
mod select;
#[path = "../fuzz/ops/select_crowd.rs"]
mod select_crowd;
#[path = "../fuzz/ops/stage.rs"]
mod stage;
#[path = "../fuzz/ops/timers.rs"]
mod timers;

use std::path::Path;

/// What `local_queue` takes from the crate that it belongs to.
mod primitives {
    pub(crate) mod atomic {
        pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
    }
    pub(crate) mod hint {
        pub(crate) use std::hint::spin_loop;
    }
}

fn play(run: fn(&[u8]), corpus: &str, rounds: u64) {
    play::play(run, &Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(corpus), rounds);
}

#[test]
fn chan_against_a_queue() {
    // An answer, a length or a drop that a plain queue with a limit would not give.
    play(chan::run, "chan", 5_000);
}

#[test]
fn chan_conserves_values_among_many() {
    // A value lost, doubled or overtaken between parties that run at the same time; a waiter that is never woken.
    play(chan_crowd::run, "chan_crowd", 1_500);
}

#[test]
fn select_against_a_queue() {
    // A choice among arms that are not ready, a default although one is, a value moved by an arm that lost.
    play(select::run, "select", 5_000);
}

#[test]
fn select_conserves_values_among_many() {
    // Selects face to face that lose a value, take one twice, or sleep on although one of them could go.
    play(select_crowd::run, "select_crowd", 1_500);
}

#[test]
fn timers_are_never_stale() {
    // A value of before a stop or a reset, a value before its time, an arming lost or run twice.
    play(timers::run, "timers", 400);
}

#[test]
fn ring_against_a_queue() {
    // A goroutine lost or run twice by a full ring, or between its owner and a thief.
    play(ring::run, "ring", 1_000);
}
