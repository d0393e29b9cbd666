//! The store, the caches, and what a goroutine carries; every back end runs them.
//!
//! What changes or measures the whole process runs in a process of its own: the test starts this binary again for one
//! ignored test, the *program*. `GAGGLE_TEST_RUNNER` names an emulator to start it with.

use super::growth::run_on_segment;
use super::*;
use crate::coroutine::switch::stack_pointer;

fn class(bytes: usize) -> Class {
    class_for(bytes).unwrap()
}

#[test]
fn a_cache_hands_the_hottest_stack_out_first() {
    // A cold stack costs page faults where a hot one costs nothing.
    let mut cache = StackCache::new();
    let (first, second) = (cache.take(class(1)).unwrap(), cache.take(class(1)).unwrap());
    let (first_bounds, second_bounds) = (first.bounds(), second.bounds());
    assert_ne!(first_bounds, second_bounds);
    cache.give(first);
    cache.give(second);
    let again = cache.take(class(1)).unwrap();
    assert_eq!(again.bounds(), second_bounds);
    let oldest = cache.take(class(1)).unwrap();
    assert_eq!(oldest.bounds(), first_bounds);
}

#[test]
fn no_two_owners_share_a_stack() {
    // A stack handed out twice would let two goroutines overwrite each other's frames.
    let mut cache = StackCache::new();
    let mut other = StackCache::new();
    let mut owned: Vec<Stack> = Vec::new();
    for round in 0..200 {
        let from = if round % 3 == 0 { &mut other } else { &mut cache };
        owned.extend((0..3).map(|_| from.take(class(1)).unwrap()));
        let back = owned.swap_remove(round % owned.len());
        if round % 2 == 0 {
            cache.give(back)
        } else {
            drop(back)
        }
        if round % 50 == 0 {
            cache.trim();
        }
    }
    owned.sort_by_key(|stack| stack.bounds().bottom);
    assert!(owned.is_sorted_by(|a, b| a.bounds().top <= b.bounds().bottom));
}

#[test]
fn a_stack_has_the_room_of_its_class() {
    // Too little room would overflow code that was sized for its class.
    for class in Class::all().take(5) {
        let stack = Stack::fresh(class).unwrap();
        let Bounds { bottom, top } = stack.bounds();
        assert_eq!(stack.class(), class);
        assert_eq!(stack.size(), class.bytes());
        assert!(top - bottom <= stack.size() && top - bottom >= stack.size() - stack.size() / 4);
    }
}

#[test]
fn a_state_passes_its_stack_on() {
    // A goroutine that starts on its predecessor's stack must see that stack's limit.
    let mut first = StackState::new();
    assert_eq!(first.limit(), 0);
    first.bind(Stack::fresh(class(DEFAULT_STACK)).unwrap());
    let limit = first.limit();
    let mut second = StackState::new();
    second.bind(first.unbind());
    assert_eq!((first.limit(), second.limit()), (0, limit));
    assert_eq!(second.base_size(), DEFAULT_STACK);
}

#[test]
fn growth_runs_on_another_stack_and_comes_back() {
    // Growth that stayed on the short stack would run into its guard.
    let mut state = StackState::new();
    assert!(state.adopt_thread());
    let before = state.limit();
    let (mut inside, mut limit) = (0, 0);
    let this: *mut StackState = &mut state;
    // SAFETY: the state is this thread's, and outlives the call.
    unsafe {
        run_on_segment(&|| this, &mut || {
            inside = stack_pointer();
            limit = (*this).limit();
            assert_eq!((*this).segments(), 1);
            assert!((*this).room(stack_pointer()) > RED_ZONE_OF_TESTS);
        });
    }
    assert!(inside.abs_diff(stack_pointer()) > 1 << 20, "still on the thread's own stack");
    assert!(inside > limit && inside - limit < 64 << 20);
    assert_eq!((state.limit(), state.segments()), (before, 0));
}

const RED_ZONE_OF_TESTS: usize = 64 << 10;

#[test]
fn a_panic_unlinks_the_segments_it_unwinds_through() {
    // A segment left linked after a panic would be used by nobody and freed by nobody, its limit still in force.
    let mut state = StackState::new();
    assert!(state.adopt_thread());
    let before = state.limit();
    let this: *mut StackState = &mut state;
    fn nest(state: *mut StackState, depth: usize) {
        if depth == 0 {
            std::panic::resume_unwind(Box::new(depth));
        }
        // SAFETY: the state is this thread's, and outlives the call.
        unsafe { run_on_segment(&|| state, &mut || nest(state, depth - 1)) }
    }
    for _ in 0..3 {
        let nested = std::panic::AssertUnwindSafe(|| nest(this, 5));
        assert!(std::panic::catch_unwind(nested).is_err());
        assert_eq!((state.limit(), state.segments()), (before, 0));
    }
}

#[test]
fn the_spent_segment_is_used_again() {
    // A loop that calls across the boundary must not map a segment each time (the hot split).
    let mut state = StackState::new();
    assert!(state.adopt_thread());
    let this: *mut StackState = &mut state;
    let mut seen = Vec::new();
    for _ in 0..10 {
        // SAFETY: the state is this thread's, and outlives the call.
        unsafe { run_on_segment(&|| this, &mut || seen.push((*this).limit())) };
    }
    seen.dedup();
    assert_eq!(seen.len(), 1);
}

/// Runs an ignored test of this file in a process of its own.
pub(super) fn program(name: &str, env: &[(&str, &str)]) {
    let me = std::env::current_exe().unwrap();
    let mut command = match std::env::var_os("GAGGLE_TEST_RUNNER") {
        Some(runner) => {
            let mut command = std::process::Command::new(runner);
            command.arg(me);
            command
        }
        None => std::process::Command::new(me),
    };
    command.args(["--exact", name, "--ignored", "--nocapture"]).envs(env.iter().copied());
    let output = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    assert!(stdout.contains("1 passed"), "no program of the name {name}: {stdout}");
}

#[cfg(target_os = "linux")]
const GUARDS: [&[(&str, &str)]; 3] = [&[], &[("GAGGLE_TEST_GUARD", "protect")], &[("GAGGLE_TEST_GUARD", "canary")]];

#[test]
#[cfg(target_os = "linux")]
fn running_out_of_address_space_is_an_error() {
    // A panic here would take the process down where one goroutine could have been refused.
    for guard in GUARDS {
        program("coroutine::stack::behaviour::program_out_of_address_space", guard);
    }
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "a program: it limits its process"]
fn program_out_of_address_space() {
    // See `running_out_of_address_space_is_an_error`.
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').next().unwrap().parse().unwrap();
    let most = (pages * 4096 + (256 << 20)) as libc::rlim_t;
    // SAFETY: limits this process, which is ours alone.
    let limited = unsafe { libc::setrlimit(libc::RLIMIT_AS, &libc::rlimit { rlim_cur: most, rlim_max: most }) };
    assert_eq!(limited, 0);
    let mut cache = StackCache::new();
    let mut stacks = Vec::with_capacity(1024);
    let error = loop {
        match cache.take(class(1 << 20)) {
            Ok(stack) if stacks.len() < 1024 => stacks.push(stack),
            Ok(_) => panic!("a gigabyte of stacks under a limit of 256 MiB"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StackError::OutOfMemory { size: 0x10_0000, .. }), "{error}");
    assert!(stacks.len() > 150, "only {} stacks", stacks.len());
    cache.give(stacks.pop().unwrap());
    assert!(cache.take(class(1 << 20)).is_ok(), "what was given back must be had again");
}
