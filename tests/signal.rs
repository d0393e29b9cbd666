//! Signals: received from channels, and with their usual effect for everybody else.
#![cfg(unix)]

use gaggle::signal::{self, Signal};
use gaggle::{go, runtime, select};
use std::os::unix::process::ExitStatusExt;
use std::panic::catch_unwind;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

mod support;
#[path = "support/signals.rs"]
mod usual;

/// Runs the test `name` of this program in a process of its own: its signals are its own, too.
fn child(name: &str) -> Output {
    let output = usual::with_usual_signals(&mut support::by_itself(name)).output().unwrap();
    support::assert_was_there(&output);
    output
}

#[track_caller]
fn succeeds(name: &str) {
    let output = child(name);
    assert!(output.status.success(), "{:?}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
}

/// The child must get as far as its last line, and then end by this signal.
#[track_caller]
fn ends_by(name: &str, signal: Signal) {
    let output = child(name);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stdout.contains("as far as this"), "{:?}\n{stderr}", output.status);
    assert_eq!(output.status.signal(), Some(signal.as_raw()), "{:?}\n{stderr}", output.status);
}

fn as_far_as_this() {
    println!("as far as this");
}

fn raise(signal: Signal) {
    // SAFETY: a signal for this thread; what it does is what the test is about.
    assert_eq!(unsafe { libc::raise(signal.as_raw()) }, 0);
}

/// Waits for what ends the process.
fn wait_for_the_end() -> ! {
    std::thread::sleep(Duration::from_secs(60));
    panic!("the signal had no effect");
}

#[test]
fn signals_arrive_at_all_who_asked() {
    // A signal that one receiver takes from another, or that ends the process all the same.
    succeeds("child_that_is_notified");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_that_is_notified() {
    let _watch = support::watch("child_that_is_notified");
    let on_a_thread = signal::notify(&[Signal::USR1]);
    raise(Signal::USR1);
    assert_eq!(on_a_thread.recv(), Some(Signal::USR1));
    for procs in [1, 2, 8] {
        runtime::set_max_procs(procs);
        gaggle::run(|| {
            let both = signal::notify(&[Signal::USR1, Signal::USR2]);
            let (first, second) = (signal::notify(&[Signal::USR1]), signal::notify(&[Signal::USR2]));
            for _ in 0..100 {
                raise(Signal::USR2);
                assert_eq!((both.recv(), second.recv()), (Some(Signal::USR2), Some(Signal::USR2)));
                raise(Signal::USR1);
                let parked = go!(clone first; { first.recv() });
                assert_eq!((both.recv(), parked.join().unwrap()), (Some(Signal::USR1), Some(Signal::USR1)));
                assert_eq!(on_a_thread.recv(), Some(Signal::USR1));
            }
            assert!(first.is_empty() && second.is_empty() && both.is_empty());
            select! {
                s = <-both => panic!("{s:?}"),
                after(Duration::from_millis(1)) => {}
            }
        });
    }
}

#[test]
fn after_a_stop_the_channel_is_closed_and_the_effect_is_back() {
    // A process that Ctrl-C cannot end any more.
    ends_by("child_that_stops_listening", Signal::TERMINATE);
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_that_stops_listening() {
    let signals = signal::notify(&[Signal::TERMINATE, Signal::USR1]);
    let others = signal::notify(&[Signal::USR1]);
    raise(Signal::TERMINATE);
    while signals.is_empty() {
        std::thread::yield_now();
    }
    signal::stop(&signals);
    // What had come can be received.
    assert_eq!((signals.recv(), signals.recv()), (Some(Signal::TERMINATE), None));
    // The others are still notified.
    raise(Signal::USR1);
    assert_eq!(others.recv(), Some(Signal::USR1));
    as_far_as_this();
    raise(Signal::TERMINATE);
    wait_for_the_end();
}

#[test]
fn dropping_the_last_receiver_brings_the_effect_back() {
    // The first signal after it, swallowed because nobody has looked yet.
    ends_by("child_that_drops_its_receiver", Signal::INTERRUPT);
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_that_drops_its_receiver() {
    let signals = signal::notify(&[Signal::INTERRUPT]);
    let clone = signals.clone();
    drop(signals);
    raise(Signal::INTERRUPT);
    assert_eq!(clone.recv(), Some(Signal::INTERRUPT));
    drop(clone);
    as_far_as_this();
    raise(Signal::INTERRUPT);
    wait_for_the_end();
}

#[test]
fn ignored_and_reset() {
    // An effect that is lost between the three: ignored, notified, usual.
    ends_by("child_that_ignores", Signal::HANGUP);
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_that_ignores() {
    let before = signal::notify(&[Signal::HANGUP]);
    signal::ignore(&[Signal::HANGUP, Signal::USR2]);
    assert_eq!(before.recv(), None);
    raise(Signal::HANGUP);
    raise(Signal::USR2);
    let again = signal::notify(&[Signal::HANGUP]);
    raise(Signal::HANGUP);
    assert_eq!(again.recv(), Some(Signal::HANGUP));
    signal::ignore(&[Signal::HANGUP]);
    raise(Signal::HANGUP);
    signal::reset(&[Signal::HANGUP]);
    raise(Signal::USR2);
    as_far_as_this();
    raise(Signal::HANGUP);
    wait_for_the_end();
}

#[test]
fn without_notify_a_signal_does_what_it_does() {
    // A runtime that changes what Ctrl-C does.
    ends_by("child_that_asks_for_nothing", Signal::INTERRUPT);
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_that_asks_for_nothing() {
    gaggle::run(|| {
        as_far_as_this();
        raise(Signal::INTERRUPT);
        wait_for_the_end();
    });
}

#[test]
fn quit_prints_the_dump_unless_the_program_asks_for_it() {
    // The runtime's own use of a signal, lost to a program that asked for it for a while.
    let output = child("child_that_quits");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("SIGQUIT: quit"), "{stderr}");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_that_quits() {
    // As `#[gaggle::main]` does: only there the runtime has a use of its own for the signal.
    gaggle::__private::main(gaggle::__private::Attr::default(), || {
        let signals = signal::notify(&[Signal::QUIT]);
        raise(Signal::QUIT);
        assert_eq!(signals.recv(), Some(Signal::QUIT));
        signal::ignore(&[Signal::QUIT]);
        raise(Signal::QUIT);
        signal::reset(&[Signal::QUIT]);
        raise(Signal::QUIT);
        wait_for_the_end();
    });
}

#[test]
fn a_storm_of_signals() {
    // A handler that blocks on a full pipe, a listener that waits for a receiver, a signal lost after the storm.
    succeeds("child_in_a_storm");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_in_a_storm() {
    let _watch = support::watch("child_in_a_storm");
    gaggle::run(|| {
        let (storm, after) = (signal::notify(&[Signal::USR1]), signal::notify(&[Signal::USR2]));
        let threads: Vec<_> =
            (0..2).map(|_| std::thread::spawn(|| (0..50_000).for_each(|_| raise(Signal::USR1)))).collect();
        // In the midst of it the goroutines go on.
        let (tx, rx) = gaggle::chan(0);
        go!({ (0..1000).for_each(|n| tx.send(n).unwrap()) });
        assert_eq!(rx.iter().sum::<u32>(), 499_500);
        runtime::blocking(|| threads.into_iter().for_each(|t| t.join().unwrap()));
        raise(Signal::USR2);
        assert_eq!(after.recv(), Some(Signal::USR2));
        // Nobody received meanwhile: the channel is full, or whatever the system has merged.
        assert!((1..=64).contains(&storm.len()), "{}", storm.len());
    });
}

#[test]
fn no_signal_has_its_usual_effect_while_another_is_chosen() {
    // A process that ignores signals, is notified of them, and in between two of that is ended by one.
    succeeds("child_that_changes_its_mind");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_that_changes_its_mind() {
    let _watch = support::watch("child_that_changes_its_mind");
    signal::ignore(&[Signal::USR1]);
    let ended = Arc::new(AtomicBool::new(false));
    let sender = std::thread::spawn({
        let ended = ended.clone();
        move || {
            while !ended.load(Ordering::Relaxed) {
                // SAFETY: a signal for this process: what it does is what the test is about.
                assert_eq!(unsafe { libc::kill(libc::getpid(), libc::SIGUSR1) }, 0);
            }
        }
    });
    for _ in 0..5000 {
        let signals = signal::notify(&[Signal::USR1]);
        // What was sent before is ignored; what is sent from now on comes.
        assert_eq!(signals.recv(), Some(Signal::USR1));
        signal::ignore(&[Signal::USR1]);
    }
    ended.store(true, Ordering::Relaxed);
    sender.join().unwrap();
}

#[test]
fn a_signal_that_is_held_back_is_told_of_afterwards() {
    // The system throws away what is pending when a signal is, if only for a moment, one without an effect.
    succeeds("child_that_holds_a_signal_back");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_that_holds_a_signal_back() {
    let _watch = support::watch("child_that_holds_a_signal_back");
    signal::ignore(&[Signal::URGENT]);
    // SAFETY: plain data, filled by the calls; the mask is this thread's own.
    let hold = |how| unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigaddset(&raw mut set, libc::SIGURG);
        assert_eq!(libc::pthread_sigmask(how, &raw const set, std::ptr::null_mut()), 0);
    };
    hold(libc::SIG_BLOCK);
    raise(Signal::URGENT);
    let signals = signal::notify(&[Signal::URGENT]);
    hold(libc::SIG_UNBLOCK);
    assert_eq!(signals.recv(), Some(Signal::URGENT));
}

#[test]
fn what_cannot_be_received_is_refused() {
    // A channel on which nothing will ever arrive, without a word.
    let never = [Signal::KILL, Signal::STOP, Signal::SEGMENTATION_FAULT, Signal::BUS_ERROR, Signal::FLOATING_POINT];
    let no_signals = [0, -1, 65, i32::MAX, i32::MIN].map(Signal::from_raw);
    for signal in never.into_iter().chain(no_signals) {
        assert!(catch_unwind(|| signal::notify(&[signal])).is_err(), "{signal:?}");
        assert!(catch_unwind(|| signal::ignore(&[signal])).is_err(), "{signal:?}");
        signal::reset(&[signal]);
    }
}

#[test]
fn all_signals_and_no_descriptor_left() {
    // A pipe, or a thread, for each call.
    succeeds("child_that_asks_again_and_again");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_that_asks_again_and_again() {
    let _watch = support::watch("child_that_asks_again_and_again");
    let count = |folder: &str| std::fs::read_dir(folder).map_or(0, Iterator::count);
    drop(signal::notify(&[Signal::USR1]));
    let before = (count("/proc/self/fd"), count("/proc/self/task"));
    for n in 0..300 {
        let all = signal::notify(&[]);
        let signal = [Signal::INTERRUPT, Signal::TERMINATE, Signal::CHILD, Signal::WINDOW, Signal::PIPE][n % 5];
        raise(signal);
        assert_eq!(all.recv(), Some(signal));
        if n % 2 == 0 {
            signal::stop(&all);
        }
    }
    assert_eq!((count("/proc/self/fd"), count("/proc/self/task")), before);
}

#[test]
fn signals_by_name() {
    // A name that is another signal's.
    assert_eq!(Signal::from_raw(libc::SIGHUP), Signal::HANGUP);
    assert_eq!(format!("{} {:?}", Signal::TERMINATE, Signal::TERMINATE), "terminated TERMINATE");
    assert_eq!(format!("{} {:?}", Signal::from_raw(50), Signal::from_raw(50)), "signal 50 Signal(50)");
    assert_eq!(Signal::CHILD.as_raw(), libc::SIGCHLD);
}
