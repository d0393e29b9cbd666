//! `GAGGLE_SCHEDTRACE=ms`: a line on standard error every so many milliseconds, as Go's `GODEBUG=schedtrace=ms`.
//!
//! ```text
//! SCHED 1009ms: gomaxprocs=2 idleprocs=0 threads=5 spinningthreads=1 idlethreads=2 runqueue=0 [0 1]
//! ```
//!
//! | field | meaning |
//! | --- | --- |
//! | `SCHED …ms` | since the runtime was started |
//! | `gomaxprocs` | how many goroutines may run at once |
//! | `idleprocs` | processors without work |
//! | `threads` | threads that run goroutines, sleeping ones too |
//! | `spinningthreads` | those of them that look for work at other processors |
//! | `idlethreads` | those that sleep |
//! | `runqueue` | goroutines in the common queue |
//! | `[…]` | goroutines in the queue of each processor that ever was in use; those that wait for their home thread, in pinned mode, stand nowhere here |

use crate::platform::census;
use crate::sched::{self, counters, threads};
use core::fmt::Write;
use core::time::Duration;
use std::time::Instant;

/// Starts the thread that prints.
pub(super) fn start(every: Duration) {
    let began = Instant::now();
    let run = move || {
        let _own = census::own_thread();
        loop {
            // A clock that strikes; nobody waits for this thread.
            std::thread::sleep(every);
            counters::refresh_clock();
            eprintln!("{}", line(began.elapsed()));
        }
    };
    let started = std::thread::Builder::new().name("gaggle-schedtrace".into()).spawn(run);
    if let Err(error) = started {
        eprintln!("gaggle: GAGGLE_SCHEDTRACE: cannot start a thread: {error}");
    }
}

fn line(elapsed: Duration) -> String {
    let scheduler = sched::scheduler();
    let attendance = scheduler.attendance();
    let mut line = format!(
        "SCHED {}ms: gomaxprocs={} idleprocs={} threads={} spinningthreads={} idlethreads={} runqueue={} [",
        elapsed.as_millis(),
        scheduler.procs(),
        attendance.idle,
        threads::count(),
        attendance.searching,
        attendance.sleepers,
        scheduler.injected(),
    );
    for (at, (_, queued)) in scheduler.counters().enumerate() {
        // Writing to a string never fails.
        let _ = write!(line, "{}{queued}", if at == 0 { "" } else { " " });
    }
    line.push(']');
    line
}
