//! What a panic in a goroutine shows, and what it does to the program.

use crate::child::{room, run};
use gaggle::runtime::{Builder, PanicPolicy};
use gaggle::{chan, go};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

room! {
    tests: a_panic_names_its_goroutine a_panic_deep_in_the_stack_is_told_too the_policy_abort_is_gos_rule
        the_policy_abort_holds_for_members_of_a_group exit_is_no_panic_under_the_policy_abort
        the_hook_sees_who_panicked a_hook_that_panics_hurts_nobody payloads_of_any_kind_are_isolated
        many_panics_at_once_are_told_one_by_one a_panic_that_cannot_be_told_is_isolated_too;
    programs: isolated isolated_migrating deep aborts aborts_in_a_scope aborts_in_a_group exits_under_abort hooked
        bad_hook odd_payloads many untold;
}

fn a_panic_names_its_goroutine() {
    // A message among thousands of goroutines that does not say whose it is.
    for program in ["isolated", "isolated_migrating"] {
        let ended = run(program, &[]);
        ended
            .assert_code(0)
            .assert_says("\"worker 3\" (started at tests/programs/panics.rs:")
            .assert_says("out of luck");
        ended.assert_says("goroutine ").assert_says("panicked:");
        assert_eq!(ended.stdout, "the neighbour goes on\npayload: out of luck\n");
        // The unnamed one has its number and its place.
        ended.assert_says(" (started at tests/programs/panics.rs:").assert_says("nameless");
    }
}

fn panicking_goroutines() {
    let (tx, rx) = chan(0);
    let neighbour = go!({
        assert_eq!(rx.recv(), Some(1));
        println!("the neighbour goes on");
    });
    let bad = go!(name = "worker 3"; {
        if gaggle::runtime::id().is_some() {
            panic!("out of luck");
        }
    });
    let payload = bad.join().unwrap_err();
    let nameless = go!({
        panic!("nameless {}", std::hint::black_box(1));
    });
    assert!(nameless.join().unwrap_err().is::<String>());
    tx.send(1).unwrap();
    neighbour.join().unwrap();
    println!("payload: {}", payload.downcast_ref::<&str>().unwrap());
}

fn isolated() -> ExitCode {
    #[gaggle::main]
    fn main() {
        panicking_goroutines();
    }
    main()
}

fn isolated_migrating() -> ExitCode {
    #[gaggle::main(unsafe(migrate))]
    fn main() {
        panicking_goroutines();
    }
    main()
}

fn a_panic_deep_in_the_stack_is_told_too() {
    // A panic with little room left overflows while its message and backtrace are written. (The unwinder itself takes
    // some 10 KiB, here as on a plain thread.)
    for backtrace in ["0", "1", "full"] {
        let ended = run("deep", &[("RUST_BACKTRACE", backtrace)]);
        ended.assert_code(0).assert_says("at the very end");
        assert!(!ended.stderr.contains("overflow"), "{}", ended.stderr);
        assert_eq!(ended.stdout, "caught\n");
    }
}

fn deep() -> ExitCode {
    #[gaggle::main]
    fn main() {
        fn down() -> usize {
            let frame = std::hint::black_box([1u8; 256]);
            if gaggle::stack::remaining() < 12 << 10 {
                panic!("at the very end");
            }
            down() + usize::from(frame[0])
        }
        let ended = go!(stack = 64 << 10; { down() }).join();
        assert!(ended.is_err());
        println!("caught");
    }
    main()
}

fn the_policy_abort_is_gos_rule() {
    // A program that asked for Go's rule and goes on after a panic.
    for program in ["aborts", "aborts_in_a_scope"] {
        let ended = run(program, &[]);
        ended.assert_code(2).assert_says("the last straw").assert_says("\"camel\"");
        assert_eq!(ended.stdout, "");
    }
}

fn aborts() -> ExitCode {
    Builder::new().panic(PanicPolicy::Abort).start().unwrap();
    _ = go!(name = "camel"; { panic!("the last straw"); }).join();
    println!("still here");
    ExitCode::SUCCESS
}

fn aborts_in_a_scope() -> ExitCode {
    Builder::new().panic(PanicPolicy::Abort).start().unwrap();
    _ = go!(name = "camel"; {
        gaggle::scope(|s| {
            s.go(gaggle::runtime::yield_now);
            panic!("the last straw");
        });
    })
    .join();
    println!("still here");
    ExitCode::SUCCESS
}

fn the_policy_abort_holds_for_members_of_a_group() {
    // A panic that a group keeps for whoever waits, and that nobody waits for or everybody catches.
    let ended = run("aborts_in_a_group", &[]);
    ended.assert_code(2).assert_says("the last straw");
    assert_eq!(ended.stdout, "");
}

fn aborts_in_a_group() -> ExitCode {
    Builder::new().panic(PanicPolicy::Abort).start().unwrap();
    let group = gaggle::sync::Group::<()>::new();
    group.go(|| panic!("the last straw"));
    _ = catch_unwind(|| group.wait());
    println!("still here");
    ExitCode::SUCCESS
}

fn exit_is_no_panic_under_the_policy_abort() {
    // Goexit unwinds, too: not a panic, and nobody is told.
    let ended = run("exits_under_abort", &[]);
    ended.assert_code(0).assert_silent();
    assert_eq!(ended.stdout, "still here\n");
}

fn exits_under_abort() -> ExitCode {
    Builder::new().panic(PanicPolicy::Abort).on_panic(|_| println!("a hook for exit")).start().unwrap();
    assert!(
        go!({
            gaggle::runtime::exit();
        })
        .join()
        .is_err()
    );
    println!("still here");
    ExitCode::SUCCESS
}

fn the_hook_sees_who_panicked() {
    // A hook that is told too little to file a report, or is told twice.
    let ended = run("hooked", &[]);
    ended.assert_code(0);
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{ended:#?}");
    assert!(lines[0].starts_with("Some(\"reporter\") true started at tests/programs/panics.rs:"), "{ended:#?}");
    assert!(lines[0].ends_with(" told: 17"), "{ended:#?}");
    assert_eq!(lines[1], "joined: 17");
}

fn hooked() -> ExitCode {
    let (tx, rx) = chan(1);
    Builder::new()
        .on_panic(move |panic| {
            let told = panic.payload().downcast_ref::<u32>().unwrap();
            // On the goroutine's own stack: it may even wait.
            gaggle::runtime::yield_now();
            let same = gaggle::runtime::id() == Some(panic.id());
            println!("{:?} {same} started at {} told: {told}", panic.name(), panic.site());
            tx.send(()).unwrap();
        })
        .start()
        .unwrap();
    let ended = go!(name = "reporter"; { std::panic::panic_any(17u32); }).join();
    assert_eq!(rx.try_recv(), Ok(()));
    println!("joined: {}", ended.unwrap_err().downcast_ref::<u32>().unwrap());
    ExitCode::SUCCESS
}

fn a_hook_that_panics_hurts_nobody() {
    // A panic while a panic is told: an abort, or a worker that is lost.
    let ended = run("bad_hook", &[("GAGGLE_PROCS", "1")]);
    ended.assert_code(0).assert_says("first").assert_says("the hook itself");
    assert_eq!(ended.stdout, "first\nall is well\n");
}

fn bad_hook() -> ExitCode {
    Builder::new().on_panic(|_| panic!("the hook itself")).start().unwrap();
    let payload = go!({
        panic!("first");
    })
    .join()
    .unwrap_err();
    println!("{}", payload.downcast_ref::<&str>().unwrap());
    go!({ gaggle::runtime::yield_now() }).join().unwrap();
    println!("all is well");
    ExitCode::SUCCESS
}

fn payloads_of_any_kind_are_isolated() {
    // A payload whose own destructor panics, dropped where nobody catches it.
    for procs in ["1", "2"] {
        let ended = run("odd_payloads", &[("GAGGLE_PROCS", procs)]);
        ended.assert_code(0).assert_says("dropping the payload");
        assert_eq!(ended.stdout, "done\n");
    }
}

fn odd_payloads() -> ExitCode {
    #[gaggle::main]
    fn main() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropping the payload");
            }
        }
        // Detached before its end, after it, or just then: who comes later drops the payload.
        let detach = |g: gaggle::JoinHandle<()>| catch_unwind(AssertUnwindSafe(|| drop(g)));
        _ = detach(go!({
            std::panic::resume_unwind(Box::new(Bomb));
        }));
        gaggle::runtime::yield_now();
        let ended = go!({
            std::panic::resume_unwind(Box::new(Bomb));
        });
        while !ended.is_finished() {
            gaggle::runtime::yield_now();
        }
        assert!(detach(ended).is_err());
        let payload = go!({
            std::panic::resume_unwind(Box::new(Bomb));
        })
        .join()
        .unwrap_err();
        std::mem::forget(payload);
        // A result whose destructor panics.
        _ = catch_unwind(AssertUnwindSafe(|| drop(go!({ Bomb }))));
        (0..10).for_each(|_| go!({ gaggle::runtime::yield_now() }).join().unwrap());
        println!("done");
    }
    main()
}

fn many_panics_at_once_are_told_one_by_one() {
    // A message lost, or one that deadlocks on std's own lock for backtraces.
    let ended = run("many", &[("GAGGLE_PROCS", "8"), ("RUST_BACKTRACE", "1")]);
    ended.assert_code(0);
    let told = (0..200).filter(|n| ended.stderr.contains(&format!("number {n}!"))).count();
    assert_eq!(told, 200, "{}", ended.stderr);
}

fn many() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let all: Vec<_> = (0..200).map(|n| go!(name = format!("n{n}"); { panic!("number {n}!"); })).collect();
        assert_eq!(all.into_iter().filter_map(|g| g.join().err()).count(), 200);
    }
    main()
}

fn a_panic_that_cannot_be_told_is_isolated_too() {
    // A server whose log fills the disk, or whose terminal is gone: the message fails, and takes the process with it.
    assert_eq!(run("untold", &[]).assert_code(0).stdout, "the neighbour goes on\npayload: out of luck\n");
}

fn untold() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        // SAFETY: two open descriptors; whoever writes to standard error hears of the error.
        assert_eq!(unsafe { libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&full), 2) }, 2);
        panicking_goroutines();
    }
    main()
}
