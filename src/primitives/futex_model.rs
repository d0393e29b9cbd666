//! Sleeping on a word in a model: what the kernel promises, out of loom's mutex and condition variable.
//!
//! # Invariants
//! 1. As in `futex.rs`. A model has one such word: all sleepers of an execution share a room.

use super::atomic::{AtomicU32, Ordering};
use super::lazy_static;
use std::time::Duration;

struct Room(loom::sync::Mutex<()>, loom::sync::Condvar);

lazy_static! {
    static ref ROOM: Room = Room(loom::sync::Mutex::new(()), loom::sync::Condvar::new());
}

/// Sleeps once; the caller loops.
pub(super) fn wait(word: &AtomicU32, expected: u32, _timeout: Option<Duration>) {
    let room = ROOM.0.lock().unwrap();
    // ORDERING: Relaxed; the room's mutex orders this look before a later waker, and after an earlier one (I1).
    if word.load(Ordering::Relaxed) == expected {
        drop(ROOM.1.wait(room).unwrap());
    }
}

pub(super) fn wake_one(_word: *const AtomicU32) {
    let _room = ROOM.0.lock().unwrap();
    ROOM.1.notify_one();
}
