//! What several test programs share.
#![allow(dead_code, reason = "each test program uses its part")]

use gaggle::runtime;

/// Runs `f` in a pinned and in a migrating goroutine, each with 1, 2 and 8 processors.
///
/// # Safety, of the migrating half
/// No test here holds a borrow of a thread local, or a value tied to a thread, across a park.
pub fn in_both_modes(f: impl Fn() + Send + Sync + Copy + 'static) {
    for procs in [1, 2, 8] {
        runtime::set_max_procs(procs);
        gaggle::run(f);
        migrating(f);
    }
}

/// Runs `f` in a migrating goroutine.
pub fn migrating(f: impl FnOnce() + Send + 'static) {
    let attr = gaggle::__private::Attr { migrate: true, ..Default::default() };
    gaggle::__private::test(attr, move || {
        f();
        std::process::ExitCode::SUCCESS
    });
}
