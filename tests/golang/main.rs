//! What Go's own tests check of channels, select, the scheduler and `sync`, checked here under the same names: hold the
//! two side by side. The tests are written anew, for Rust; where the languages differ, a line says how.
//!
//! | module | Go's sources |
//! | --- | --- |
//! | `chan_dir` | `test/chan/*.go` but the selects, `test/closedchan.go`, `test/chancap.go` |
//! | `select_dir` | `test/chan/select*.go` |
//! | `chan_test` | `src/runtime/chan_test.go` |
//! | `proc_test` | `src/runtime/proc_test.go` |
//! | `mutex_test`, `cond_test`, `waitgroup_test` | `src/sync/*_test.go` |
//!
//! `test/chan/doubleselect.go` and `powser*.go` are not here: the first is `TestSelectStress` in the small, the others
//! test nothing that `sieve2` does not. Of `chan_test.go` and `proc_test.go`, what speaks of Go's stack copying, garbage
//! collector or preemption by signal has nothing to correspond to.

mod chan_dir;
mod chan_test;
mod cond_test;
mod mutex_test;
#[cfg(not(gaggle_portable))]
mod perm;
mod proc_test;
mod select_dir;
#[path = "../support/mod.rs"]
mod support;
mod waitgroup_test;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, with a count of the bytes in use, for tests of what grows.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is the system allocator's doing; the count changes nothing of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: our caller's contract is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The bytes that are allocated now.
fn bytes_in_use() -> usize {
    IN_USE.load(Ordering::Relaxed)
}
