//! What a whole program shows: its messages, its exit status, its memory.
//!
//! The tests start this binary again, with `GAGGLE_PROGRAM` naming the program to be. So this test has a `main` of its
//! own, without the standard harness: the programs are real ones, whose goroutine 1 is the process's first.
//! `GAGGLE_TEST_RUNNER` names an emulator to start them with.

#![cfg(target_os = "linux")]

#[path = "programs/child.rs"]
mod child;
#[path = "programs/ends.rs"]
mod ends;
#[path = "programs/hogs.rs"]
mod hogs;
#[path = "programs/memory.rs"]
mod memory;
#[path = "programs/overflow.rs"]
mod overflow;
#[path = "programs/panics.rs"]
mod panics;
#[path = "programs/settings.rs"]
mod settings;

use std::process::ExitCode;

/// A test, or a program, by its name.
type Named<F> = (&'static str, F);

fn main() -> ExitCode {
    let all = [ends::ALL, hogs::ALL, memory::ALL, overflow::ALL, panics::ALL, settings::ALL];
    if let Ok(name) = std::env::var("GAGGLE_PROGRAM") {
        let found = all.iter().flat_map(|room| room.programs).find(|(known, _)| *known == name);
        return found.map_or_else(|| panic!("no program of the name {name}"), |(_, program)| program());
    }
    run_tests(all.iter().flat_map(|room| room.tests))
}

/// As much of the standard harness as `cargo test` and people use: names to filter by, `--exact`, `--list`.
fn run_tests<'a>(tests: impl Iterator<Item = &'a Named<fn()>>) -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    let filters: Vec<_> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let fits = |name: &str| match (filters.is_empty(), has("--exact")) {
        (true, _) => true,
        (_, true) => filters.iter().any(|filter| name == *filter),
        (_, false) => filters.iter().any(|filter| name.contains(*filter)),
    };
    let chosen = tests.filter(|(name, _)| fits(name) && !has("--ignored"));
    let mut failed = 0;
    for (name, test) in chosen {
        if has("--list") {
            println!("{name}: test");
            continue;
        }
        let passed = std::panic::catch_unwind(test).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        failed += usize::from(!passed);
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(101) }
}
