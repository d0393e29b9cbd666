//! B24: goroutines that keep their thread busy in every way that must not be interrupted half-way.

use crate::child::{room, run};
use gaggle::{chan, go};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

room! {
    tests: b24_hogs_that_print_allocate_lock_and_sum;
    programs: hogs hogs_migrating;
}

const HOGS: usize = 8;

fn b24_hogs_that_print_allocate_lock_and_sum() {
    // A stack switched inside a signal handler: `println!` re-enters its `RefCell`, the holder of a std mutex is put
    // aside and everybody deadlocks, the heap is corrupted, or the upper halves of vector registers are lost.
    for program in ["hogs", "hogs_migrating"] {
        let ended = run(program, &[("GAGGLE_PROCS", "2")]);
        ended.assert_code(0).assert_silent();
        let mut lines = ended.stdout.lines().rev();
        let last = lines.next().unwrap_or_default();
        assert_eq!(last, format!("{HOGS} hogs are done"), "{ended:#?}");
        // Lines are whole, and each hog's are in order.
        let mut seen = BTreeMap::new();
        for line in ended.stdout.lines().filter(|line| line.starts_with("hog ")) {
            let numbers: Vec<usize> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
            let [hog, round] = numbers[..] else { panic!("a torn line: {line:?}") };
            assert_eq!(seen.insert(hog, round).unwrap_or(0) + 1, round, "{line:?}");
        }
        assert_eq!(seen.len(), HOGS, "{ended:#?}");
    }
}

fn hogs() -> ExitCode {
    #[gaggle::main]
    fn main() -> ExitCode {
        herd()
    }
    main()
}

fn hogs_migrating() -> ExitCode {
    #[gaggle::main(unsafe(migrate))]
    fn main() -> ExitCode {
        herd()
    }
    main()
}

fn herd() -> ExitCode {
    let until = Instant::now() + Duration::from_secs(if cfg!(debug_assertions) { 2 } else { 4 });
    let shared = Arc::new(Mutex::new(BTreeMap::new()));
    let (done, all) = chan(0);
    for hog in 0..HOGS {
        go!(clone shared, done; {
            let rounds = graze(hog, until, &shared);
            done.send(rounds).unwrap();
        });
    }
    drop(done);
    let rounds: usize = all.iter().sum();
    assert_eq!(shared.lock().unwrap().values().map(String::len).sum::<usize>(), HOGS * 10);
    assert_ne!(rounds, 0);
    println!("{HOGS} hogs are done");
    ExitCode::SUCCESS
}

#[gaggle::preemptible]
fn graze(hog: usize, until: Instant, shared: &Mutex<BTreeMap<usize, String>>) -> usize {
    let mut round = 0;
    while Instant::now() < until || round == 0 {
        round += 1;
        if round % 64 == 1 {
            println!("hog {hog} round {}", round / 64 + 1);
        } else {
            std::io::stdout().flush().unwrap();
        }
        let mut text = String::new();
        for n in 0..100 {
            write!(text, "{:>10}", n * round).unwrap();
        }
        let words: Vec<_> = text.as_bytes().chunks(10).map(<[u8]>::to_vec).collect();
        assert_eq!(words.len(), 100);
        // No park while it is held: only an interruption in the middle could do harm.
        shared.lock().unwrap().insert(hog * 7 % HOGS, format!("{round:010}"));
        let numbers: Vec<f64> = (0..1000).map(f64::from).collect();
        assert_eq!(sum(&numbers), 499_500.0);
        if round % 16 == hog {
            gaggle::runtime::yield_now();
        }
    }
    round
}

/// With the widest vectors that the machine has.
fn sum(numbers: &[f64]) -> f64 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the machine has it.
        return unsafe { wide_sum(numbers) };
    }
    numbers.iter().sum()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn wide_sum(numbers: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    for eight in numbers.chunks_exact(8) {
        for (lane, number) in lanes.iter_mut().zip(eight) {
            *lane += number;
        }
    }
    lanes.iter().sum::<f64>() + numbers.chunks_exact(8).remainder().iter().sum::<f64>()
}
