//! Interpreters of bytes: each plays its input as operations on a part of gaggle and checks every answer against a
//! naive specification. The fuzz targets call them, and so does `tests/properties.rs`, which includes these files.

pub mod books;
pub mod bytes;
pub mod chan;
pub mod chan_crowd;
pub mod ledger;
pub mod parsers;
pub mod play;
pub mod ring;
pub mod select;
pub mod select_crowd;
pub mod stage;
pub mod timers;

// What gaggle does not export, compiled here once more, from the same files.
#[path = "../../macros/src/body_attr.rs"]
mod body_attr;
#[path = "../../macros/src/errors.rs"]
mod errors;
#[path = "../../macros/src/function.rs"]
mod function;
#[path = "../../macros/src/go_expand.rs"]
mod go_expand;
#[path = "../../macros/src/go_parse.rs"]
mod go_parse;
#[path = "../../src/sched/local_queue.rs"]
mod local_queue;
#[path = "../../macros/src/main_attr.rs"]
mod main_attr;
#[path = "../../macros/src/select_expand.rs"]
mod select_expand;
#[path = "../../macros/src/select_head.rs"]
mod select_head;
#[path = "../../macros/src/select_parse.rs"]
mod select_parse;
#[path = "../../macros/src/tokens.rs"]
mod tokens;

/// What `local_queue` takes from the crate that it belongs to.
mod primitives {
    pub(crate) mod atomic {
        pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
    }
    pub(crate) mod hint {
        pub(crate) use std::hint::spin_loop;
    }
}

#[cfg(test)]
mod tests;
