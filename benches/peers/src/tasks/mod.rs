//! tokio, with its own channels and with those of two other libraries.

mod channels;
mod crowds;
mod echo;
mod selects;
mod workloads;

use crate::harness::Run;
use crate::{LEFT_OUT, ROUNDED_UP};
use channels::{Flume, Kanal, Tokio};
use std::future::Future;
use std::sync::OnceLock;
use tokio::runtime::{Builder, Runtime};

const NO_STACK: &str = "tasks have no stack of their own; a thread's has an end";
const KEPT: &str = "its receives are kept from turn to turn: one that is dropped loses its value";
const UNCLOSABLE: &str = "tokio's watch channel";
const ONE_CONSUMER: &str = "no channel with several consumers";

/// Runs `work` as a task, and waits for it.
fn run<F: Future<Output: Send> + Send + 'static>(work: F) -> F::Output {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME
        .get_or_init(|| Builder::new_multi_thread().worker_threads(crate::procs()).enable_all().build().unwrap());
    runtime.block_on(async { tokio::spawn(work).await.unwrap() })
}

fn but(difference: &'static str, run: Run) -> Run {
    Run::But(difference, Box::new(run))
}

/// What has nothing to do with channels.
fn common(name: &str) -> Run {
    match name {
        "yield" => Run::Timed(|n| run(workloads::yields(n))),
        "spawn and join" => Run::Timed(|n| run(workloads::spawn_join(n))),
        "spawn 100k" => Run::Timed(|n| run(workloads::spawn_many(n))),
        "mutex 8" => Run::Timed(|n| run(workloads::mutex(n))),
        "tcp echo 64" => Run::Timed(|n| run(echo::echoes(n))),
        "tcp idle" => Run::Missing(LEFT_OUT),
        "sleeps" => Run::Figures(|n| run(crowds::sleeps(n))),
        _ => Run::Missing(NO_STACK),
    }
}

/// Figures for the same thing are taken once, with tokio's own channels.
fn elsewhere(name: &str) -> Run {
    Run::Missing(if name.starts_with("recursion") { NO_STACK } else { "as in the column of tokio" })
}

pub fn tokio(name: &str) -> Run {
    match name {
        "ping-pong" => but(ROUNDED_UP, Run::Timed(|n| run(workloads::ping_pong::<Tokio>(n)))),
        "spsc unbuffered" => but(ROUNDED_UP, Run::Timed(|n| run(workloads::spsc::<Tokio>(n, 0)))),
        "spsc 128" => Run::Timed(|n| run(workloads::spsc::<Tokio>(n, 128))),
        "mpmc 4x4 128" => Run::Missing(ONE_CONSUMER),
        "mpsc 1000x1 1024" => Run::Timed(|n| run(workloads::many::<Tokio>(n, 1000, 1, 1024))),
        "select over 2" => but(ROUNDED_UP, Run::Timed(|n| run(selects::two::<Tokio>(n)))),
        "select default" => Run::Timed(|n| run(selects::default::<Tokio>(n))),
        "fan-in of 8" => but(ROUNDED_UP, Run::Timed(|n| run(selects::fan_in::<Tokio>(n)))),
        "ring of 503" => but(ROUNDED_UP, Run::Timed(|n| run(workloads::ring::<Tokio>(n)))),
        "prime sieve 1500" => but(ROUNDED_UP, Run::Timed(|n| run(workloads::prime_sieve::<Tokio>(n)))),
        "skynet" => but(ROUNDED_UP, Run::Timed(|n| run(workloads::skynet::<Tokio>(n)))),
        "parked" => but(UNCLOSABLE, Run::Figures(|n| run(crowds::parked_on_watch(n)))),
        _ => common(name),
    }
}

pub fn flume(name: &str) -> Run {
    match name {
        "ping-pong" => Run::Timed(|n| run(workloads::ping_pong::<Flume>(n))),
        "spsc unbuffered" => Run::Timed(|n| run(workloads::spsc::<Flume>(n, 0))),
        "spsc 128" => Run::Timed(|n| run(workloads::spsc::<Flume>(n, 128))),
        "mpmc 4x4 128" => Run::Timed(|n| run(workloads::many::<Flume>(n, 4, 4, 128))),
        "mpsc 1000x1 1024" => Run::Timed(|n| run(workloads::many::<Flume>(n, 1000, 1, 1024))),
        "select over 2" => Run::Timed(|n| run(selects::two::<Flume>(n))),
        "select default" => Run::Timed(|n| run(selects::default::<Flume>(n))),
        "fan-in of 8" => Run::Timed(|n| run(selects::fan_in::<Flume>(n))),
        "ring of 503" => Run::Timed(|n| run(workloads::ring::<Flume>(n))),
        "prime sieve 1500" => Run::Timed(|n| run(workloads::prime_sieve::<Flume>(n))),
        "skynet" => Run::Timed(|n| run(workloads::skynet::<Flume>(n))),
        "parked" => Run::Figures(|n| run(crowds::parked::<Flume>(n))),
        _ => elsewhere(name),
    }
}

pub fn kanal(name: &str) -> Run {
    match name {
        "ping-pong" => Run::Timed(|n| run(workloads::ping_pong::<Kanal>(n))),
        "spsc unbuffered" => Run::Timed(|n| run(workloads::spsc::<Kanal>(n, 0))),
        "spsc 128" => Run::Timed(|n| run(workloads::spsc::<Kanal>(n, 128))),
        "mpmc 4x4 128" => Run::Timed(|n| run(workloads::many::<Kanal>(n, 4, 4, 128))),
        "mpsc 1000x1 1024" => Run::Timed(|n| run(workloads::many::<Kanal>(n, 1000, 1, 1024))),
        "select over 2" => but(KEPT, Run::Timed(|n| run(selects::two_kept(n)))),
        "select default" => Run::Timed(|n| run(selects::default::<Kanal>(n))),
        "fan-in of 8" => but(KEPT, Run::Timed(|n| run(selects::fan_in_kept(n)))),
        "ring of 503" => Run::Timed(|n| run(workloads::ring::<Kanal>(n))),
        "prime sieve 1500" => Run::Timed(|n| run(workloads::prime_sieve::<Kanal>(n))),
        "skynet" => Run::Timed(|n| run(workloads::skynet::<Kanal>(n))),
        "parked" => Run::Figures(|n| run(crowds::parked::<Kanal>(n))),
        _ => elsewhere(name),
    }
}
