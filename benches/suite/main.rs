//! Whole workloads, the same as in `../go/main.go` and `../peers`; `benches/compare` runs them side by side.
//!
//! `cargo bench --bench suite -- [pinned|migrate] [--divide N] [--parked N] [--list] [WORKLOAD …]` prints one line per
//! figure (see `harness.rs`). `GAGGLE_PROCS` sets the number of processors. Sums and counts are asserted.

mod chains;
mod channels;
mod crowds;
mod goroutines;
mod harness;
mod selects;
mod sockets;

use gaggle::runtime;
use harness::{Options, Run};

fn workload(name: &str) -> Run {
    match name {
        "yield" => Run::Timed(goroutines::yields),
        "ping-pong" => Run::Timed(channels::ping_pong),
        "spsc unbuffered" => Run::Timed(|n| channels::spsc(n, 0)),
        "spsc 128" => Run::Timed(|n| channels::spsc(n, 128)),
        "mpmc 4x4 128" => Run::Timed(|n| channels::many(n, 4, 4, 128)),
        "mpsc 1000x1 1024" => Run::Timed(|n| channels::many(n, 1000, 1, 1024)),
        "select over 2" => Run::Timed(selects::two),
        "select default" => Run::Timed(selects::default),
        "fan-in of 8" => Run::Timed(selects::fan_in),
        "ring of 503" => Run::Timed(chains::ring),
        "prime sieve 1500" => Run::Timed(chains::prime_sieve),
        "skynet" => Run::Timed(chains::skynet),
        "spawn and join" => Run::Timed(goroutines::spawn_join),
        "spawn 100k" => Run::Timed(goroutines::spawn_many),
        "parked" => Run::But(crowds::SMALL, Box::new(Run::Figures(crowds::parked))),
        "sleeps" => Run::Figures(crowds::sleeps),
        "mutex 8" => Run::Timed(goroutines::mutex),
        "recursion 10k" => Run::First(goroutines::recursion),
        "tcp echo 64" => Run::Timed(|n| sockets::echoes(n, 64)),
        "tcp idle" => Run::Figures(sockets::idle),
        _ => Run::Missing("not written yet"),
    }
}

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).filter(|w| w != "--bench").collect();
    if let [hold, address, n] = &words[..]
        && hold == "hold"
    {
        return sockets::hold(address, n.parse().expect("a number"));
    }
    let pinned = words.iter().any(|w| w == "pinned");
    words.retain(|w| w != "pinned" && w != "migrate");
    if !pinned {
        // SAFETY: no workload holds a borrow of a thread local, or a value tied to a thread, across a park.
        unsafe { runtime::Builder::new().migrate() }.start().expect("nothing runs yet");
    }
    let options = Options::from(words.into_iter());
    gaggle::run(move || harness::measure(&options, workload));
}
