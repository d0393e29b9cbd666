//! What a whole program shows: its messages, its exit status, its memory.
//!
//! The tests start this binary again, with `GAGGLE_PROGRAM` naming the program to be. So this test has a `main` of its
//! own, without the standard harness: the programs are real ones, whose goroutine 1 is the process's first.
//! `GAGGLE_TEST_RUNNER` names an emulator to start them with.

#![cfg(target_os = "linux")]

#[path = "programs/child.rs"]
mod child;
#[path = "programs/deadlocks.rs"]
mod deadlocks;
#[path = "programs/dumps.rs"]
mod dumps;
#[path = "programs/ends.rs"]
mod ends;
#[path = "programs/exits.rs"]
mod exits;
#[path = "programs/hogs.rs"]
mod hogs;
#[path = "programs/memory.rs"]
mod memory;
#[path = "programs/overflow.rs"]
mod overflow;
#[path = "programs/panics.rs"]
mod panics;
#[path = "programs/quiet.rs"]
mod quiet;
#[path = "programs/sandbox.rs"]
mod sandbox;
#[path = "programs/settings.rs"]
mod settings;
#[path = "support/threads.rs"]
mod threads;
#[path = "support/signals.rs"]
mod usual;

use std::process::ExitCode;

/// A test, or a program, by its name.
type Named<F> = (&'static str, F);

fn main() -> ExitCode {
    let all = [
        deadlocks::ALL,
        dumps::ALL,
        ends::ALL,
        exits::ALL,
        hogs::ALL,
        memory::ALL,
        overflow::ALL,
        panics::ALL,
        quiet::ALL,
        sandbox::ALL,
        settings::ALL,
    ];
    if let Ok(name) = std::env::var("GAGGLE_PROGRAM") {
        let found = all.iter().flat_map(|room| room.programs).find(|(known, _)| *known == name);
        return found.map_or_else(|| panic!("no program of the name {name}"), |(_, program)| program());
    }
    run_tests(all.iter().flat_map(|room| room.tests))
}

/// What the command line asks for: as much of the standard harness as `cargo test` and people use.
#[derive(Default)]
struct Asked {
    filters: Vec<String>,
    skips: Vec<String>,
    exact: bool,
    list: bool,
    ignored_only: bool,
}

impl Asked {
    fn read(mut args: impl Iterator<Item = String>) -> Self {
        let mut asked = Self::default();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--exact" => asked.exact = true,
                "--list" => asked.list = true,
                "--ignored" => asked.ignored_only = true,
                "--skip" => asked.skips.extend(args.next()),
                "--test-threads" | "--format" | "--color" | "--logfile" => drop(args.next()),
                flag if flag.starts_with('-') => {}
                _ => asked.filters.push(arg),
            }
        }
        asked
    }

    fn wants(&self, name: &str) -> bool {
        let fits = |filter: &String| if self.exact { name == filter } else { name.contains(filter.as_str()) };
        !self.ignored_only && !self.skips.iter().any(fits) && (self.filters.is_empty() || self.filters.iter().any(fits))
    }
}

fn run_tests<'a>(tests: impl Iterator<Item = &'a Named<fn()>>) -> ExitCode {
    let asked = Asked::read(std::env::args().skip(1));
    let chosen: Vec<_> = tests.filter(|(name, _)| asked.wants(name)).collect();
    if asked.list {
        chosen.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", chosen.len());
    let mut failed = 0;
    for (name, test) in &chosen {
        let passed = std::panic::catch_unwind(test).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        failed += usize::from(!passed);
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {word}. {} passed; {failed} failed\n", chosen.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(101) }
}
