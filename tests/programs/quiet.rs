//! Programs in which everybody has been asleep for a while when something new turns up: it must reach who sleeps.

use crate::child::{room, run};
use gaggle::net::UnixStream;
use gaggle::time::Timer;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

room! {
    tests: b14_after_a_quiet_time_a_sooner_deadline_and_the_first_descriptor_are_seen
        b18_threads_that_a_crowd_needed_end_in_a_quiet_time;
    programs: quiet_then_a_deadline quiet_then_a_descriptor a_crowd_then_quiet;
}

fn b14_after_a_quiet_time_a_sooner_deadline_and_the_first_descriptor_are_seen() {
    // The worker that looks at the clock sleeps for an hour, and where no event is seen: a hang.
    for program in ["quiet_then_a_deadline", "quiet_then_a_descriptor"] {
        for procs in ["1", "2"] {
            run(program, &[("GAGGLE_PROCS", procs)]).assert_code(0).assert_silent();
        }
    }
}

fn b18_threads_that_a_crowd_needed_end_in_a_quiet_time() {
    // Once every goroutine blocked its thread, and the process has as many for ever; or one that is needed ends.
    run("a_crowd_then_quiet", &[("GAGGLE_PROCS", "1")]).assert_code(0);
}

/// Long enough for the workers to have lost the patience with which a sleep begins. If it is not, nothing is tested.
fn let_them_sleep() {
    thread::sleep(Duration::from_millis(60));
}

fn quiet_then_a_deadline() -> ExitCode {
    let late = Timer::new(Duration::from_secs(3600));
    gaggle::go!(|| ()).join().unwrap();
    let_them_sleep();
    let early = Timer::new(Duration::from_millis(5));
    assert!(early.receiver().recv().is_some());
    assert!(late.stop());
    ExitCode::SUCCESS
}

fn quiet_then_a_descriptor() -> ExitCode {
    // So that nobody looks every now and then whether all are asleep for ever.
    let _late = Timer::new(Duration::from_secs(3600));
    gaggle::go!(|| ()).join().unwrap();
    let_them_sleep();
    let (mut here, mut there) = UnixStream::pair().unwrap();
    let reader = thread::spawn(move || {
        let mut byte = [0];
        there.read_exact(&mut byte).map(|()| byte)
    });
    let_them_sleep();
    here.write_all(&[7]).unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), [7]);
    ExitCode::SUCCESS
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

fn a_crowd_then_quiet() -> ExitCode {
    const CROWD: usize = 24;
    const RESIDENTS: usize = 2;
    // Main, the monitor, those at whose home somebody lives, and what a processor may need: itself, three who sleep, and one
    // more on its way.
    const FEW: usize = 8 + RESIDENTS;
    // While a plain thread is there, which may wake somebody, the workers look every now and then whether it has ended.
    thread::spawn(|| {
        loop {
            thread::park()
        }
    });
    gaggle::run(|| {
        let (tx, rx) = gaggle::chan::<()>(0);
        let block = || thread::sleep(Duration::from_millis(300));
        let residents: Vec<_> = (0..RESIDENTS)
            .map(|_| {
                gaggle::go!(clone rx; {
                    block();
                    rx.recv()
                })
            })
            .collect();
        // Twice: the second time they are those of before, begun anew.
        for _ in 0..2 {
            let crowd: Vec<_> = (0..CROWD).map(|_| gaggle::go!(block)).collect();
            let most = crowd.into_iter().map(|g| g.join().map(|()| threads()).unwrap()).max();
            assert!(most > Some(FEW), "{most:?} threads are no crowd");
            // Two seconds; if they do not end, the time of the test does.
            while threads() > FEW {
                gaggle::time::sleep(Duration::from_millis(20));
            }
        }
        drop(tx);
        residents.into_iter().for_each(|g| assert_eq!(g.join().unwrap(), None));
    });
    ExitCode::SUCCESS
}
