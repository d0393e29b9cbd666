//! Timers under loom: a shot that is due against stop, reset, and the receiver. Who looks at the clock is a thread of the
//! model; what it does is told by `deadline::it_is`. A model names the mutations that it was seen to catch.

use super::alarm::{Action, Alarm, Func};
use crate::chan::{Receiver, chan};
use crate::park::deadline;
use crate::primitives::sync::Arc;
use crate::sync::Mutex;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// An alarm that sends at `when`, and then every `period`.
fn alarm(when: Instant, period: Option<Duration>) -> (Arc<Alarm>, Receiver<Instant>) {
    let (tx, rx) = chan(1);
    (Alarm::new(Action::Send(tx), Some(when), period), rx)
}

/// Whoever looks at the clock, at `now`.
fn timer_thread(now: Instant) -> thread::JoinHandle<()> {
    thread::spawn(move || deadline::it_is(now))
}

/// Mutations seen to fail here: `stop` keeping the generation; `stop` not draining; the value sent after the lock was
/// released.
#[test]
fn b16_after_a_stop_nothing_of_before_is_received() {
    // A shot that was taken as due before the stop, and sends its value after it.
    loom::model(|| {
        let now = Instant::now();
        let (alarm, rx) = alarm(now, None);
        let timer = timer_thread(now);
        assert!(alarm.stop(&rx), "nobody has received it");
        assert!(rx.try_recv().is_err(), "a value of before the stop");
        timer.join().unwrap();
        assert!(rx.try_recv().is_err(), "a value of before the stop, sent after it");
        assert_eq!(deadline::pending(), 0);
    });
}

/// Mutations seen to fail here: as above; `arm` keeping the generation is harmless, as `disarm` has changed it.
#[test]
fn b16_after_a_reset_only_the_new_shot_is_received() {
    // The old shot's value in the place of the new one's, which is then not sent as the channel is full.
    loom::model(|| {
        let now = Instant::now();
        let later = now + SECOND;
        let (alarm, rx) = alarm(now, None);
        let timer = timer_thread(now);
        assert!(Alarm::reset(&alarm, &rx, Some(later), None));
        assert!(rx.try_recv().is_err(), "a value of before the reset");
        timer.join().unwrap();
        assert!(rx.try_recv().is_err(), "a value of before the reset, sent after it");
        deadline::it_is(later);
        assert_eq!(rx.try_recv(), Ok(later));
        assert!(rx.try_recv().is_err());
        assert_eq!(deadline::pending(), 0);
    });
}

/// Mutations seen to fail here: `go_off` not noting that nothing is armed any more.
#[test]
fn b16_stop_says_whether_it_prevented_anything() {
    // A stop that claims to have prevented what somebody received, or the other way round.
    loom::model(|| {
        let now = Instant::now();
        let (alarm, rx) = alarm(now, None);
        let timer = timer_thread(now);
        let theirs = rx.clone();
        let receiver = thread::spawn(move || theirs.try_recv().is_ok());
        let prevented = alarm.stop(&rx);
        timer.join().unwrap();
        assert_eq!(receiver.join().unwrap(), !prevented);
        assert!(!alarm.stop(&rx), "there is nothing left to prevent");
    });
}

/// Mutations seen to fail here: a stale shot of a ticker arming the next one.
#[test]
fn a_stopped_ticker_does_not_tick_again() {
    // A tick that was due at the stop arms the next one: it ticks for ever, and nobody can stop it.
    loom::model(|| {
        let now = Instant::now();
        let (alarm, rx) = alarm(now, Some(SECOND));
        let timer = timer_thread(now);
        alarm.stop(&rx);
        timer.join().unwrap();
        assert_eq!(deadline::pending(), 0, "it is still armed");
        assert!(rx.try_recv().is_err());
    });
}

/// Mutations seen to fail here: `disarm` leaving the deadline pending; `reset` that gives the lock up in between.
#[test]
fn of_two_resets_one_is_left() {
    // Two shots armed by two resets at once: a timer that goes off twice.
    loom::model(|| {
        let now = Instant::now();
        let (alarm, rx) = alarm(now, None);
        let (theirs, their_rx) = (alarm.clone(), rx.clone());
        let other = thread::spawn(move || Alarm::reset(&theirs, &their_rx, Some(now + SECOND), None));
        assert!(Alarm::reset(&alarm, &rx, Some(now + 2 * SECOND), None));
        assert!(other.join().unwrap());
        assert_eq!(deadline::pending(), 1);
        deadline::it_is(now + 2 * SECOND);
        assert!(rx.try_recv().is_ok());
        assert!(rx.try_recv().is_err());
    });
}

/// Mutations seen to fail here: a stale shot that runs its function.
#[test]
fn a_function_runs_unless_it_was_stopped() {
    // A function that runs although the stop said that it would not, or that neither runs nor was stopped.
    loom::model(|| {
        let now = Instant::now();
        let runs = Arc::new(AtomicUsize::new(0));
        let (_open, silent) = chan(0);
        let (held, gone) = chan::<()>(0);
        let counted = runs.clone();
        let run = move || {
            let _until_the_function_is_dropped = &held;
            counted.fetch_add(1, Ordering::Relaxed);
        };
        let f: Func = Arc::from_std(std::sync::Arc::new(Mutex::new(run)));
        let alarm = Alarm::new(Action::Run(f), Some(now), None);
        let timer = timer_thread(now);
        let stopped = alarm.stop(&silent);
        timer.join().unwrap();
        drop(alarm);
        assert_eq!(gone.recv(), None);
        assert_eq!(runs.load(Ordering::Relaxed), usize::from(!stopped));
    });
}
