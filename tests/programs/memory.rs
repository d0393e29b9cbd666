//! B28, and the end of address space.

use crate::child::{room, run};
use gaggle::runtime::Builder;
use gaggle::{chan, go, task};
use std::io::ErrorKind;
use std::process::ExitCode;

room! {
    tests: b28_a_million_parked no_address_space_is_an_error_not_a_crash goroutines_come_and_go_in_constant_memory;
    programs: a_million_parked a_million_parked_migrating out_of_address_space constant_memory;
}

/// A field of this process's status, in bytes.
fn status(field: &str) -> usize {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").unwrap().lines().count()
}

fn b28_a_million_parked() {
    // Guards that split mappings end at 32,700 goroutines; pages beside the one in use cost gigabytes. Unoptimised, frames are
    // large, and from run to run some goroutines have touched a second page: 4,490 to 5,420 bytes each were seen.
    let most = if cfg!(debug_assertions) { 4600 + 4096 } else { 4600 };
    for program in ["a_million_parked", "a_million_parked_migrating"] {
        let ended = run(program, &[]);
        ended.assert_code(0).assert_silent();
        let words: Vec<_> = ended.stdout.split_whitespace().collect();
        let [each, mappings, woken] = words[..] else { panic!("{ended:#?}") };
        assert_eq!(woken.parse(), Ok(MANY));
        let mappings: usize = mappings.parse().unwrap();
        if !cfg!(gaggle_portable) {
            assert!(each.parse::<usize>().unwrap() <= most, "{each} bytes each");
            assert!(mappings < 200, "{mappings} mappings");
        }
    }
}

const MANY: usize = match (cfg!(gaggle_portable), cfg!(debug_assertions)) {
    (true, _) => 10_000,
    (_, true) => 100_000,
    _ => 1_000_000,
};

fn park_many() {
    let (tx, rx) = chan::<()>(0);
    let (done_tx, done) = chan::<usize>(1024);
    let (running, ready) = chan::<()>(1024);
    let before = status("VmRSS") + status("VmPTE");
    for _ in 0..MANY {
        let (rx, done, running) = (rx.clone(), done_tx.clone(), running.clone());
        drop(go!(stack = 64 << 10; {
            running.send(()).unwrap();
            let got = rx.recv();
            done.send(usize::from(got.is_none())).unwrap();
        }));
        // So that they do run, and take their stacks, as they come.
        gaggle::runtime::yield_now();
    }
    (0..MANY).for_each(|_| ready.recv().unwrap());
    let grown = status("VmRSS") + status("VmPTE") - before;
    let mappings = mappings();
    drop(tx);
    let woken: usize = (0..MANY).map(|_| done.recv().unwrap()).sum();
    println!("{} {mappings} {woken}", grown / MANY);
}

fn a_million_parked() -> ExitCode {
    #[gaggle::main]
    fn main() {
        park_many();
    }
    main()
}

fn a_million_parked_migrating() -> ExitCode {
    #[gaggle::main(unsafe(migrate))]
    fn main() {
        park_many();
    }
    main()
}

fn no_address_space_is_an_error_not_a_crash() {
    // A fatal error, or a signal, in a program that could have gone on with the goroutines it has.
    if cfg!(gaggle_portable) {
        // Its stacks are mapped at the first run, when an error comes too late.
        return;
    }
    for procs in ["1", "4"] {
        let ended = run("out_of_address_space", &[("GAGGLE_PROCS", procs)]);
        ended.assert_code(0).assert_says("cannot start a goroutine: no memory for a stack of 1048576 bytes");
        let words: Vec<_> = ended.stdout.split_whitespace().collect();
        assert_eq!(words[..2], ["OutOfMemory", "again:"], "{ended:#?}");
        // Few, perhaps: processors keep some of what ended on them for themselves.
        assert!(words[2].parse::<usize>().unwrap() >= 1, "{ended:#?}");
    }
}

fn out_of_address_space() -> ExitCode {
    const SIZE: usize = 1 << 20;
    let blocked = |rx: &gaggle::Receiver<()>| {
        let rx = rx.clone();
        task::Builder::new().stack_size(SIZE).spawn(move || rx.recv().is_none())
    };
    Builder::new().start().unwrap();
    // All workers are there, with their thread stacks, before the limit falls: each runs one of these at once.
    let procs = gaggle::runtime::max_procs();
    let meeting = std::sync::Barrier::new(procs);
    gaggle::scope(|s| {
        for _ in 0..procs {
            s.go(|| _ = meeting.wait());
        }
    });
    // And as many goroutine objects as there will be stacks.
    let (go_on, wait) = chan::<()>(0);
    let all: Vec<_> = (0..2048).map(|_| wait.clone()).map(|wait| gaggle::spawn(move || wait.recv())).collect();
    drop(go_on);
    all.into_iter().for_each(|g| assert_eq!(g.join().unwrap(), None));
    crate::threads::wait_for_the_runtimes_threads();
    let limit =
        libc::rlimit { rlim_cur: (status("VmSize") + (256 << 20)) as libc::rlim_t, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: a plain call with a valid argument.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
    // For the heap afterwards: std aborts when that has nothing left, and this is about stacks.
    let reserve = Vec::<u8>::with_capacity(64 << 20);
    let (tx, rx) = chan::<()>(0);
    let mut held = Vec::with_capacity(1 << 20);
    let error = loop {
        match blocked(&rx) {
            Ok(g) => held.push(g),
            Err(error) => break error,
        }
        assert!(held.len() < 1 << 20, "the limit does not hold");
    };
    drop(reserve);
    println!("{:?}", error.kind());
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    // `go!` panics where the builder returns an error; the reserve is used up first.
    let panicked = std::panic::catch_unwind(|| {
        let (_tx, rx) = chan::<()>(0);
        (0..1 << 20).for_each(|_| drop(go!(clone rx, stack = SIZE; { rx.recv() })));
    });
    assert!(panicked.is_err());
    // Those that are there go on, and what they leave can be used again.
    drop(tx);
    let woken = held.into_iter().map(|g| g.join().unwrap()).filter(|woken| *woken).count();
    while gaggle::runtime::num_goroutines() != 0 {
        std::thread::yield_now();
    }
    let (tx, rx) = chan::<()>(0);
    let again: Vec<_> = (0..woken).map_while(|_| blocked(&rx).ok()).collect();
    println!("again: {}", again.len());
    drop(tx);
    again.into_iter().for_each(|g| assert!(g.join().unwrap()));
    ExitCode::SUCCESS
}

fn goroutines_come_and_go_in_constant_memory() {
    // Goroutine objects, stacks, or segments that are not used again: a server that grows for ever.
    let ended = run("constant_memory", &[("GAGGLE_PROCS", "2")]);
    ended.assert_code(0).assert_silent();
}

fn constant_memory() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let wave = || {
            let (tx, rx) = chan::<()>(0);
            let all: Vec<_> = (0..2000)
                .map(|n| {
                    let rx = rx.clone();
                    go!({
                        let room = if n % 100 == 0 { 1 << 20 } else { 0 };
                        gaggle::stack::with_room(room, || rx.recv().is_none())
                    })
                })
                .collect();
            drop(tx);
            all.into_iter().for_each(|g| assert!(g.join().unwrap()));
        };
        (0..20).for_each(|_| wave());
        let before = (status("VmSize"), status("VmRSS"));
        (0..if cfg!(debug_assertions) { 50 } else { 300 }).for_each(|_| wave());
        let after = (status("VmSize"), status("VmRSS"));
        // A leak of stacks alone would be 25 GiB of address space and more; the heaps of threads make up some of it.
        assert!(
            after.0 < before.0 + (4 << 30) && after.1 < before.1 + (32 << 20),
            "{before:?} before, {after:?} after"
        );
    }
    main()
}
