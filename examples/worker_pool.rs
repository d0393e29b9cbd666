//! A worker pool: three goroutines share one channel of jobs and answer on one channel of results.
//!
//! The idea is the worker-pool page of "Go by Example" (gobyexample.com).
//!
//! Pinned mode, the default: the jobs wait, and waiting needs no thread. `main` borrows nothing and hands everything
//! over through channels.

use gaggle::{chan, go, time};
use std::time::{Duration, Instant};

const WORKERS: usize = 3;
const JOBS: u32 = 9;
const WORK: Duration = Duration::from_millis(10);

fn work(jobs: gaggle::Receiver<u32>, results: gaggle::Sender<(u32, u32)>) {
    // A receiver can be cloned: the workers compete for the jobs, and each job goes to one of them.
    for job in jobs {
        time::sleep(WORK);
        results.send((job, job * job)).expect("main listens until the last worker is gone");
    }
}

#[gaggle::main]
fn main() {
    let start = Instant::now();
    let (job, jobs) = chan(JOBS as usize);
    let (result, results) = chan(0);
    for n in 1..=WORKERS {
        go!(name = format!("worker {n}"), clone jobs, result; work(jobs, result));
    }
    // `results` ends when the workers, its last senders, have ended.
    drop(result);

    for n in 1..=JOBS {
        job.send(n).expect("the workers listen");
    }
    // Dropping the last sender closes the channel: the workers finish what is buffered, then stop.
    drop(job);

    let mut squares: Vec<_> = results.iter().collect();
    let took = start.elapsed();
    squares.sort_unstable();
    for (job, square) in squares {
        println!("job {job}: {square}");
    }
    // Nine jobs for three workers are three rounds at the least.
    println!("not before three rounds of work were over: {} [{took:.0?}]", took >= 3 * WORK);
}
