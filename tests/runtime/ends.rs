//! How goroutines end: `exit`, and what becomes of those that nobody can wake any more.

use crate::support::{everywhere, scaled, turn, yields};
use gaggle::runtime::{exit, yield_now};
use gaggle::{Receiver, Select, chan, select, spawn, unbounded};

#[test]
fn exit_unwinds_through_destructors_that_wait() {
    // Goexit that skips a destructor, or loses the goroutine that waits in one.
    let _turn = turn("exit_unwinds_through_destructors_that_wait");
    struct Reports(gaggle::Sender<u32>, u32);
    impl Drop for Reports {
        fn drop(&mut self) {
            yield_now();
            self.0.send(self.1).unwrap();
        }
    }
    everywhere(scaled(200), || {
        let (tx, rx) = chan(0);
        let gone = spawn(move || {
            let _outer = Reports(tx.clone(), 2);
            let deeper = move || {
                let _inner = Reports(tx, 1);
                exit();
            };
            deeper();
        });
        assert_eq!(rx.iter().collect::<Vec<_>>(), [1, 2]);
        assert!(gone.join().unwrap_err().is::<gaggle::go::Exited>());
    });
}

#[test]
fn exit_inside_a_scope_waits_for_its_goroutines() {
    // A frame that goes away while scoped goroutines still borrow from it.
    let _turn = turn("exit_inside_a_scope_waits_for_its_goroutines");
    everywhere(scaled(200), || {
        let (tx, rx) = unbounded();
        let gone = spawn(move || {
            let words = vec![String::from("borrowed"); 8];
            gaggle::scope(|s| {
                for word in &words {
                    let tx = tx.clone();
                    s.go(move || {
                        yields(3);
                        tx.send(word.len()).unwrap();
                    });
                }
                exit();
            });
        });
        assert!(gone.join().is_err());
        assert_eq!(rx.iter().collect::<Vec<_>>(), [8; 8]);
    });
}

#[test]
fn exit_of_a_scoped_goroutine_is_no_panic() {
    // A scope that panics because one of its goroutines called `exit`, whether that came before its handle was dropped
    // or after.
    let _turn = turn("exit_of_a_scoped_goroutine_is_no_panic");
    everywhere(scaled(200), || {
        assert_eq!(gaggle::scope(|s| drop(s.go(|| exit()))), ());
        gaggle::scope(|s| {
            let gone = s.go(|| exit());
            while !gone.is_finished() {
                yield_now();
            }
        });
        assert!(gaggle::scope(|s| s.go(|| exit()).join().unwrap_err().is::<gaggle::go::Exited>()));
    });
}

#[test]
fn exit_on_a_plain_thread_says_why_not() {
    // An unwinding thread with a payload that nobody knows.
    let _turn = turn("exit_on_a_plain_thread_says_why_not");
    let payload = std::panic::catch_unwind(|| exit()).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"exit: this thread is no goroutine"));
}

/// Goroutines that are blocked in each way that a channel can block, until the returned ends are dropped.
fn blocked() -> (Vec<gaggle::JoinHandle<bool>>, impl Send) {
    let (value_tx, value) = chan::<u32>(0);
    let (full, full_rx) = chan::<u32>(1);
    full.send(0).unwrap();
    let (other_tx, other) = chan::<String>(3);
    let mut all = vec![];
    let each = |all: &mut Vec<_>, f: fn(Receiver<u32>, gaggle::Sender<u32>, Receiver<String>) -> bool| {
        let (value, full, other) = (value.clone(), full.clone(), other.clone());
        all.push(spawn(move || f(value, full, other)));
    };
    each(&mut all, |value, _, _| value.recv().is_none());
    each(&mut all, |value, _, _| value.iter().next().is_none());
    each(&mut all, |_, full, _| full.send(1).unwrap_err().0 == 1);
    each(&mut all, |value, _, other| {
        select! {
            v = <-value => v.is_none(),
            v = <-other => v.is_none(),
        }
    });
    each(&mut all, |value, full, _| {
        select! {
            v = <-value => v.is_none(),
            sent = full <- 1 => sent.is_err(),
        }
    });
    each(&mut all, |value, _, other| {
        let mut select = Select::new();
        let a = select.recv(&value);
        select.recv(&other);
        let op = select.select();
        if op.index() == a { op.recv(&value).is_none() } else { op.recv(&other).is_none() }
    });
    (all, (value_tx, full_rx, other_tx))
}

#[test]
fn whoever_nobody_can_wake_any_more_is_woken_with_closed() {
    // A goroutine leaked with its stack because the last end that could wake it went away in silence.
    let _turn = turn("whoever_nobody_can_wake_any_more_is_woken_with_closed");
    everywhere(scaled(100), || {
        for way in 0..5 {
            let (all, ends) = blocked();
            yields(way);
            let holder = spawn(move || {
                let _ends = ends;
                match way {
                    0 => {}
                    1 => exit(),
                    2 => std::panic::resume_unwind(Box::new(())),
                    3 => std::thread::spawn(move || drop(_ends)).join().unwrap(),
                    _ => yields(3),
                }
            });
            for g in all {
                assert!(g.join().unwrap(), "woken with something else");
            }
            _ = holder.join();
        }
    });
}

#[test]
fn a_chain_of_blocked_goroutines_falls_like_dominoes() {
    // Each is the only one that can wake the next: one lost wake-up leaves the rest blocked for ever.
    let _turn = turn("a_chain_of_blocked_goroutines_falls_like_dominoes");
    everywhere(scaled(20), || {
        let (first, mut before) = chan::<u32>(0);
        for _ in 0..200 {
            let (tx, rx) = chan::<u32>(0);
            let from = std::mem::replace(&mut before, rx);
            spawn(move || {
                from.recv();
                drop(tx);
            });
        }
        drop(first);
        assert_eq!(before.recv(), None);
    });
}

#[test]
fn a_threads_last_destructors_may_still_use_channels() {
    // A thread local of the runtime that is gone before the user's own: a panic or an abort at the end of a thread.
    let _turn = turn("a_threads_last_destructors_may_still_use_channels");
    struct Last(gaggle::Sender<u32>, Receiver<u32>);
    impl Drop for Last {
        fn drop(&mut self) {
            assert_eq!(self.1.recv(), Some(1));
            let (tx, rx) = chan::<u32>(0);
            let child = spawn(move || tx.send(2).unwrap());
            assert_eq!(rx.recv_timeout(std::time::Duration::from_secs(300)), Ok(2));
            child.join().unwrap();
            assert_eq!(gaggle::runtime::id(), None);
            select! {
                sent = self.0 <- 3 => sent.unwrap(),
            }
        }
    }
    thread_local!(static LAST: std::cell::RefCell<Option<Last>> = const { std::cell::RefCell::new(None) });
    everywhere(scaled(20), || {
        let (there, here) = chan(0);
        let (back, home) = chan(0);
        std::thread::spawn(move || {
            // Before the runtime's own, so that it is destroyed after them.
            LAST.set(Some(Last(back, here)));
            assert!(chan::<u32>(0).1.recv_timeout(std::time::Duration::from_micros(1)).is_err());
        });
        there.send(1).unwrap();
        assert_eq!(home.recv(), Some(3));
    });
}

#[test]
fn runs_nest() {
    // A run inside a goroutine that waits for its own thread.
    let _turn = turn("runs_nest");
    everywhere(scaled(100), || {
        let words = ["borrowed", "by", "all"];
        let sum = gaggle::run(|| {
            let inner = gaggle::run(|| spawn(|| 1).join().unwrap() + words[0].len());
            let _guard = gaggle::runtime::lock_os_thread();
            inner + gaggle::run(|| words.iter().map(|w| w.len()).sum::<usize>())
        });
        assert_eq!(sum, 9 + 13);
        let panicked: Result<(), _> =
            std::panic::catch_unwind(|| gaggle::run(|| std::panic::resume_unwind(Box::new(5u8))));
        let payload: Box<dyn std::any::Any + Send> = panicked.unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&5u8));
    });
}
