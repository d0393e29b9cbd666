//! The tour: `cargo run --release --example tour [DIR]` shows each feature on the terminal, in under ten seconds.
//!
//! What stands in brackets depends on the machine; all the rest is the same on every run. DIR is the tree that the
//! last part digests; without it, the sources of this library.
//!
//! It runs in the default mode, pinned: every safe Rust program is sound there, and nothing here needs more.

mod basics;
mod files;
mod memory;
mod million;
mod panics;

#[path = "../md5all/pipeline.rs"]
mod pipeline;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// What the last part digests: the directory that was asked for, or our own sources, which nobody writes to meanwhile.
pub struct Tree(PathBuf);

fn tree(argument: Option<OsString>) -> Result<Tree, String> {
    let root = PathBuf::from(argument.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/src").into()));
    match fs::read_dir(&root) {
        Ok(_) => Ok(Tree(root)),
        Err(error) => Err(format!("cannot read the directory {}: {error}", root.display())),
    }
}

#[gaggle::main]
fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let tree = match (tree(arguments.next()), arguments.next()) {
        (Ok(tree), None) => tree,
        (Err(message), None) => {
            eprintln!("tour: {message}");
            return ExitCode::FAILURE;
        }
        (_, Some(_)) => {
            eprintln!("usage: tour [DIR]");
            return ExitCode::from(2);
        }
    };
    let start = Instant::now();
    println!("A tour of gaggle [{} at once]", gaggle::runtime::max_procs());
    basics::goroutines();
    basics::rendezvous();
    basics::fan_in();
    basics::select_with_timeout();
    basics::worker_pool();
    basics::prime_sieve();
    million::parked();
    million::recursion();
    panics::isolated();
    if let Err(message) = files::digests(&tree) {
        eprintln!("tour: {message}");
        return ExitCode::FAILURE;
    }
    println!("\nThat was the tour [{:.1?}].", start.elapsed());
    ExitCode::SUCCESS
}

/// The heading of a part: what it shows, and how Go writes it.
fn heading(number: u32, title: &str, go: &str) {
    println!("\n{:<44}Go: {go}", format!("{number}. {title}"));
}

/// 1234567 as 1,234,567.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
