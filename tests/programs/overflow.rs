//! A stack overflow in a whole program: the report, then an abort; `tests/stack` has the cases one by one.

use crate::child::{room, run};
use gaggle::go;
use std::hint::black_box;
use std::process::ExitCode;

room! {
    tests: an_overflow_names_goroutine_place_and_size an_overflow_among_others_is_told_once
        growth_beyond_the_limit_is_an_overflow;
    programs: overflows overflows_migrating overflows_among_others grows_too_far;
}

const GUARDS: [&[(&str, &str)]; 3] = [&[], &[("GAGGLE_TEST_GUARD", "protect")], &[("GAGGLE_TEST_GUARD", "canary")]];
const REPORT: &str = "fatal error: goroutine stack overflow\n";

#[inline(never)]
#[allow(unconditional_recursion, reason = "that is the test")]
fn endless(depth: usize) -> usize {
    let frame = black_box([depth as u8; 512]);
    endless(black_box(depth) + 1) + usize::from(frame[depth % 512])
}

fn an_overflow_names_goroutine_place_and_size() {
    // Silent corruption, a bare SIGSEGV, or a report that cannot be followed up.
    for guard in GUARDS {
        for program in ["overflows", "overflows_migrating"] {
            let ended = run(program, guard);
            assert_eq!(ended.signal, Some(libc::SIGABRT), "{ended:#?}");
            assert_eq!(ended.stderr.matches(REPORT).count(), 1, "{ended:#?}");
            ended.assert_says("goroutine ").assert_says("\"digger\" (started at tests/programs/overflow.rs:");
            ended.assert_says(": 65536 bytes of stack are used up");
            assert_eq!(ended.stdout, "", "{ended:#?}");
        }
    }
}

fn dig() {
    let sum = go!(name = "digger", stack = 64 << 10; { endless(0) }).join();
    println!("came back: {}", sum.is_ok());
}

fn overflows() -> ExitCode {
    #[gaggle::main]
    fn main() {
        dig();
    }
    main()
}

fn overflows_migrating() -> ExitCode {
    #[gaggle::main(unsafe(migrate))]
    fn main() {
        dig();
    }
    main()
}

fn an_overflow_among_others_is_told_once() {
    // Two that overflow at once: reports woven into each other, or a hang in the handler.
    for guard in GUARDS {
        for procs in ["1", "8"] {
            let ended = run("overflows_among_others", &[guard, &[("GAGGLE_PROCS", procs)]].concat());
            assert_eq!(ended.signal, Some(libc::SIGABRT), "{ended:#?}");
            ended.assert_says(REPORT).assert_says("\"digger ");
        }
    }
}

fn overflows_among_others() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let all: Vec<_> = (0..32)
            .map(|n| {
                go!(name = format!("digger {n}"); {
                    gaggle::runtime::yield_now();
                    if n % 2 == 0 { endless(0) } else { 0 }
                })
            })
            .collect();
        all.into_iter().for_each(|g| drop(black_box(g.join())));
    }
    main()
}

fn growth_beyond_the_limit_is_an_overflow() {
    // Endless recursion that asks for room takes the machine's memory instead of being told.
    let ended = run("grows_too_far", &[]);
    assert_eq!(ended.signal, Some(libc::SIGABRT), "{ended:#?}");
    ended.assert_says(REPORT).assert_says("\"climber\" (started at tests/programs/overflow.rs:");
}

fn grows_too_far() -> ExitCode {
    #[gaggle::growable]
    #[allow(unconditional_recursion, reason = "that is the test")]
    fn climb(depth: usize) -> usize {
        let frame = black_box([depth as u8; 512]);
        climb(black_box(depth) + 1) + usize::from(frame[depth % 512])
    }
    gaggle::runtime::Builder::new().max_stack(4 << 20).start().unwrap();
    _ = black_box(go!(name = "climber"; climb(0)).join());
    ExitCode::SUCCESS
}
