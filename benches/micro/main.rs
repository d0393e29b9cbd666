//! The inner pieces, each alone and in a hot loop: what it costs at best. Whole workloads are in `../suite`.
//!
//! `cargo bench --bench micro -- [pinned] [NAME …]`; a name, or a part of one. The median and the best of 15 samples,
//! in nanoseconds. One processor, unless `GAGGLE_PROCS` says otherwise.

mod channels;
mod goroutines;
mod ring;
mod rooms;

// What gaggle does not export, compiled here once more, from the same file.
#[allow(dead_code, reason = "the ring's own tests, which are not run here")]
#[path = "../../src/sched/local_queue.rs"]
mod local_queue;

/// What `local_queue` takes from the crate that it belongs to.
mod primitives {
    pub(crate) mod atomic {
        pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
    }
    pub(crate) mod hint {
        pub(crate) use std::hint::spin_loop;
    }
}

use gaggle::runtime;
use std::time::{Duration, Instant};

/// A name, and what does it so many times.
type Piece = (&'static str, fn(u64));

const SAMPLES: usize = 15;
const SAMPLE: Duration = Duration::from_millis(8);

fn time(work: fn(u64), n: u64) -> Duration {
    let start = Instant::now();
    work(n);
    start.elapsed()
}

/// How often fits into a sample; what is to be warmed up is warm then.
fn fitting(work: fn(u64)) -> u64 {
    let mut n = 64;
    loop {
        let took = time(work, n);
        if took >= SAMPLE / 2 {
            return (n as f64 * SAMPLE.as_secs_f64() / took.as_secs_f64()) as u64 + 1;
        }
        n *= 4;
    }
}

fn measure((name, work): &Piece) {
    let n = fitting(*work);
    let mut samples: Vec<_> = (0..SAMPLES).map(|_| time(*work, n).as_nanos() as f64 / n as f64).collect();
    samples.sort_by(f64::total_cmp);
    println!("{name:<44}{:>10.2} ns, at best {:.2}", samples[SAMPLES / 2], samples[0]);
}

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).filter(|w| w != "--bench").collect();
    let pinned = words.iter().any(|w| w == "pinned");
    words.retain(|w| w != "pinned" && w != "migrate");
    let mut builder = runtime::Builder::new();
    if std::env::var_os("GAGGLE_PROCS").is_none() {
        builder = builder.max_procs(1);
    }
    if !pinned {
        // SAFETY: no piece holds a borrow of a thread local, or a value tied to a thread, across a park.
        builder = unsafe { builder.migrate() };
    }
    builder.start().expect("nothing runs yet");
    gaggle::run(move || {
        let all = [goroutines::PIECES, ring::PIECES, channels::PIECES, rooms::PIECES].concat();
        let wanted = |piece: &&Piece| words.is_empty() || words.iter().any(|w| piece.0.contains(w.as_str()));
        all.iter().filter(wanted).for_each(measure);
    });
}
