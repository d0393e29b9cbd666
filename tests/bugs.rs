//! Bugs that shipped elsewhere (the table in README.md): those that concern the scheduler and the memory of goroutines,
//! one test each at least.
//!
//! Elsewhere: B1 to B12, B18 (channels), B19, B20, B22, B26 and B27 in `chan.rs`, `select.rs` and `loom/`; B15 in
//! `fairness.rs` too; B16 and B17 in `time.rs`; B21 in `runtime/panicking.rs`; B23 (segments) in `stack/growth.rs`; B24 in
//! `programs/hogs.rs`; B28 in `programs/memory.rs`.

mod support;

#[path = "bugs/growth.rs"]
mod growth;
#[path = "bugs/memory.rs"]
mod memory;
#[path = "bugs/thread_bound.rs"]
mod thread_bound;
#[path = "bugs/wake_ups.rs"]
mod wake_ups;
