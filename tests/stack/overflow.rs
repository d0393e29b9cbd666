//! Running off the stack: a report that names the goroutine, never silence, whatever guards this kernel has.

use super::{Ended, program};
use std::hint::black_box;

const REPORT: &str = "fatal error: goroutine stack overflow";
const GUARDS: [&[(&str, &str)]; 3] = [&[], &[("GAGGLE_TEST_GUARD", "protect")], &[("GAGGLE_TEST_GUARD", "canary")]];

/// Recursion that asks nobody for room.
#[inline(never)]
#[allow(unconditional_recursion, reason = "that is the test")]
fn endless(depth: usize) -> usize {
    let frame = black_box([depth as u8; 512]);
    endless(black_box(depth) + 1) + usize::from(frame[depth % 512])
}

#[track_caller]
fn assert_reported(ended: &Ended, detail: &str) {
    assert_eq!(ended.signal, Some(libc::SIGABRT), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches(REPORT).count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains(detail), "no {detail:?} in: {}", ended.stderr);
}

#[test]
fn endless_recursion_is_reported_with_the_goroutines_name() {
    // Silent corruption, or a bare SIGSEGV, would tell nothing about who did it.
    for guard in GUARDS {
        let ended = program("overflow::program_endless", guard);
        assert_reported(&ended, "the deep one");
        assert!(ended.stderr.contains("tests/stack/overflow.rs"), "no spawn site: {}", ended.stderr);
    }
}

#[test]
#[ignore = "a program: it overflows its stack"]
fn program_endless() {
    // See `endless_recursion_is_reported_with_the_goroutines_name`.
    let task = gaggle::task::Builder::new().name("the deep one").spawn(|| endless(0)).unwrap();
    black_box(task.join()).unwrap();
}

#[test]
fn one_frame_larger_than_the_stack_is_reported() {
    // A frame that steps over the guard would land in a neighbour's stack; the compiler's probes must meet the guard.
    let ended = program("overflow::program_large_frame", &[]);
    assert_reported(&ended, "goroutine");
}

#[test]
#[ignore = "a program: it overflows its stack"]
fn program_large_frame() {
    // See `one_frame_larger_than_the_stack_is_reported`.
    #[inline(never)]
    fn large(seed: u8) -> usize {
        let frame = black_box([seed; 1 << 20]);
        frame.iter().map(|&byte| usize::from(byte)).sum()
    }
    let sum = gaggle::spawn(|| large(black_box(1))).join().unwrap();
    panic!("{sum} on a stack of 256 KiB");
}

#[test]
fn running_off_a_segment_is_reported() {
    // The guard of a segment must be known as well as that of a first stack.
    for guard in GUARDS {
        let ended = program("overflow::program_endless_on_a_segment", guard);
        assert_reported(&ended, "goroutine");
    }
}

#[test]
#[ignore = "a program: it overflows its stack"]
fn program_endless_on_a_segment() {
    // See `running_off_a_segment_is_reported`.
    gaggle::run(|| gaggle::stack::with_room(gaggle::stack::remaining() + 1, || endless(0)));
}

#[test]
fn growth_beyond_the_limit_is_reported() {
    // Endless recursion that does ask for room must end before the machine's memory does.
    let ended = program("overflow::program_endless_growth", &[]);
    assert_reported(&ended, "bytes at most");
}

#[test]
#[ignore = "a program: it overflows its stack"]
fn program_endless_growth() {
    // See `growth_beyond_the_limit_is_reported`.
    #[gaggle::growable]
    #[allow(unconditional_recursion, reason = "that is the test")]
    fn endless_growth(depth: usize) -> usize {
        let frame = black_box([depth as u8; 512]);
        endless_growth(black_box(depth) + 1) + usize::from(frame[depth % 512])
    }
    gaggle::runtime::Builder::new().max_stack(16 << 20).start().unwrap();
    gaggle::run(|| endless_growth(0));
}

#[test]
#[cfg_attr(gaggle_portable, ignore = "generators always have a guard")]
fn without_guards_a_small_overrun_is_found_at_the_next_park() {
    // The canary is all that protects the neighbour when mappings are used up.
    // One processor: both goroutines get their stacks from one batch.
    let env = [GUARDS[2][0], ("GAGGLE_PROCS", "1")];
    let ended = program("overflow::program_small_overrun", &env);
    assert_reported(&ended, "found when it parked");
}

#[test]
#[ignore = "a program: it overflows its stack"]
fn program_small_overrun() {
    // See `without_guards_a_small_overrun_is_found_at_the_next_park`.
    fn into_the_lowest_page() -> usize {
        let frame = black_box([0xaa_u8; 64]);
        // The lowest page does not count as room.
        let below = if gaggle::stack::remaining() == 0 { 0 } else { into_the_lowest_page() };
        below + usize::from(frame[below % 64] == 0)
    }
    gaggle::run(|| {
        let (tx, rx) = gaggle::chan::<usize>(0);
        // The first stack of a batch has a guard even then, so that endless recursion meets one.
        let first = tx.clone();
        gaggle::spawn(move || first.send(1).and_then(|()| first.send(2)));
        assert_eq!(rx.recv(), Some(1));
        let task = gaggle::spawn(move || tx.send(into_the_lowest_page()).unwrap());
        black_box(task.join()).unwrap();
    });
}

#[test]
fn a_plain_threads_overflow_keeps_the_message_of_std() {
    // Our handler must pass on what is not ours.
    let ended = program("overflow::program_endless_on_a_thread", &[]);
    assert_eq!(ended.signal, Some(libc::SIGABRT), "{}", ended.stderr);
    assert!(ended.stderr.contains("has overflowed its stack"), "{}", ended.stderr);
    assert!(!ended.stderr.contains(REPORT), "{}", ended.stderr);
}

#[test]
#[ignore = "a program: it overflows its stack"]
fn program_endless_on_a_thread() {
    // See `a_plain_threads_overflow_keeps_the_message_of_std`.
    gaggle::run(|| ());
    std::thread::Builder::new().name("plain".into()).spawn(|| endless(0)).unwrap().join().unwrap();
}

#[test]
fn a_wild_pointer_is_no_overflow() {
    // Calling every fault an overflow would send people looking in the wrong place.
    let ended = program("overflow::program_wild_pointer", &[]);
    assert_eq!(ended.signal, Some(libc::SIGSEGV), "{}", ended.stderr);
    assert!(!ended.stderr.contains(REPORT), "{}", ended.stderr);
}

#[test]
#[ignore = "a program: it crashes"]
fn program_wild_pointer() {
    // See `a_wild_pointer_is_no_overflow`.
    gaggle::run(|| {
        // SAFETY: none; the fault is the point.
        unsafe { black_box(16 as *const u8).read_volatile() }
    });
}

#[test]
fn a_forked_child_keeps_its_guards() {
    // A guard lost in fork would make the child's overflow silent.
    for guard in &GUARDS[..2] {
        let ended = program("overflow::program_endless_after_fork", guard);
        assert!(ended.success, "{}", ended.stderr);
        assert_eq!(ended.stderr.matches(REPORT).count(), 1, "{}", ended.stderr);
    }
}

#[test]
#[ignore = "a program: it forks, and the child overflows its stack"]
fn program_endless_after_fork() {
    // See `a_forked_child_keeps_its_guards`.
    gaggle::run(|| {
        // SAFETY: the child only recurses until it dies.
        match unsafe { libc::fork() } {
            0 => drop(black_box(endless(0))),
            child => {
                let mut status = 0;
                // SAFETY: waits for the child made above.
                unsafe { libc::waitpid(child, &mut status, 0) };
                assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGABRT, "status {status:x}");
            }
        }
    });
}
