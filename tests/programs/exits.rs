//! Plain threads that end the process where they run on a stack of ours.

use crate::child::{room, run};
use gaggle::generator::Generator;
use gaggle::{chan, task};
use std::hint::black_box;
use std::process::ExitCode;
use std::thread;

room! {
    tests: a_thread_that_ends_the_process_keeps_the_stack_it_runs_on;
    programs: exits_on_a_segment exits_in_a_generator;
}

fn a_thread_that_ends_the_process_keeps_the_stack_it_runs_on() {
    // Its locals are destroyed before the last handlers run: the stack below those is given to the next goroutine.
    for program in ["exits_on_a_segment", "exits_in_a_generator"] {
        run(program, &[]).assert_code(0).assert_silent();
    }
}

/// As many goroutines as have a stack of `bytes` in some cache or other use all of it, beside the frames of this function.
fn let_others_use_stacks_of(bytes: usize) {
    let mine = black_box([0x5a_u8; 8192]);
    let (done, end) = chan::<()>(0);
    let (used, uses) = chan(0);
    let all: Vec<_> = (0..200)
        .map(|_| {
            let (used, end) = (used.clone(), end.clone());
            let body = move || {
                use_up(gaggle::stack::remaining() - (32 << 10));
                used.send(()).unwrap();
                end.recv()
            };
            task::Builder::new().stack_size(bytes).spawn(body).unwrap()
        })
        .collect();
    all.iter().for_each(|_| uses.recv().unwrap());
    drop(done);
    all.into_iter().for_each(|g| assert_eq!(g.join().unwrap(), None));
    assert!(black_box(&mine).iter().all(|byte| *byte == 0x5a), "somebody else runs on this stack");
}

#[inline(never)]
fn use_up(bytes: usize) {
    let here = black_box([1_u8; 4096]);
    if let Some(left) = bytes.checked_sub(2 * here.len()) {
        use_up(left);
    }
    black_box(&here);
}

fn exits_on_a_segment() -> ExitCode {
    extern "C" fn last() {
        let_others_use_stacks_of(1 << 20);
    }
    // SAFETY: a function without arguments.
    assert_eq!(unsafe { libc::atexit(last) }, 0);
    let work = || gaggle::stack::with_room(512 << 10, || std::process::exit(0));
    thread::Builder::new().stack_size(256 << 10).spawn(work).unwrap().join().unwrap()
}

fn exits_in_a_generator() -> ExitCode {
    extern "C" fn last() {
        let_others_use_stacks_of(256 << 10);
    }
    // SAFETY: a function without arguments.
    assert_eq!(unsafe { libc::atexit(last) }, 0);
    Generator::<(), ()>::new(|_| std::process::exit(0)).next();
    unreachable!("the process has ended")
}
