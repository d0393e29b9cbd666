//! Programs in which everybody has been asleep for a while when something new turns up: it must reach who sleeps.

use crate::child::{room, run};
use gaggle::net::UnixStream;
use gaggle::time::Timer;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

room! {
    tests: b14_after_a_quiet_time_a_sooner_deadline_and_the_first_descriptor_are_seen;
    programs: quiet_then_a_deadline quiet_then_a_descriptor;
}

fn b14_after_a_quiet_time_a_sooner_deadline_and_the_first_descriptor_are_seen() {
    // The worker that looks at the clock sleeps for an hour, and where no event is seen: a hang.
    for program in ["quiet_then_a_deadline", "quiet_then_a_descriptor"] {
        for procs in ["1", "2"] {
            run(program, &[("GAGGLE_PROCS", procs)]).assert_code(0).assert_silent();
        }
    }
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
