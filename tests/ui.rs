//! What the compiler says about mistakes in the macros, word for word, and programs that must compile.
//!
//! `TRYBUILD=overwrite cargo test --test ui` writes the `.stderr` files anew.

#![cfg(not(any(loom, gaggle_portable)))]

use std::process::Command;

/// The compiler whose own words stand in `ui/types`; another one's may differ.
const RECORDED_WITH: &str = "rustc 1.95.";

#[test]
fn mistakes_are_told_at_their_place() {
    // An error that points elsewhere, or none at all, leaves the user alone with an expansion.
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/syntax/*.rs");
    if compiler().starts_with(RECORDED_WITH) {
        cases.compile_fail("tests/ui/types/*.rs");
    }
}

fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("a test has a compiler");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
