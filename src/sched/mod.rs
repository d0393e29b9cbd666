//! The scheduler: goroutines (G) run by workers (M), which hold processors (P). `README.md` tells the protocols.
//!
//! Compiled under loom too, as plain data structures: `status`, `local_queue`, `run_next`, `injector`, `idle`,
//! `lease` and `list`.

mod idle;
pub(crate) mod injector;
#[cfg_attr(loom, allow(dead_code, reason = "compiled for its models"))]
mod lease;
pub(crate) mod list;
pub(crate) mod local_queue;
mod run_next;
pub(crate) mod site;
pub(crate) mod status;

#[cfg(not(loom))]
pub(crate) mod config;
#[cfg(not(loom))]
pub(crate) mod current;
#[cfg(not(loom))]
mod find_work;
#[cfg(not(loom))]
pub(crate) mod goroutine;
#[cfg(not(loom))]
pub(crate) mod lock_thread;
#[cfg(not(loom))]
mod processor;
#[cfg(not(loom))]
mod report;
#[cfg(not(loom))]
mod roster;
#[cfg(not(loom))]
mod run;
#[cfg(not(loom))]
mod scheduler;
#[cfg(not(loom))]
mod sleep;
#[cfg(not(loom))]
mod sysmon;
#[cfg(not(loom))]
mod threads;
#[cfg(not(loom))]
mod worker;

#[cfg(not(loom))]
pub(crate) use run::{end_current, free, inherited_flags, new_goroutine, park_current, ready, start, yield_now};
#[cfg(not(loom))]
pub(crate) use scheduler::scheduler;
