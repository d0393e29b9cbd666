//! Metrics: that they count what they say.

use super::support::{everywhere, turn};
use gaggle::runtime::{self, metrics};
use gaggle::{chan, go};
use std::time::Duration;

#[test]
fn starts_and_ends_and_waits_are_counted() {
    // A table of numbers that have nothing to do with the program.
    let _turn = turn("starts_and_ends_and_waits_are_counted");
    everywhere(1, || {
        const N: usize = 1000;
        let before = metrics();
        let (tx, rx) = chan::<()>(0);
        let (up, ready) = chan::<()>(0);
        let sleepers: Vec<_> = (0..N).map(|_| go!(clone rx, up; { up.send(()).unwrap(); rx.recv() })).collect();
        (0..N).for_each(|_| ready.recv().unwrap());
        let during = metrics();
        assert_eq!(during.created, before.created + N as u64);
        assert_eq!(during.running + during.runnable + during.waiting, runtime::num_goroutines());
        assert!(during.running >= 1);
        assert!(during.stacks_bound > N, "{during}");
        drop((tx, up));
        sleepers.into_iter().for_each(|g| assert_eq!(g.join().unwrap(), None));
        let after = metrics();
        assert_eq!(after.ended, before.ended + N as u64);
        assert!(after.parks >= before.parks + N as u64, "{before}\n{after}");
        assert!(after.stacks_cached >= 1);
        assert!(after.stacks_resident_bytes > 0);
        // Each one's start is a sample of one in 64; the numbers of a thousand hold some fifteen multiples.
        assert!(after.latency.count() > before.latency.count(), "{before}\n{after}");
        assert!(after.latency.quantile(0.5) <= after.latency.quantile(1.0));
        assert!(after.latency.quantile(1.0).unwrap() < Duration::from_secs(3600), "{after:?}");
    });
}

#[test]
fn a_wake_up_on_another_thread_is_counted() {
    // A counter that nobody feeds.
    let _turn = turn("a_wake_up_on_another_thread_is_counted");
    let before = metrics();
    let (tx, rx) = chan::<u32>(0);
    let g = go!({ rx.iter().sum::<u32>() });
    // From this plain thread: each of them goes through an inbox or the injector, but for those that find it awake.
    while metrics().wakes_across_threads < before.wakes_across_threads + 10 {
        tx.send(1).unwrap();
    }
    drop(tx);
    assert!(g.join().unwrap() > 0);
}

#[test]
fn timers_are_counted() {
    // A leak of timers that the metrics do not show.
    let _turn = turn("timers_are_counted");
    let before = metrics().timers_pending;
    let hour = Duration::from_secs(3600);
    let timers: Vec<_> = (0..10).map(|_| gaggle::time::Timer::new(hour)).collect();
    assert_eq!(metrics().timers_pending, before + 10);
    timers.iter().for_each(|timer| assert!(timer.stop()));
    assert_eq!(metrics().timers_pending, before);
}

#[test]
fn the_table_names_every_number() {
    // A number that is collected and never shown.
    let _turn = turn("the_table_names_every_number");
    gaggle::run(|| {
        let text = metrics().to_string();
        for name in
            ["goroutines", "processors", "threads", "parks", "steals", "hand-offs", "stacks", "stack guard", "timers"]
        {
            assert!(text.lines().any(|line| line.starts_with(name)), "no {name}: {text}");
        }
        assert!(text.lines().all(|line| line.len() < 100), "{text}");
    });
}
