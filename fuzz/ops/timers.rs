//! A timer, a ticker and a function on a timer: after `stop` and `reset` nothing of before is received, nothing comes
//! early, and what is armed and left alone comes. Only order and staleness are asserted, never how soon.
//!
//! A virtual clock would make the scripts faster, not stricter: `stop` and `reset` say the same whether the deadline
//! has passed or not (it was to come, or its value was not received), so the specification needs no clock.

use super::bytes::Bytes;
use super::stage::{Stage, dawdle};
use gaggle::time::{self, Ticker, Timer};
use gaggle::{Receiver, TryRecvError, unbounded};
use std::time::{Duration, Instant};

/// Runs a script; panics if a stale value, a value before its time, or a wrong answer is seen.
pub fn run(bytes: &[u8]) {
    let mut head = Bytes::new(bytes);
    let (stage, what) = (Stage::new(head.byte()), head.below(8));
    let script = head.to_vec();
    stage.play(move || {
        let script = Bytes::new(&script);
        match what {
            0..=3 => timer(script),
            4..=5 => ticker(script),
            6 => function(script),
            _ => in_order(script),
        }
    });
}

/// Short ones may pass during the script; long ones can't.
fn delay(script: &mut Bytes<'_>) -> (Duration, bool) {
    match script.byte() {
        0..=7 => (Duration::MAX, false),
        8..=31 => (Duration::from_secs(3600), false),
        short => (Duration::from_micros(u64::from(short - 32) * 4), true),
    }
}

/// Lets time pass, one way or another.
fn pause(script: &mut Bytes<'_>) {
    match script.below(4) {
        0 => dawdle(script.below(16)),
        1 => time::sleep(Duration::from_micros(u64::from(script.byte()) * 4)),
        2 => std::thread::sleep(Duration::from_micros(script.byte().into())),
        _ => {}
    }
}

/// A timer in the eyes of who holds it.
#[derive(Clone, Copy, Debug)]
struct Armed {
    /// No value is sent before this instant.
    earliest: Option<Instant>,
    /// It goes off during the script.
    short: bool,
}

impl Armed {
    fn new(start: Instant, (delay, short): (Duration, bool)) -> Self {
        Self { earliest: start.checked_add(delay), short }
    }

    /// `at` may be what this timer sent.
    fn check(self, at: Instant) {
        let earliest = self.earliest.expect("a timer that never goes off went off");
        assert!(at >= earliest, "a value of {:?} too early: stale", earliest - at);
        assert!(at <= Instant::now(), "a value from the future");
    }
}

fn timer(mut script: Bytes<'_>) {
    let start = Instant::now();
    let first = delay(&mut script);
    let timer = Timer::new(first.0);
    // `None`: stopped, or its value was received.
    let mut armed = Some(Armed::new(start, first));
    let rx = timer.receiver();
    for _ in 0..64 {
        match script.below(8) {
            _ if script.is_empty() => break,
            0..=1 => {
                let prevented = timer.stop();
                assert_eq!(prevented, armed.take().is_some(), "stop");
                assert!(rx.is_empty(), "a stale value after stop");
            }
            2..=3 => {
                let (start, next) = (Instant::now(), delay(&mut script));
                let prevented = timer.reset(next.0);
                assert_eq!(prevented, armed.is_some(), "reset to {next:?}");
                armed = Some(Armed::new(start, next));
            }
            4 => match (rx.try_recv(), armed) {
                (Ok(at), Some(now)) => {
                    now.check(at);
                    armed = None;
                }
                (Ok(at), None) => panic!("a stale value of {:?} ago", at.elapsed()),
                (Err(error), _) => assert_eq!(error, TryRecvError::Empty),
            },
            5 if armed.is_some_and(|armed| armed.short) => {
                let at = rx.recv().expect("a timer's channel stays open");
                armed.take().expect("just looked").check(at);
            }
            _ => pause(&mut script),
        }
    }
    let rx = rx.clone();
    drop(timer);
    assert_eq!(rx.recv(), None, "a dropped timer's channel is closed and empty");
}

fn ticker(mut script: Bytes<'_>) {
    let period = |script: &mut Bytes<'_>| Duration::from_micros(100 + u64::from(script.byte()) * 4);
    let start = Instant::now();
    let first = period(&mut script);
    let ticker = Ticker::new(first);
    let mut ticking = true;
    // The next tick comes at this instant or later.
    let mut earliest = start + first;
    let rx = ticker.receiver();
    for _ in 0..64 {
        match script.below(8) {
            _ if script.is_empty() => break,
            0 => {
                ticker.stop();
                ticking = false;
                assert!(rx.is_empty(), "a stale tick after stop");
            }
            1..=2 => {
                let (start, period) = (Instant::now(), period(&mut script));
                ticker.reset(period);
                (ticking, earliest) = (true, start + period);
            }
            3..=4 if ticking => {
                let at = rx.recv().expect("a ticker's channel stays open");
                assert!(at >= earliest, "a tick {:?} too early", earliest - at);
                earliest = at;
            }
            5 => {
                if let Ok(at) = rx.try_recv() {
                    assert!(ticking, "a tick of a stopped ticker");
                    assert!(at >= earliest, "a tick {:?} too early", earliest - at);
                    earliest = at;
                }
            }
            _ => pause(&mut script),
        }
    }
}

/// Every arming of a function runs once, unless `stop` or `reset` says that it was prevented.
fn function(mut script: Bytes<'_>) {
    let (tx, rx) = unbounded();
    let start = delay(&mut script);
    let (mut armings, mut prevented) = (1, 0);
    let timer = Timer::after_func(start.0, move || tx.send(Instant::now()).expect("the receiver waits"));
    for _ in 0..32 {
        match script.below(6) {
            _ if script.is_empty() => break,
            0 => prevented += u32::from(timer.stop()),
            1..=2 => {
                prevented += u32::from(timer.reset(delay(&mut script).0));
                armings += 1;
            }
            _ => pause(&mut script),
        }
    }
    prevented += u32::from(timer.stop());
    let runs = armings - prevented;
    let mut last = None;
    for _ in 0..runs {
        let at = rx.recv();
        assert!(at.is_some() && last <= at, "runs of one function overlapped");
        last = at;
    }
    assert!(!timer.stop(), "everything ran or was prevented");
    drop(timer);
    // The function is dropped with its timer, and nothing else can run it.
    assert_eq!(rx.recv(), None, "{armings} armings, {prevented} prevented, and still one more run");
}

/// Channels that are due one after the other fire in that order.
fn in_order(mut script: Bytes<'_>) {
    let start = Instant::now();
    let mut due: Vec<(Instant, Receiver<Instant>)> = Vec::new();
    for _ in 0..1 + script.below(12) {
        let at = start + Duration::from_micros(u64::from(script.byte()) * 8);
        due.push((at, time::at(at)));
        if script.flag() {
            due.swap_remove(script.below(due.len()));
        }
    }
    // Those that were due already when they were made are in no order.
    let made = Instant::now();
    due.sort_by_key(|(at, _)| *at);
    let mut last = None;
    for (at, rx) in due {
        let fired = rx.recv().expect("it stays open");
        assert!(fired >= at, "fired {:?} too early", at - fired);
        assert!(at <= made || last <= Some(fired), "fired before one that was due earlier");
        if at > made {
            last = Some(fired);
        }
    }
}
