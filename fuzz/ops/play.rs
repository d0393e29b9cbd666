//! Plays an interpreter in `cargo test`: a fixed corpus, then random scripts whose seed is told when one fails.
//!
//! `GAGGLE_SEED=n` makes the first random script that of seed `n`, the next that of `n + 1`, and so on;
//! `GAGGLE_ROUNDS=n` sets how many there are.

use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// A script that takes longer than this hangs: the longest takes some milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);
const MAX_LEN: usize = 384;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The script of a seed.
fn script(seed: u64) -> Vec<u8> {
    let mut dice = Dice(seed);
    let len = dice.roll() as usize % MAX_LEN;
    (0..len).map(|_| dice.roll() as u8).collect()
}

/// Plays the files of `corpus`, and `rounds` random scripts.
pub fn play(run: fn(&[u8]), corpus: &Path, rounds: u64) {
    let (now, watch) = watchdog();
    let files = std::fs::read_dir(corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display()));
    let mut files: Vec<_> = files.map(|file| file.expect("a corpus is a plain directory").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{}: an empty corpus", corpus.display());
    for file in files {
        let bytes = std::fs::read(&file).expect("a corpus has plain files");
        one(run, &bytes, format!("the script of {}", file.display()), &now);
    }
    let number = |name| Some(std::env::var(name).ok()?.parse().unwrap_or_else(|_| panic!("{name}: no number")));
    let first = number("GAGGLE_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    for round in 0..number("GAGGLE_ROUNDS").unwrap_or(rounds) {
        let seed = first.wrapping_add(round);
        one(run, &script(seed), format!("GAGGLE_SEED={seed}"), &now);
    }
    drop(now);
    watch.join().expect("the watchdog does not panic");
}

fn one(run: fn(&[u8]), bytes: &[u8], name: String, now: &Sender<String>) {
    now.send(name.clone()).expect("the watchdog listens");
    let outcome = catch_unwind(AssertUnwindSafe(|| run(bytes)));
    if let Err(payload) = outcome {
        eprintln!("failed on {name}: {bytes:?}");
        resume_unwind(payload);
    }
}

/// Ends the process if one script takes too long: a hang would hide its seed.
fn watchdog() -> (Sender<String>, std::thread::JoinHandle<()>) {
    let (now, news) = channel::<String>();
    let watch = std::thread::spawn(move || {
        let mut name = String::from("no script");
        loop {
            match news.recv_timeout(PATIENCE) {
                Ok(next) => name = next,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    // Not `eprintln`: the test harness would keep it to itself.
                    let _ = writeln!(std::io::stderr(), "hung on {name}");
                    std::process::abort();
                }
            }
        }
    });
    (now, watch)
}
