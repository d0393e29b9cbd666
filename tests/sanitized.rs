//! That the sanitizers see what goroutines do: each program here errs on purpose, and must be reported.
//!
//! `.ci/sanitizers` runs these tests; in builds without a sanitizer there is nothing here.

#![cfg(any(gaggle_asan, gaggle_tsan))]

use std::process::Command;

/// Runs an ignored test of this binary in a process of its own, and returns what it wrote to standard error.
fn reported(program: &str) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", program, "--ignored", "--nocapture", "--test-threads=1"]);
    let output = command.env("RUST_BACKTRACE", "0").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{program} ended well: {stderr}");
    stderr
}

#[track_caller]
fn assert_reported(program: &str, what: &str, whence: &str) {
    let report = reported(program);
    assert!(report.contains(what) && report.contains(whence), "no {what:?} in {whence:?}: {report}");
}

#[cfg(gaggle_asan)]
mod address {
    use super::assert_reported;
    use std::hint::black_box;

    #[test]
    fn a_use_after_free_is_reported() {
        // A runtime that the sanitizer does not follow would hide the errors of its users.
        assert_reported("address::program_use_after_free", "heap-use-after-free", "reads_what_was_freed");
    }

    #[inline(never)]
    fn reads_what_was_freed(freed: *const u64) -> u64 {
        // SAFETY: none; that is the test.
        unsafe { freed.read_volatile() }
    }

    #[test]
    #[ignore = "a program: it reads freed memory"]
    fn program_use_after_free() {
        // See `a_use_after_free_is_reported`.
        gaggle::run(|| {
            let (tx, rx) = gaggle::chan(0);
            let owner = gaggle::spawn(move || {
                let value = Box::new(7_u64);
                tx.send(&raw const *value as usize).unwrap();
            });
            let freed = rx.recv().unwrap() as *const u64;
            owner.join().unwrap();
            black_box(reads_what_was_freed(freed));
        });
    }

    /// Reads beyond a local array, if the index is so.
    #[inline(never)]
    fn reads_beyond_a_local(index: usize) -> u8 {
        let local = black_box([1_u8; 24]);
        // What is next to it must be known after the stack was left and entered again.
        gaggle::runtime::yield_now();
        // SAFETY: none; that is the test.
        unsafe { (&raw const local).cast::<u8>().add(black_box(index)).read_volatile() }
    }

    #[test]
    fn an_overrun_on_a_goroutines_stack_is_reported() {
        // Frames on stacks of ours must be known to the sanitizer as those on a thread's own.
        assert_reported("address::program_overrun", "stack-buffer-overflow", "reads_beyond_a_local");
    }

    #[test]
    #[ignore = "a program: it reads beyond a local variable"]
    fn program_overrun() {
        // See `an_overrun_on_a_goroutines_stack_is_reported`.
        gaggle::run(|| _ = black_box(reads_beyond_a_local(24)));
    }

    #[test]
    fn an_overrun_on_a_segment_is_reported() {
        // As above, after the goroutine grew, and after an earlier segment unwound.
        assert_reported("address::program_overrun_on_a_segment", "stack-buffer-overflow", "reads_beyond_a_local");
    }

    #[test]
    #[ignore = "a program: it reads beyond a local variable"]
    fn program_overrun_on_a_segment() {
        // See `an_overrun_on_a_segment_is_reported`.
        gaggle::run(|| {
            let unwinds = || gaggle::stack::grow(|| std::panic::resume_unwind(Box::new(reads_beyond_a_local(23))));
            std::panic::catch_unwind(unwinds).unwrap_err();
            gaggle::stack::grow(|| _ = black_box(reads_beyond_a_local(24)));
        });
    }
}

#[cfg(gaggle_tsan)]
mod thread {
    use super::assert_reported;
    use gaggle::task::Builder;
    use std::cell::UnsafeCell;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Written to without any order.
    struct Raced(UnsafeCell<u64>);

    // SAFETY: none; that is the test.
    unsafe impl Sync for Raced {}

    static RACED: Raced = Raced(UnsafeCell::new(0));
    static HERE: AtomicU32 = AtomicU32::new(0);

    #[inline(never)]
    fn writes_without_order() {
        HERE.fetch_add(1, Ordering::Relaxed);
        while HERE.load(Ordering::Relaxed) != 2 {
            std::hint::spin_loop();
        }
        // SAFETY: none; that is the test.
        unsafe { *RACED.0.get() += 1 };
    }

    #[test]
    fn a_race_between_goroutines_is_reported() {
        // A runtime that orders everything, or that the sanitizer does not follow, would hide the races of its users.
        assert_reported("thread::program_race", "data race", "writes_without_order");
    }

    #[test]
    #[ignore = "a program: it has a data race"]
    fn program_race() {
        // See `a_race_between_goroutines_is_reported`.
        gaggle::runtime::set_max_procs(2);
        let write = || Builder::new().pinned().spawn(writes_without_order).unwrap();
        [write(), write()].map(|task| task.join().unwrap());
    }
}
