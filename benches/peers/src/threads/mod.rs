//! Channels on plain threads.

mod channels;
mod selects;
mod workloads;

use crate::harness::Run;
use crate::{NO_SELECT, NOT_TASKS, ROUNDED_UP};
use channels::{Crossbeam, CrossfireMpmc, CrossfireMpsc, CrossfireSpsc, Flume, Kanal};
use workloads::{many, ping_pong, ring, select_default, spsc};

const SIEVE: &str = "a chain of 1,500 threads: left out, as a run takes minutes";

/// Binds the process to as many CPUs as there shall be processors.
fn bind() {
    // SAFETY: `cpu_set_t` is plain bits; the calls read and write whole ones.
    unsafe {
        let mut set = std::mem::zeroed::<libc::cpu_set_t>();
        let size = size_of::<libc::cpu_set_t>();
        assert_eq!(libc::sched_getaffinity(0, size, &mut set), 0);
        let allowed = (0..libc::CPU_SETSIZE as usize).filter(|cpu| libc::CPU_ISSET(*cpu, &set));
        let mut chosen = std::mem::zeroed::<libc::cpu_set_t>();
        allowed.take(crate::procs()).for_each(|cpu| libc::CPU_SET(cpu, &mut chosen));
        assert_eq!(libc::sched_setaffinity(0, size, &chosen), 0);
    }
}

/// Each operation is a switch between threads.
fn switching(run: fn(u64)) -> Run {
    Run::Less(10, Box::new(Run::Timed(run)))
}

fn rounded_up(run: fn(u64)) -> Run {
    Run::But(ROUNDED_UP, Box::new(switching(run)))
}

fn others(name: &str) -> Run {
    Run::Missing(if name.starts_with("prime sieve") { SIEVE } else { NOT_TASKS })
}

pub fn crossbeam(name: &str) -> Run {
    bind();
    match name {
        "ping-pong" => switching(ping_pong::<Crossbeam>),
        "spsc unbuffered" => switching(|n| spsc::<Crossbeam>(n, 0)),
        "spsc 128" => Run::Timed(|n| spsc::<Crossbeam>(n, 128)),
        "mpmc 4x4 128" => Run::Timed(|n| many::<Crossbeam>(n, 4, 4, 128)),
        "mpsc 1000x1 1024" => Run::Timed(|n| many::<Crossbeam>(n, 1000, 1, 1024)),
        "select over 2" => switching(selects::crossbeam_two),
        "select default" => Run::Timed(select_default::<Crossbeam>),
        "fan-in of 8" => switching(selects::crossbeam_fan_in),
        "ring of 503" => switching(ring::<Crossbeam>),
        _ => others(name),
    }
}

pub fn flume(name: &str) -> Run {
    bind();
    match name {
        "ping-pong" => switching(ping_pong::<Flume>),
        "spsc unbuffered" => switching(|n| spsc::<Flume>(n, 0)),
        "spsc 128" => Run::Timed(|n| spsc::<Flume>(n, 128)),
        "mpmc 4x4 128" => Run::Timed(|n| many::<Flume>(n, 4, 4, 128)),
        "mpsc 1000x1 1024" => Run::Timed(|n| many::<Flume>(n, 1000, 1, 1024)),
        "select over 2" => switching(selects::flume_two),
        "select default" => Run::Timed(select_default::<Flume>),
        "fan-in of 8" => switching(selects::flume_fan_in),
        "ring of 503" => switching(ring::<Flume>),
        _ => others(name),
    }
}

pub fn kanal(name: &str) -> Run {
    bind();
    match name {
        "ping-pong" => switching(ping_pong::<Kanal>),
        "spsc unbuffered" => switching(|n| spsc::<Kanal>(n, 0)),
        "spsc 128" => Run::Timed(|n| spsc::<Kanal>(n, 128)),
        "mpmc 4x4 128" => Run::Timed(|n| many::<Kanal>(n, 4, 4, 128)),
        "mpsc 1000x1 1024" => Run::Timed(|n| many::<Kanal>(n, 1000, 1, 1024)),
        "select default" => Run::Timed(select_default::<Kanal>),
        "select over 2" | "fan-in of 8" => Run::Missing(NO_SELECT),
        "ring of 503" => switching(ring::<Kanal>),
        _ => others(name),
    }
}

pub fn crossfire(name: &str) -> Run {
    bind();
    crossfire::detect_backoff_cfg();
    match name {
        "ping-pong" => rounded_up(ping_pong::<CrossfireSpsc>),
        "spsc unbuffered" => rounded_up(|n| spsc::<CrossfireSpsc>(n, 1)),
        "spsc 128" => Run::Timed(|n| spsc::<CrossfireSpsc>(n, 128)),
        "mpmc 4x4 128" => Run::Timed(|n| many::<CrossfireMpmc>(n, 4, 4, 128)),
        "mpsc 1000x1 1024" => Run::Timed(|n| many::<CrossfireMpsc>(n, 1000, 1, 1024)),
        "select over 2" => rounded_up(selects::crossfire_two),
        "select default" => Run::Timed(select_default::<CrossfireSpsc>),
        "fan-in of 8" => rounded_up(selects::crossfire_fan_in),
        "ring of 503" => rounded_up(ring::<CrossfireSpsc>),
        _ => others(name),
    }
}
