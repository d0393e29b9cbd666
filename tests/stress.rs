//! Everything at once, at random: `cargo test --release --test stress -- --ignored --nocapture`.
//!
//! Prints its seed; `GAGGLE_SEED` plays it again (as far as the threads' timing allows), `GAGGLE_STRESS` sets how many
//! operations there are.

mod support;

#[path = "stress/operations.rs"]
mod operations;
#[path = "stress/world.rs"]
mod world;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use support::{migrating, turn};
use world::{Dice, World};

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// A wave of goroutines of one mode, some of them from plain threads.
fn wave(world: &Arc<World>, dice: &mut Dice, operations: u64) {
    let goroutines = 1 + dice.below(40);
    let each = operations / goroutines;
    for _ in 0..goroutines {
        let (world, dice, from_thread) = (world.clone(), dice.fork(), dice.below(8) == 0);
        world.members.add(1);
        let member = move || {
            let _done = world::Done(world.clone());
            operations::act(&world, dice, each, 3);
        };
        if from_thread {
            std::thread::spawn(|| gaggle::spawn(member));
        } else {
            gaggle::spawn(member);
        }
    }
    world.members.wait();
}

#[test]
#[ignore = "takes as long as it is told to"]
fn everything_at_once() {
    // What no test of a single thing meets: a combination.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = number("GAGGLE_SEED").unwrap_or(now);
    let operations = number("GAGGLE_STRESS").unwrap_or(if cfg!(debug_assertions) { 50_000 } else { 500_000 });
    eprintln!("GAGGLE_SEED={seed} GAGGLE_STRESS={operations}");
    let _turn = turn("everything_at_once");
    let mut dice = Dice::new(seed);
    const WAVE: u64 = 5_000;
    for _ in 0..operations.div_ceil(WAVE) {
        let world = Arc::new(World::new());
        let (inside, fork, migrates) = (world.clone(), dice.fork(), dice.below(2) == 0);
        let run = move || wave(&inside, &mut { fork }, WAVE);
        if migrates {
            migrating(run)
        } else {
            gaggle::run(run)
        }
        world.check();
    }
    // Nobody is left behind.
    while gaggle::runtime::num_goroutines() != 0 {
        std::thread::yield_now();
    }
}
