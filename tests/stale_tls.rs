//! Pinned goroutines have no stale thread locals, in a release build with fat LTO, where compilers do their worst.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;

#[test]
fn pinned_goroutines_have_no_stale_thread_locals() {
    // The address of a thread local, kept across a switch to another thread: 313,208 of 400,000 where goroutines move.
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stale_tls");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stale_tls");
    let build = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--message-format=short", "--target-dir"])
        .arg(&target)
        .current_dir(&here)
        // The build of the tests around us is not this one's business.
        .env_remove("CARGO_BUILD_TARGET")
        .output()
        .unwrap();
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    for round in 0..5 {
        let run = Command::new(target.join("release/stale-tls")).output().unwrap();
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success(), "round {round}: {said}{}", String::from_utf8_lossy(&run.stderr));
        let words: Vec<_> = said.split(' ').collect();
        let ["0", "stale", "of", "400000", "on", threads, "threads\n"] = words[..] else {
            panic!("round {round}: {said}")
        };
        assert!(threads.parse::<usize>().unwrap() >= 2, "round {round}: {said}");
    }
}
