//! Sleeping, timers and tickers, from goroutines in both modes and from plain threads.
//!
//! Nothing here asserts that something happens *soon*: lower bounds and order hold on any machine, and upper bounds
//! are there to turn a hang into a failure.

use gaggle::sync::WaitGroup;
use gaggle::time::{Ticker, Timer, after, at, never, sleep, tick};
use gaggle::{RecvTimeoutError, TryRecvError, chan, select, spawn};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

mod support;
use support::in_both_modes;

const HANG: Duration = Duration::from_secs(300);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn in_both_modes_and_on_a_thread(f: impl Fn() + Send + Sync + Copy + 'static) {
    f();
    in_both_modes(f);
}

#[test]
fn sleep_never_returns_early() {
    // A wake-up that was meant for another wait; a deadline rounded down.
    in_both_modes_and_on_a_thread(|| {
        for n in [0, 1, 3, 7] {
            let start = Instant::now();
            sleep(ms(n));
            assert!(start.elapsed() >= ms(n), "slept {:?} instead of {n} ms", start.elapsed());
        }
    });
}

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines() {
    // A later sleeper that holds an earlier one back (the timer moved to an earlier instant is lost, B16).
    in_both_modes(|| {
        let (tx, rx) = chan(4);
        let start = Instant::now();
        for n in [40, 10, 30, 20] {
            let tx = tx.clone();
            spawn(move || {
                sleep((start + ms(n)).saturating_duration_since(Instant::now()));
                tx.send((n, start.elapsed())).unwrap();
            });
        }
        for _ in 0..4 {
            let (n, woke) = rx.recv().unwrap();
            assert!(woke >= ms(n), "{n}: {woke:?}");
        }
    });
}

#[test]
fn an_earlier_timer_is_not_held_up_by_a_later_one() {
    // Whoever keeps the lookout, asleep until the later deadline, is not told of the earlier one: a hang for an hour.
    let late = Timer::new(Duration::from_secs(3600));
    let early = Timer::new(ms(5));
    assert!(early.receiver().recv_timeout(HANG).is_ok());
    assert!(late.stop());
}

#[test]
fn after_receives_the_time_once_and_stays_open() {
    // A value before its time; a second value; a channel that closes and makes a `select!` spin.
    in_both_modes_and_on_a_thread(|| {
        let start = Instant::now();
        let rx = after(ms(5));
        let fired = rx.recv_timeout(HANG).unwrap();
        assert!(fired >= start + ms(5) && fired <= Instant::now());
        assert_eq!(rx.recv_timeout(ms(2)), Err(RecvTimeoutError::Timeout));
    });
}

#[test]
fn at_fires_at_once_for_the_past() {
    // A deadline that has passed is never looked at.
    let now = Instant::now();
    assert!(at(now).recv_timeout(HANG).unwrap() >= now);
    let past = now.checked_sub(ms(50)).unwrap_or(now);
    assert!(at(past).recv_timeout(HANG).is_ok());
}

#[test]
fn never_neither_receives_nor_closes() {
    // A channel without a sender that closes: the arm that stands for "never" would win.
    let rx = never::<String>();
    for _ in 0..1000 {
        drop(never::<String>()); // Sweeps of the unwanted must spare the wanted.
    }
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    let won = select! {
        _v = <-rx => "never",
        after(ms(2)) => "time",
    };
    assert_eq!(won, "time");
}

#[test]
fn a_wanted_after_survives_the_sweeping_of_others() {
    // The sweep of dropped receivers takes a deadline that is still waited for.
    let wanted: Vec<_> = (0..100).map(|n| after(ms(20 + n % 7))).collect();
    for _ in 0..2000 {
        drop(after(Duration::from_secs(3600)));
    }
    for rx in &wanted {
        assert!(rx.recv_timeout(HANG).is_ok());
    }
}

#[test]
fn huge_durations_mean_never() {
    // An addition that overflows: a panic, or a deadline in the past.
    in_both_modes_and_on_a_thread(|| {
        assert!(after(Duration::MAX).recv_timeout(ms(1)).is_err());
        let timer = Timer::new(Duration::MAX);
        assert!(timer.reset(Duration::MAX), "it was active");
        assert!(timer.stop());
        assert!(!timer.stop());
        let ticker = Ticker::new(Duration::MAX);
        assert!(ticker.receiver().try_recv().is_err());
        assert!(tick(Duration::MAX).try_recv().is_err());
        assert!(tick(Duration::ZERO).try_recv().is_err());
        // Within the clock's range, or just beyond it.
        ticker.reset(Duration::from_secs(u64::MAX / 4));
        assert!(ticker.receiver().try_recv().is_err());
    });
    let sleeper = spawn(|| sleep(Duration::MAX));
    sleep(ms(2));
    assert!(!sleeper.is_finished());
}

#[test]
fn b16_stop_tells_whether_it_prevented_anything() {
    // Stop returns true, and the value is received all the same (B16); or false, and nothing ever comes.
    in_both_modes_and_on_a_thread(|| {
        let timer = Timer::new(Duration::from_secs(3600));
        assert!(timer.stop());
        assert!(!timer.stop());
        assert!(!timer.reset(ms(1)), "it was stopped");
        timer.receiver().recv_timeout(HANG).unwrap();
        assert!(!timer.stop(), "it has fired and was received");
        timer.reset(ms(1));
        while timer.receiver().is_empty() {
            sleep(ms(1));
        }
        assert!(timer.stop(), "it has fired and was not received");
        assert_eq!(timer.receiver().try_recv(), Err(TryRecvError::Empty));
    });
}

#[test]
fn b16_no_value_of_before_is_received_after_stop_or_reset() {
    // The firing under way when `stop` is called sends afterwards: the stale value of Go before 1.23. The delays
    // straddle the time of the stop, so that every order is met.
    in_both_modes(|| {
        let timer = Timer::new(Duration::ZERO);
        for round in 0..400u64 {
            let stopped = timer.stop();
            assert!(timer.receiver().is_empty(), "round {round}, stopped: {stopped}");
            let set = Instant::now();
            timer.reset(Duration::from_micros(round % 40));
            if round % 3 == 0 {
                let fired = timer.receiver().recv_timeout(HANG).unwrap();
                assert!(fired >= set, "round {round}: a value from before the reset");
            } else {
                std::hint::black_box((0..round % 40 * 30).sum::<u64>());
            }
        }
    });
}

#[test]
fn b16_reset_moves_a_timer_both_ways() {
    // A timer moved earlier is lost; one moved later fires at its old time (B16).
    in_both_modes_and_on_a_thread(|| {
        let timer = Timer::new(Duration::from_secs(3600));
        assert!(timer.reset(ms(2)));
        timer.receiver().recv_timeout(HANG).unwrap();
        timer.reset(ms(3));
        let set = Instant::now();
        assert!(timer.reset(ms(20)));
        assert!(timer.receiver().recv_timeout(HANG).unwrap() >= set + ms(20));
    });
}

#[test]
fn many_parties_may_stop_and_reset_one_timer() {
    // Two deadlines armed at once, or a lock taken twice.
    in_both_modes(|| {
        let timer = Arc::new(Timer::new(ms(1)));
        let wg = WaitGroup::new();
        for party in 0..4u64 {
            let timer = timer.clone();
            wg.go(move || {
                for n in 0..200 {
                    match (n + party) % 3 {
                        0 => drop(timer.stop()),
                        1 => drop(timer.reset(Duration::from_micros(n))),
                        _ => drop(timer.receiver().try_recv()),
                    }
                }
            });
        }
        wg.wait();
        timer.reset(ms(1));
        timer.receiver().recv_timeout(HANG).unwrap();
        assert!(timer.receiver().recv_timeout(ms(3)).is_err(), "one reset, two values");
    });
}

#[test]
fn dropping_a_timer_stops_it_and_closes_its_channel() {
    // A receiver of a dropped timer that waits for ever.
    let timer = Timer::new(Duration::from_secs(3600));
    let rx = timer.receiver().clone();
    let waiter = spawn(move || rx.recv());
    drop(timer);
    assert_eq!(waiter.join().unwrap(), None);
    let ticker = Ticker::new(ms(1));
    let rx = ticker.receiver().clone();
    drop(ticker);
    assert!(rx.iter().count() <= 1);
}

#[test]
fn after_func_runs_once_per_reset() {
    // A function that is lost, or runs twice; a dropped timer that takes its function along.
    in_both_modes_and_on_a_thread(|| {
        let (tx, rx) = chan(8);
        let kept = tx.clone();
        let timer = Timer::after_func(ms(1), move || kept.send("kept").unwrap());
        assert_eq!(rx.recv_timeout(HANG), Ok("kept"));
        assert!(!timer.stop());
        timer.reset(ms(1));
        assert_eq!(rx.recv_timeout(HANG), Ok("kept"));
        drop(timer);
        Timer::after_func(ms(1), move || tx.send("let go").unwrap());
        assert_eq!(rx.recv_timeout(HANG), Ok("let go"));
        assert_eq!(rx.recv_timeout(HANG), Err(RecvTimeoutError::Closed), "the functions are dropped");
    });
}

#[test]
fn a_stopped_after_func_does_not_run() {
    // Stop returns true, and the function runs all the same.
    in_both_modes(|| {
        for n in 0..200u64 {
            let ran = Arc::new(AtomicUsize::new(0));
            let (count, done) = (ran.clone(), chan::<()>(0));
            let (tx, rx) = done;
            let timer = Timer::after_func(Duration::from_micros(n % 50), move || {
                let _dropped_with_the_function = &tx;
                count.fetch_add(1, Ordering::SeqCst);
            });
            let stopped = timer.stop();
            drop(timer);
            assert_eq!(rx.recv_timeout(HANG), Err(RecvTimeoutError::Closed), "the function is dropped in the end");
            assert_eq!(ran.load(Ordering::SeqCst), usize::from(!stopped));
        }
    });
}

#[test]
fn b17_a_panic_in_an_after_func_hurts_nobody() {
    // The panic leaves a lock held, or ends the thread of all timers.
    let (tx, rx) = chan(1);
    let mut runs = 0;
    let timer = Timer::after_func(ms(1), move || {
        runs += 1;
        tx.send(runs).unwrap();
        panic!("in an after_func: expected in this test's output");
    });
    assert_eq!(rx.recv_timeout(HANG), Ok(1));
    assert!(after(ms(1)).recv_timeout(HANG).is_ok(), "other timers go on");
    timer.reset(ms(1));
    assert_eq!(rx.recv_timeout(HANG), Ok(2), "and so does this one");
}

#[test]
fn b17_a_function_whose_drop_panics_or_blocks_hurts_nobody() {
    // The function is dropped on the thread of all timers.
    struct Nasty(gaggle::Receiver<()>);
    impl Drop for Nasty {
        fn drop(&mut self) {
            self.0.recv();
            panic!("in a drop: expected in this test's output");
        }
    }
    let (tx, rx) = chan::<()>(0);
    let (started_tx, started) = chan(1);
    let nasty = Nasty(rx);
    Timer::after_func(ms(1), move || {
        let _captured = &nasty;
        started_tx.send(()).unwrap();
    });
    started.recv_timeout(HANG).unwrap();
    assert!(after(ms(1)).recv_timeout(HANG).is_ok(), "other timers go on");
    drop(tx);
    assert!(after(ms(1)).recv_timeout(HANG).is_ok());
}

#[test]
fn a_slow_after_func_does_not_overlap_with_its_next_run() {
    // Two runs of one `FnMut` at once.
    in_both_modes(|| {
        let (tx, rx) = chan(4);
        let (go_tx, go) = chan::<()>(0);
        let mut inside = 0;
        let timer = Timer::after_func(ms(1), move || {
            inside += 1;
            tx.send(inside).unwrap();
            go.recv();
            inside -= 1;
        });
        assert_eq!(rx.recv_timeout(HANG), Ok(1));
        timer.reset(Duration::ZERO);
        assert!(rx.recv_timeout(ms(5)).is_err(), "the second run waits");
        go_tx.send(()).unwrap();
        assert_eq!(rx.recv_timeout(HANG), Ok(1));
        go_tx.close();
    });
}

#[test]
fn a_ticker_ticks_no_faster_than_its_period() {
    // Ticks in a bunch after a delay, or a period that drifts to zero.
    in_both_modes_and_on_a_thread(|| {
        let start = Instant::now();
        let ticker = Ticker::new(ms(3));
        for n in 1..=5 {
            let tick = ticker.receiver().recv_timeout(HANG).unwrap();
            assert!(tick >= start + n * ms(3), "tick {n} at {:?}", tick - start);
        }
    });
}

#[test]
fn a_slow_receiver_misses_ticks() {
    // Ticks that queue up, or a worker that waits for the receiver.
    let ticker = Ticker::new(ms(1));
    while ticker.receiver().is_empty() {
        sleep(ms(5));
    }
    let before = Instant::now();
    let first = ticker.receiver().recv_timeout(HANG).unwrap();
    let second = ticker.receiver().recv_timeout(HANG).unwrap();
    let third = ticker.receiver().recv_timeout(HANG).unwrap();
    assert!(first < before, "the one that was kept is the oldest");
    assert!(third > before && second > first && ticker.receiver().len() <= 1);
}

#[test]
fn a_stopped_ticker_is_silent_until_reset() {
    // A tick after `stop`; a ticker that can't be started again.
    in_both_modes_and_on_a_thread(|| {
        let ticker = Ticker::new(Duration::from_micros(50));
        for _ in 0..50 {
            ticker.receiver().recv_timeout(HANG).unwrap();
            ticker.stop();
            assert!(ticker.receiver().is_empty());
            let set = Instant::now();
            ticker.reset(Duration::from_micros(70));
            assert!(ticker.receiver().recv_timeout(HANG).unwrap() >= set + Duration::from_micros(70));
        }
        ticker.stop();
        assert_eq!(ticker.receiver().recv_timeout(ms(3)), Err(RecvTimeoutError::Timeout));
    });
}

#[test]
#[should_panic(expected = "non-positive interval for Ticker")]
fn a_ticker_without_a_period_panics() {
    // An endless run of ticks in one look at the clock.
    Ticker::new(Duration::ZERO);
}

#[test]
fn a_reset_without_a_period_panics_and_changes_nothing() {
    // A ticker half reset, or its lock left held.
    let ticker = Ticker::new(ms(1));
    assert!(std::panic::catch_unwind(|| ticker.reset(Duration::ZERO)).is_err());
    assert!(ticker.receiver().recv_timeout(HANG).is_ok());
}

#[test]
fn tick_ends_with_its_receivers() {
    // A ticker that nobody can stop, alive for ever; the drop must not disturb others.
    let rx = tick(Duration::from_micros(50));
    assert_eq!(rx.iter().take(3).count(), 3);
    drop(rx);
    assert!(after(ms(2)).recv_timeout(HANG).is_ok());
}

#[test]
fn the_timeout_arm_of_select_is_a_claimer_like_others() {
    // A timeout that fires although a value is there, or a value lost to a timeout.
    in_both_modes(|| {
        let (tx, rx) = chan(0);
        spawn(move || (0..300).for_each(|n| tx.send(n).unwrap()));
        let mut next = 0;
        while next < 300 {
            select! {
                v = <-rx => {
                    assert_eq!(v, Some(next));
                    next += 1;
                },
                after(Duration::from_micros(20)) => {},
            }
        }
    });
}
