//! What a program says by itself: at SIGQUIT, at a panic under the policy `Abort`, under `GAGGLE_SCHEDTRACE`.

use crate::child::{room, run};
use gaggle::runtime::{Builder, PanicPolicy};
use gaggle::{Receiver, chan, go};
use std::process::ExitCode;
use std::time::Duration;

room! {
    tests: sigquit_prints_the_dump_and_ends_with_status_2 sigquit_while_somebody_has_locked_standard_error sigquit_of_a_program_that_handles_it_is_its_own
        a_panic_that_aborts_shows_its_goroutine a_panic_that_aborts_shows_all_when_asked a_caught_panic_shows_nothing
        a_traceback_of_another_word_is_refused the_scheduler_is_traced bad_traces_are_refused;
    programs: quits quits_with_a_lock quits_by_its_own_handler aborts_deep catches_and_ends traced untraced;
}

/// Whether this back end can look at parked stacks.
const NATIVE: bool = cfg!(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(gaggle_portable)));

#[inline(never)]
fn waits_here(rx: &Receiver<u32>) {
    std::hint::black_box(rx.recv());
}

/// A goroutine that waits, once it does.
fn sleeper() -> gaggle::Sender<u32> {
    let (tx, rx) = chan(0);
    go!(name = "worker 3"; { waits_here(&rx) });
    let waits = || gaggle::runtime::dump().goroutines().any(|g| g.reason() == Some("chan receive"));
    while !waits() {
        gaggle::runtime::yield_now();
    }
    tx
}

fn sigquit_prints_the_dump_and_ends_with_status_2() {
    // The one question that a program that hangs can still be asked, answered with a core dump.
    for procs in ["1", "2", "8"] {
        let ended = run("quits", &[("GAGGLE_PROCS", procs)]);
        ended.assert_code(2).assert_says("SIGQUIT: quit\n\ngoroutine 1 \"main\" [chan receive]:\n");
        ended
            .assert_says("\"worker 3\" [chan receive]:\n")
            .assert_says("created by go! in goroutine 1 at tests/programs/");
        if NATIVE {
            ended.assert_says("::waits_here\n");
        }
        assert_eq!(ended.stdout, "");
    }
}

fn quits() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let tx = sleeper();
        let (_keep, never) = chan::<()>(0);
        go!({
            while !gaggle::runtime::dump().goroutines().any(|g| g.id().get() == 1 && g.reason().is_some()) {
                gaggle::runtime::yield_now();
            }
            // SAFETY: a signal to ourselves.
            unsafe { libc::kill(libc::getpid(), libc::SIGQUIT) };
        });
        // An hour: while a timer is set this is no deadlock, whoever comes first.
        let _ = never.recv_timeout(Duration::from_secs(3600));
        drop(tx);
    }
    main()
}

fn sigquit_while_somebody_has_locked_standard_error() {
    // A goroutine that writes what comes from a channel, and holds the lock meanwhile: the program could not be asked, nor
    // ended by the one signal that is left.
    run("quits_with_a_lock", &[]).assert_code(2).assert_says("SIGQUIT: quit\n\ngoroutine 1 \"main\" [chan receive]:\n");
}

fn quits_with_a_lock() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let (_keep, never) = chan::<()>(0);
        let _written_to = std::io::stderr().lock();
        go!({
            while !gaggle::runtime::dump().goroutines().any(|g| g.id().get() == 1 && g.reason().is_some()) {
                gaggle::runtime::yield_now();
            }
            // SAFETY: a signal to ourselves.
            unsafe { libc::kill(libc::getpid(), libc::SIGQUIT) };
        });
        // An hour: while a timer is set this is no deadlock, whoever comes first.
        let _ = never.recv_timeout(Duration::from_secs(3600));
    }
    main()
}

fn sigquit_of_a_program_that_handles_it_is_its_own() {
    // A handler that the program installed, replaced behind its back.
    let ended = run("quits_by_its_own_handler", &[]);
    ended.assert_code(0).assert_silent();
    assert_eq!(ended.stdout, "handled\n");
}

fn quits_by_its_own_handler() -> ExitCode {
    extern "C" fn handler(_: libc::c_int) {
        // SAFETY: async-signal-safe.
        unsafe {
            libc::write(1, c"handled\n".as_ptr().cast(), 8);
            libc::_exit(0);
        }
    }
    // SAFETY: before anything else runs.
    unsafe { libc::signal(libc::SIGQUIT, handler as *const () as usize) };
    #[gaggle::main]
    fn main() {
        // SAFETY: a signal to ourselves.
        unsafe { libc::raise(libc::SIGQUIT) };
    }
    main()
}

fn a_panic_that_aborts_shows_its_goroutine() {
    // Go's rule, by which a program ends for a panic without saying where it was.
    let ended = run("aborts_deep", &[]);
    ended
        .assert_code(2)
        .assert_says("out of luck\n")
        .assert_says("\ngoroutine ")
        .assert_says(" \"unlucky\" [running]:\n");
    // Where it panicked, not where it was caught.
    ended.assert_says("::is_unlucky").assert_says("created by go! in goroutine 1 at tests/programs/dumps.rs:");
    assert!(!ended.stderr.contains("\"worker 3\""), "only the one that panicked: {ended:#?}");
    let quiet = run("aborts_deep", &[("GAGGLE_TRACEBACK", "none")]);
    assert!(!quiet.stderr.contains("[running]"), "{quiet:#?}");
    quiet.assert_code(2).assert_says("out of luck\n");
}

fn a_panic_that_aborts_shows_all_when_asked() {
    // `all` that is read and forgotten; or the one that panicked twice.
    let ended = run("aborts_deep", &[("GAGGLE_TRACEBACK", "all"), ("GAGGLE_PROCS", "2")]);
    ended.assert_code(2).assert_says("::is_unlucky").assert_says("\"worker 3\" [chan receive]:\n");
    assert_eq!(ended.stderr.matches("\"unlucky\" [").count(), 1, "{ended:#?}");
    let (unlucky, worker) = (ended.stderr.find("\"unlucky\" ["), ended.stderr.find("\"worker 3\" ["));
    assert!(unlucky < worker, "{ended:#?}");
}

fn aborts_deep() -> ExitCode {
    #[inline(never)]
    fn is_unlucky(lucky: bool) {
        assert!(lucky, "out of luck");
    }
    Builder::new().panic(PanicPolicy::Abort).start().unwrap();
    #[gaggle::main]
    fn main() {
        let tx = sleeper();
        go!(name = "unlucky"; is_unlucky(std::hint::black_box(false))).join().unwrap();
        drop(tx);
    }
    main()
}

fn a_caught_panic_shows_nothing() {
    // A panic that was caught long ago, shown as the place of another one.
    let ended = run("catches_and_ends", &[]);
    ended.assert_code(2).assert_says("::second");
    let (_, dump) = ended.stderr.split_once("[running]:").unwrap();
    assert!(!dump.contains("::first"), "{ended:#?}");
}

fn catches_and_ends() -> ExitCode {
    #[inline(never)]
    fn first(lucky: bool) {
        assert!(lucky, "caught");
    }
    #[inline(never)]
    fn second(lucky: bool) {
        assert!(lucky, "not caught");
    }
    Builder::new().panic(PanicPolicy::Abort).start().unwrap();
    #[gaggle::main]
    fn main() {
        let no = std::hint::black_box(false);
        assert!(std::panic::catch_unwind(|| first(no)).is_err());
        second(no);
    }
    main()
}

fn a_traceback_of_another_word_is_refused() {
    // A typing error that becomes the default.
    let ended = run("untraced", &[("GAGGLE_TRACEBACK", "full")]);
    assert_eq!(ended.stderr, "gaggle: GAGGLE_TRACEBACK=full: expected one of none, single, all\n");
    assert_eq!((ended.code, &*ended.stdout), (Some(2), ""));
}

fn the_scheduler_is_traced() {
    // A line that Go's readers do not understand, or none at all.
    let ended = run("traced", &[("GAGGLE_SCHEDTRACE", "5"), ("GAGGLE_PROCS", "3")]);
    ended.assert_code(0);
    let mut last = 0;
    for line in ended.stderr.lines() {
        let rest = line.strip_prefix("SCHED ").unwrap_or_else(|| panic!("{line}"));
        let (millis, rest) = rest.split_once("ms: ").unwrap_or_else(|| panic!("{line}"));
        let millis: u64 = millis.parse().unwrap();
        assert!(millis > last, "{ended:#?}");
        last = millis;
        let (fields, queues) = rest.split_once(" [").unwrap_or_else(|| panic!("{line}"));
        let names: Vec<_> = fields.split(' ').map(|f| f.split_once('=').unwrap()).collect();
        let expected = ["gomaxprocs", "idleprocs", "threads", "spinningthreads", "idlethreads", "runqueue"];
        assert_eq!(names.iter().map(|(name, _)| *name).collect::<Vec<_>>(), expected);
        assert!(names.iter().all(|(_, n)| n.parse::<usize>().is_ok()), "{line}");
        assert_eq!(names[0].1, "3");
        let queues: Vec<usize> = queues.trim_end_matches(']').split(' ').map(|n| n.parse().unwrap()).collect();
        assert_eq!(queues.len(), 3, "{line}");
    }
    assert!(ended.stderr.lines().count() >= 3, "{ended:#?}");
    run("untraced", &[]).assert_code(0).assert_silent();
}

fn traced() -> ExitCode {
    #[gaggle::main]
    fn main() {
        // Some ten lines' time: how many there are is the machine's business.
        gaggle::time::sleep(Duration::from_millis(500));
    }
    main()
}

fn untraced() -> ExitCode {
    #[gaggle::main]
    fn main() {
        println!("ran");
    }
    main()
}

fn bad_traces_are_refused() {
    // A period of nothing, by which a thread prints without end.
    for value in ["0", "-1", "x", "1s", "", "86400001", "0.5"] {
        let ended = run("untraced", &[("GAGGLE_SCHEDTRACE", value)]);
        let line = format!("gaggle: GAGGLE_SCHEDTRACE={value}: expected a whole number from 1 to 86400000\n");
        assert_eq!(ended.stderr, line);
        assert_eq!((ended.code, &*ended.stdout), (Some(2), ""));
    }
}
