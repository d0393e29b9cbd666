//! The end of `main` is the end of the program, whatever it returns and whatever still runs.

use crate::child::{room, run};
use gaggle::{chan, go};
use std::cell::RefCell;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

room! {
    tests: main_is_goroutine_1 main_returns_what_a_main_may main_panics_as_mains_do
        main_that_exits_leaves_the_others_running others_are_not_waited_for
        starting_goroutines_while_main_returns_is_no_crash starting_from_a_plain_main_needs_no_attribute;
    programs: says_its_number returns_a_code returns_an_error returns_nothing panics exits leaves_others_behind
        ends_in_a_storm starts_by_itself;
}

fn main_is_goroutine_1() {
    // A number that depends on what the runtime starts for itself.
    for procs in ["1", "8"] {
        let ended = run("says_its_number", &[("GAGGLE_PROCS", procs)]);
        ended.assert_code(0).assert_silent();
        assert_eq!(ended.stdout, format!("1 {procs}\n"));
    }
}

fn says_its_number() -> ExitCode {
    #[gaggle::main]
    fn main() {
        println!("{} {}", gaggle::runtime::id().unwrap(), gaggle::runtime::max_procs());
    }
    main()
}

fn main_returns_what_a_main_may() {
    // An exit status swallowed on the way from goroutine 1.
    run("returns_nothing", &[]).assert_code(0).assert_silent();
    run("returns_a_code", &[]).assert_code(42).assert_silent();
    let ended = run("returns_an_error", &[]);
    ended.assert_code(1);
    assert_eq!(ended.stderr, "Error: \"no luck\"\n");
}

fn returns_nothing() -> ExitCode {
    #[gaggle::main(procs = 2)]
    fn main() {
        assert_eq!(gaggle::runtime::max_procs(), 2);
    }
    main()
}

fn returns_a_code() -> ExitCode {
    #[gaggle::main(unsafe(migrate))]
    fn main() -> ExitCode {
        ExitCode::from(42)
    }
    main()
}

fn returns_an_error() -> ExitCode {
    #[gaggle::main(stack = 1 << 20)]
    fn main() -> Result<(), &'static str> {
        Err("no luck")
    }
    main()
}

fn main_panics_as_mains_do() {
    // Another status than the 101 that scripts expect of a Rust program.
    let ended = run("panics", &[]);
    ended.assert_code(101).assert_says("goroutine 1 \"main\"").assert_says("the main thing went wrong");
    assert_eq!(ended.stdout, "");
}

fn panics() -> ExitCode {
    #[gaggle::main]
    fn main() {
        if gaggle::runtime::id().is_some() {
            panic!("the main thing went wrong");
        }
        println!("still here");
    }
    main()
}

fn main_that_exits_leaves_the_others_running() {
    // Goexit of main: Go lets the others finish, and only then says that there is nobody left.
    let ended = run("exits", &[]);
    ended.assert_code(2).assert_says("fatal error: no goroutines (main called runtime.Goexit) - deadlock!");
    assert_eq!(ended.stdout, "unwound\nthe other one finished\n");
}

fn exits() -> ExitCode {
    #[gaggle::main]
    fn main() {
        struct Unwound(gaggle::Sender<()>);
        impl Drop for Unwound {
            fn drop(&mut self) {
                println!("unwound");
                self.0.send(()).unwrap();
            }
        }
        let (tx, rx) = chan(0);
        go!({
            rx.recv().unwrap();
            gaggle::runtime::yield_now();
            println!("the other one finished");
        });
        let _unwound = Unwound(tx);
        gaggle::runtime::exit();
    }
    main()
}

fn others_are_not_waited_for() {
    // A program that never ends because a goroutine blocks, or spins.
    run("leaves_others_behind", &[("GAGGLE_PROCS", "4")]).assert_code(0).assert_silent();
}

fn leaves_others_behind() -> ExitCode {
    #[gaggle::main]
    fn main() {
        struct Never;
        impl Drop for Never {
            fn drop(&mut self) {
                println!("goroutines are not unwound at the end");
            }
        }
        let (tx, rx) = chan::<()>(0);
        for _ in 0..100 {
            go!(clone rx; {
                let _never = Never;
                rx.recv();
            });
        }
        let started = Arc::new(AtomicBool::new(false));
        go!(clone started; {
            started.store(true, SeqCst);
            loop {
                std::hint::spin_loop();
            }
        });
        // Not by a channel: on this very thread nobody could come between the endless loop and us.
        while !started.load(SeqCst) {
            std::hint::spin_loop();
        }
        std::mem::forget(tx);
    }
    main()
}

fn starting_goroutines_while_main_returns_is_no_crash() {
    // Statics and thread locals torn down under goroutines that still run.
    let times = if cfg!(debug_assertions) { 100 } else { 1000 };
    for n in 0..times {
        let ended = run("ends_in_a_storm", &[("GAGGLE_PROCS", ["1", "2", "8"][n % 3])]);
        ended.assert_code(7).assert_silent();
    }
}

fn ends_in_a_storm() -> ExitCode {
    #[gaggle::main]
    fn main() -> ExitCode {
        fn breed(generation: u32) {
            thread_local!(static USED: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) });
            USED.with_borrow_mut(|used| used.push(generation));
            gaggle::runtime::yield_now();
            go!(name = "short-lived"; { drop(vec![generation; 100]) });
            gaggle::time::sleep(std::time::Duration::from_micros(10));
            go!(breed(generation + 1));
        }
        for _ in 0..4 {
            go!(breed(0));
        }
        for _ in 0..2 {
            std::thread::spawn(|| (0..1000).for_each(|_| drop(go!({ gaggle::runtime::yield_now() }))));
        }
        (0..20).for_each(|_| gaggle::runtime::yield_now());
        ExitCode::from(7)
    }
    main()
}

fn starting_from_a_plain_main_needs_no_attribute() {
    // Two threads that start the runtime at once start two, or none.
    for procs in ["1", "2", "8"] {
        for _ in 0..if cfg!(debug_assertions) { 10 } else { 50 } {
            let ended = run("starts_by_itself", &[("GAGGLE_PROCS", procs)]);
            ended.assert_code(0).assert_silent();
            assert_eq!(ended.stdout, format!("800 {procs}\n"));
        }
    }
}

fn starts_by_itself() -> ExitCode {
    let begin = std::sync::Barrier::new(8);
    let sum: usize = std::thread::scope(|s| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                s.spawn(|| {
                    begin.wait();
                    let all: Vec<_> = (0..100).map(|_| go!({ 1usize })).collect();
                    all.into_iter().map(|g| g.join().unwrap()).sum::<usize>()
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    println!("{sum} {}", gaggle::runtime::max_procs());
    ExitCode::SUCCESS
}
