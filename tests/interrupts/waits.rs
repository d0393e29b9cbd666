//! What waits for the clock, for memory and for signals in the storm.

use super::delays::{ms, not_before};
use super::gusts;
use gaggle::io::pipe;
use gaggle::signal::{self, Signal};
use gaggle::sync::WaitGroup;
use gaggle::{chan, runtime, spawn, time};
use std::io::{Read, Write};
use std::thread;

/// Each kind of timer, for the calling goroutine or plain thread.
fn every_timer() {
    not_before(ms(3), || time::sleep(ms(3)));
    assert!(not_before(ms(3), || time::after(ms(3)).recv()).is_some());
    let (_tx, rx) = chan::<()>(0);
    assert!(not_before(ms(3), || rx.recv_timeout(ms(3))).is_err());
    assert_eq!(not_before(ms(3), || time::tick(ms(1)).iter().take(3).count()), 3);
    let (called, calls) = chan(1);
    not_before(ms(3), || {
        time::Timer::after_func(ms(3), move || called.send(()).unwrap());
        calls.recv().unwrap();
    });
}

pub fn timers() {
    let sleepers = WaitGroup::new();
    for n in 0..200 {
        sleepers.go(move || not_before(ms(n % 20), || time::sleep(ms(n % 20))));
    }
    let others = thread::spawn(|| (0..3).for_each(|_| every_timer()));
    (0..3).for_each(|_| every_timer());
    sleepers.wait();
    runtime::blocking(|| others.join().unwrap());
}

pub fn pipes_in_memory() {
    let (mut reader, mut writer) = pipe();
    let other = thread::spawn(move || {
        let mut all = Vec::new();
        reader.read_to_end(&mut all).map(|_| all).unwrap()
    });
    for n in 0..20 {
        gusts(2);
        assert_eq!(writer.write(&[n]).unwrap(), 1);
    }
    drop(writer);
    assert_eq!(runtime::blocking(|| other.join().unwrap()), (0..20).collect::<Vec<_>>());
}

pub fn blocking_calls() {
    let all: Vec<_> =
        (0..20).map(|n| spawn(move || runtime::blocking(|| not_before(ms(n), || thread::sleep(ms(n)))))).collect();
    all.into_iter().for_each(|call| call.join().unwrap());
}

pub fn signals_that_are_asked_for() {
    let signals = signal::notify(&[Signal::USR2]);
    for _ in 0..20 {
        gusts(2);
        // SAFETY: a signal for this thread, which has a handler.
        assert_eq!(unsafe { libc::raise(libc::SIGUSR2) }, 0);
        assert_eq!(signals.recv(), Some(Signal::USR2));
    }
}
