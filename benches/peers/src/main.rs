//! The workloads of `../suite`, in other libraries. `../compare` runs them beside gaggle.
//!
//! `gaggle-peers --peers` lists who takes part; `gaggle-peers PEER [--divide N] [--parked N] [WORKLOAD …]` prints figures
//! as `../suite/harness.rs` says. `PEER_PROCS` is the number of worker threads; peers on plain threads are bound to so
//! many CPUs instead.

mod go_side;
#[path = "../../suite/harness.rs"]
mod harness;
mod may_side;
mod talk;
mod tasks;
mod threads;

use harness::{Options, Run};

const ROUNDED_UP: &str = "channels of capacity 1, as there are none without a buffer";
const NO_SELECT: &str = "no select";
const LEFT_OUT: &str = "left out";
const NOT_TASKS: &str = "channels only, on plain threads";

type Side = fn(&str) -> Run;

const PEERS: [(&str, Side); 9] = [
    ("tokio", tasks::tokio),
    ("tokio+flume", tasks::flume),
    ("tokio+kanal", tasks::kanal),
    ("may", may_side::workload),
    ("go-lib", go_side::workload),
    ("crossbeam-channel", threads::crossbeam),
    ("flume", threads::flume),
    ("kanal", threads::kanal),
    ("crossfire", threads::crossfire),
];

/// How many processors to use.
fn procs() -> usize {
    let cpus = || std::thread::available_parallelism().map_or(1, |n| n.get());
    std::env::var("PEER_PROCS").ok().and_then(|n| n.parse().ok()).unwrap_or_else(cpus)
}

fn main() {
    let mut words = std::env::args().skip(1);
    let first = words.next().unwrap_or_default();
    if first == "--peers" {
        PEERS.iter().for_each(|(name, _)| println!("{name}"));
        return;
    }
    let Some((_, side)) = PEERS.iter().find(|(name, _)| *name == first) else {
        eprintln!("no peer {first:?}: --peers lists them");
        std::process::exit(2);
    };
    let options = Options::from(words);
    match first.as_str() {
        "may" => may_side::run(options, *side),
        "go-lib" => go_side::run(options, *side),
        _ => harness::measure(&options, side),
    }
}
