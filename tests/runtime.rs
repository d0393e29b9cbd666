//! The runtime as a whole: its size, its counters, its threads, its ends.

mod support;

#[path = "runtime/ends.rs"]
mod ends;
#[path = "runtime/locked.rs"]
mod locked;
#[path = "runtime/panicking.rs"]
mod panicking;
#[path = "runtime/procs.rs"]
mod procs;
#[path = "runtime/spawning.rs"]
mod spawning;
