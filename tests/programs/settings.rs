//! Settings that make no sense: one line that names them and the accepted range, before anything runs.

use crate::child::{room, run, run_with};
use gaggle::go;
use gaggle::runtime::Builder;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

room! {
    tests: bad_numbers_in_the_environment_are_named the_environment_sets_the_defaults
        what_the_program_says_wins impossible_settings_panic_and_name_the_range
        impossible_stacks_panic_and_name_the_range settings_come_too_late_for_a_running_runtime;
    programs: tells tells_by_itself overrides impossible_procs impossible_stack_size impossible_main_procs zero_stack
        huge_stack zero_stack_main too_late;
}

fn bad_numbers_in_the_environment_are_named() {
    // A typing error that silently becomes a default, or a panic with a backtrace.
    const PROCS: &str = "expected a whole number from 1 to 1024";
    const STACK: &str = "expected a whole number from 1 to 1073741824";
    for program in ["tells", "tells_by_itself"] {
        for value in ["banana", "0", "1025", "99999", "", "-1", "1.5", "0x4", "99999999999999999999999", "4 procs"] {
            let ended = run(program, &[("GAGGLE_PROCS", value)]);
            assert_eq!(ended.stderr, format!("gaggle: GAGGLE_PROCS={value}: {PROCS}\n"));
            assert_eq!((ended.code, &*ended.stdout), (Some(2), ""));
        }
        for value in ["x", "0", "1073741825", "256K", "", "-65536"] {
            let ended = run(program, &[("GAGGLE_STACK", value)]);
            assert_eq!(ended.stderr, format!("gaggle: GAGGLE_STACK={value}: {STACK}\n"));
            assert_eq!((ended.code, &*ended.stdout), (Some(2), ""));
        }
        let ended = run_with(program, [("GAGGLE_PROCS", OsString::from_vec(vec![b'4', 0xff]))]);
        ended.assert_code(2).assert_says("gaggle: GAGGLE_PROCS=4").assert_says(PROCS);
    }
}

fn the_environment_sets_the_defaults() {
    // A variable that is read, checked, and forgotten.
    for program in ["tells", "tells_by_itself"] {
        assert_eq!(run(program, &[("GAGGLE_PROCS", "3")]).assert_code(0).assert_silent().stdout, "3 in 262144\n");
        assert_eq!(run(program, &[("GAGGLE_PROCS", " 1024 ")]).assert_code(0).stdout, "1024 in 262144\n");
        let both = [("GAGGLE_PROCS", "1"), ("GAGGLE_STACK", "1000000")];
        assert_eq!(run(program, &both).assert_code(0).assert_silent().stdout, "1 in 1048576\n");
        assert_eq!(run(program, &[("GAGGLE_PROCS", "2"), ("GAGGLE_STACK", "1")]).assert_code(0).stdout, "2 in 65536\n");
    }
}

/// The number of processors, and the size of an ordinary goroutine's stack, as far as can be told from within.
fn tell() {
    let room = go!({ gaggle::stack::remaining() }).join().unwrap();
    println!("{} in {}", gaggle::runtime::max_procs(), room.next_power_of_two());
}

fn tells() -> ExitCode {
    #[gaggle::main]
    fn main() {
        tell();
    }
    main()
}

fn tells_by_itself() -> ExitCode {
    tell();
    ExitCode::SUCCESS
}

fn what_the_program_says_wins() {
    // A deployment's variable that breaks a program that knows better.
    let env = [("GAGGLE_PROCS", "7"), ("GAGGLE_STACK", "65536")];
    let ended = run("overrides", &env);
    assert_eq!(ended.assert_code(0).assert_silent().stdout, "2 in 1048576\n");
}

fn overrides() -> ExitCode {
    Builder::new().max_procs(2).stack_size(1 << 20).start().unwrap();
    tell();
    ExitCode::SUCCESS
}

fn impossible_settings_panic_and_name_the_range() {
    // A runtime without a processor, which would hang at the first goroutine.
    run("impossible_procs", &[]).assert_code(101).assert_says("max_procs of 0: expected 1 to 1024");
    run("impossible_main_procs", &[]).assert_code(101).assert_says("max_procs of 5000: expected 1 to 1024");
    run("impossible_stack_size", &[]).assert_code(101).assert_says("stack_size of 0: expected 1 to 1073741824 bytes");
}

fn impossible_procs() -> ExitCode {
    Builder::new().max_procs(0).start().unwrap();
    ExitCode::SUCCESS
}

fn impossible_main_procs() -> ExitCode {
    #[gaggle::main(procs = 5000)]
    fn main() {}
    main()
}

fn impossible_stack_size() -> ExitCode {
    Builder::new().stack_size(0).start().unwrap();
    ExitCode::SUCCESS
}

fn impossible_stacks_panic_and_name_the_range() {
    // A stack of 0 bytes that is rounded up in silence, or crashes at the first call.
    const RANGE: &str = "the accepted range is 1 to 1073741824";
    for (program, size) in [("zero_stack", "0"), ("huge_stack", "18446744073709551615"), ("zero_stack_main", "0")] {
        let ended = run(program, &[]);
        ended.assert_code(101).assert_says(&format!("cannot start a goroutine: a stack of {size} bytes: {RANGE}"));
        // The caller's line, not one of ours.
        ended.assert_says("tests/programs/settings.rs:");
        assert_eq!(ended.stdout, "");
    }
}

fn zero_stack() -> ExitCode {
    #[gaggle::main]
    fn main() {
        go!(stack = 0; { println!("ran") }).join().unwrap();
    }
    main()
}

fn huge_stack() -> ExitCode {
    #[gaggle::main]
    fn main() {
        go!(stack = usize::MAX; { println!("ran") }).join().unwrap();
    }
    main()
}

fn zero_stack_main() -> ExitCode {
    // A literal 0 does not even compile.
    const NOTHING: usize = 0;
    #[gaggle::main(stack = NOTHING)]
    fn main() {
        println!("ran");
    }
    main()
}

fn settings_come_too_late_for_a_running_runtime() {
    // A start that changes half of the settings of a runtime that runs.
    let ended = run("too_late", &[("GAGGLE_PROCS", "3")]);
    assert_eq!(
        ended.assert_code(0).assert_silent().stdout,
        "starting a runtime that is already running\n3 in 262144\n"
    );
}

fn too_late() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let error = Builder::new().max_procs(5).stack_size(1 << 20).start().unwrap_err();
        println!("{error}");
        tell();
    }
    main()
}
