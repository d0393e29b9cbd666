//! The scheduler: goroutines (G) run by workers (M), which hold processors (P). `README.md` tells the protocols.
//!
//! Compiled under loom too, as plain data structures: `status`, `local_queue`, `run_next`, `injector`, `idle`,
//! `lease`, `pause`, `readiness` and `list`.

mod idle;
pub(crate) mod injector;
#[cfg_attr(loom, allow(dead_code, reason = "compiled for its models"))]
mod lease;
pub(crate) mod list;
pub(crate) mod local_queue;
#[cfg_attr(loom, allow(dead_code, reason = "compiled for its models"))]
mod lookout;
#[cfg_attr(loom, allow(dead_code, reason = "compiled for its models"))]
mod pause;
#[cfg_attr(all(loom, not(test)), allow(dead_code))]
mod quiescence;
pub(crate) mod readiness;
mod run_next;
pub(crate) mod site;
pub(crate) mod status;

#[cfg(not(loom))]
pub(crate) mod clock;
#[cfg(not(loom))]
pub(crate) mod config;
#[cfg(not(loom))]
pub(crate) mod counters;
#[cfg(not(loom))]
pub(crate) mod current;
#[cfg(not(loom))]
mod find_work;
#[cfg(not(loom))]
pub(crate) mod goroutine;
#[cfg(not(loom))]
mod holding;
#[cfg(not(loom))]
mod home;
#[cfg(not(loom))]
pub(crate) mod lock_thread;
#[cfg(not(loom))]
pub(crate) mod netpoll;
#[cfg(not(loom))]
mod processor;
#[cfg(not(loom))]
mod report;
#[cfg(not(loom))]
pub(crate) mod roster;
#[cfg(not(loom))]
mod run;
#[cfg(not(loom))]
mod scheduler;
#[cfg(not(loom))]
mod sleep;
#[cfg(not(loom))]
mod strict;
#[cfg(not(loom))]
mod sysmon;
#[cfg(not(loom))]
pub(crate) mod threads;
#[cfg(not(loom))]
pub(crate) mod timers;
#[cfg(not(loom))]
mod vigil;
#[cfg(not(loom))]
mod warn;
#[cfg(not(loom))]
pub(crate) mod watch;
#[cfg(not(loom))]
pub(crate) mod woken;
#[cfg(not(loom))]
mod worker;

#[cfg(not(loom))]
pub(crate) use run::{
    end_current, free, inherited_flags, new_goroutine, park_current, ready, ready_list, start, yield_now,
};
#[cfg(not(loom))]
pub(crate) use scheduler::scheduler;

/// What the front office does for the floors below, which do not know it: `lib.rs` ties the knot.
#[cfg(not(loom))]
pub(crate) struct Hooks {
    /// The runtime is being started.
    pub(crate) starting: fn(),
    /// A goroutine panics, on its own stack, and nothing is unwound yet.
    pub(crate) panicking: fn(),
    /// All goroutines are asleep for ever. Does not return, but for a process that is ending anyway.
    pub(crate) deadlock: fn(),
    /// The process ends because the goroutine that runs here panicked.
    pub(crate) aborting: fn(),
}
