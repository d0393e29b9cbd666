//! `test/chan/perm.go`: what the direction of a channel forbids, the compiler refuses.
//!
//! Go's conversions from a channel to one of its directions have no counterpart: the two ends are two types from the
//! start, and none of them converts to the other.

use std::process::Command;

/// The compiler whose own words stand in `tests/ui/perm`; another one's may differ.
const RECORDED_WITH: &str = "rustc 1.95.";

#[test]
fn perm() {
    // An end that can be used in the other direction.
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("a test has a compiler").stdout;
    if String::from_utf8_lossy(&version).starts_with(RECORDED_WITH) {
        trybuild::TestCases::new().compile_fail("tests/ui/perm/*.rs");
    }
}
