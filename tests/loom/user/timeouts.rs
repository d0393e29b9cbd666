//! Timeouts, in a world without a clock.

use super::outcomes;
use gaggle::sync::{Condvar, Mutex, Semaphore};
use gaggle::{chan, go, select};
use std::sync::Arc;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(1);

#[test]
fn of_a_select() {
    // A timeout that always passes first, or never.
    let (seen, explored) = outcomes(|| {
        let (tx, rx) = chan(0);
        let sender = go!(tx.send(1));
        let got = select! {
            v = <-rx => v,
            after(SOON) => None,
        };
        drop(rx);
        assert_eq!(sender.join().unwrap().is_ok(), got.is_some());
        got
    });
    assert!(seen.into_iter().eq([None, Some(1)]));
    assert!(explored.is_complete());
}

#[test]
fn while_somebody_counts_on_the_waiter() {
    // The moments before and after the wait only: a try_send that succeeds because somebody waits is not seen.
    let (seen, _) = outcomes(|| {
        let (tx, rx) = chan(0);
        let sender = go!({ tx.try_send(1).is_ok() });
        let got = rx.recv_timeout(SOON);
        let sent = sender.join().unwrap();
        assert_eq!(sent, got.is_ok());
        sent
    });
    assert!(seen.clone().into_iter().eq([false, true]), "{seen:?}");
}

#[test]
fn of_a_send_a_condition_and_a_permit() {
    // As above, for the others that can give up.
    let (seen, _) = outcomes(|| {
        let (tx, rx) = chan(0);
        let receiver = go!(rx.recv());
        let sent = tx.send_timeout(1, SOON).is_ok();
        drop(tx);
        assert_eq!(receiver.join().unwrap().is_some(), sent);
        sent
    });
    assert!(seen.clone().into_iter().eq([false, true]), "{seen:?}");
    let (seen, _) = outcomes(|| {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let setter = go!(clone shared; {
            *shared.0.lock().unwrap() = true;
            shared.1.notify_one();
        });
        let ready = shared.0.lock().unwrap();
        let (ready, result) = shared.1.wait_timeout_while(ready, SOON, |ready| !*ready).unwrap();
        assert!(*ready || result.timed_out());
        let seen = *ready;
        drop(ready);
        setter.join().unwrap();
        seen
    });
    assert!(seen.clone().into_iter().eq([false, true]), "{seen:?}");
    let (seen, _) = outcomes(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        semaphore.acquire(1);
        let holder = go!(clone semaphore; { semaphore.release(1) });
        let got = semaphore.acquire_timeout(1, SOON);
        holder.join().unwrap();
        got
    });
    assert!(seen.clone().into_iter().eq([false, true]), "{seen:?}");
}

#[test]
fn modelled_by_a_goroutine() {
    // The recipe of the docs for `time::after`.
    let (seen, _) = outcomes(|| {
        let (tx, rx) = chan(1);
        let (timer, timeout) = chan(1);
        go!(tx.send(1));
        go!(timer.send(()));
        select! {
            v = <-rx => v,
            <-timeout => None,
        }
    });
    assert!(seen.into_iter().eq([None, Some(1)]));
}
