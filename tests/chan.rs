//! Channels, seen from outside.
#![cfg(not(loom))]

mod on;
#[path = "chan/values.rs"]
mod values;

use gaggle::{
    Receiver, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError, TrySendError, chan, unbounded,
};
use on::{eventually, everywhere};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(300);
const CAPACITIES: [usize; 5] = [0, 1, 2, 7, 64];

// ---- what a program may rely on at compile time

#[test]
fn ends_may_be_shared_between_threads() {
    // An end that can't be moved to, or borrowed by, another thread.
    fn shareable<T: Send + Sync + Clone + std::fmt::Debug + std::panic::UnwindSafe>() {}
    shareable::<Sender<Cell<u8>>>();
    shareable::<Receiver<Cell<u8>>>();
    fn error<E: std::error::Error>() {}
    error::<SendError<Rc<u8>>>();
    error::<TrySendError<Rc<u8>>>();
    error::<SendTimeoutError<Rc<u8>>>();
    error::<TryRecvError>();
    error::<RecvTimeoutError>();
}

#[test]
fn values_bound_to_a_thread_may_be_sent_within_it() {
    // A channel that asks for `T: Send` where nothing leaves the thread.
    let (tx, rx) = chan(1);
    tx.send(Rc::new(5)).unwrap();
    assert_eq!(*rx.recv().unwrap(), 5);
}

// ---- sending and receiving

#[test]
fn empty_and_full_are_seen_without_waiting() {
    // A try that waits, or that finds room or values where there are none.
    everywhere(|on| {
        for capacity in CAPACITIES {
            let (tx, rx) = chan(capacity);
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
            for i in 0..capacity {
                assert_eq!((tx.len(), tx.is_full(), rx.is_empty()), (i, false, i == 0));
                assert_eq!(tx.try_send(i), Ok(()));
            }
            assert_eq!((rx.len(), tx.len(), rx.is_full(), tx.is_full()), (capacity, capacity, true, true));
            assert_eq!((tx.capacity(), rx.capacity()), (Some(capacity), Some(capacity)));
            assert_eq!(tx.try_send(99), Err(TrySendError::Full(99)));
            // A blocked sender makes a try to receive succeed, and is let go by it.
            let sender = on.go(move || tx.send(100));
            if capacity == 0 {
                eventually("the sender waits", || rx.try_recv() == Ok(100));
            } else {
                assert_eq!(rx.recv(), Some(0));
            }
            assert_eq!(sender.join(), Ok(()));
            let expected: Vec<_> = (1..capacity).chain((capacity != 0).then_some(100)).collect();
            assert_eq!(rx.iter().collect::<Vec<_>>(), expected);
        }
    });
}

#[test]
fn one_sender_keeps_its_order() {
    // Values that overtake each other on the way through buffer and hand-over.
    everywhere(|on| {
        for capacity in CAPACITIES {
            let (tx, rx) = chan(capacity);
            let sender = on.go(move || (0..500).for_each(|i| tx.send(i).unwrap()));
            (0..500).for_each(|i| assert_eq!(rx.recv(), Some(i)));
            assert_eq!(rx.recv(), None);
            sender.join();
        }
    });
}

#[test]
fn a_close_wakes_a_crowd() {
    // Waits are ended in batches: those behind the first one sleep for ever, or one of a batch is left out.
    everywhere(|on| {
        for crowd in [2, 9, 31, 32, 33, 64, 100] {
            let (tx, rx) = chan::<u32>(0);
            let (come, came) = chan(0);
            let waiters: Vec<_> = (0..crowd)
                .map(|n| {
                    let (rx, come) = (rx.clone(), come.clone());
                    on.go(move || {
                        come.send(()).unwrap();
                        if n % 3 == 0 {
                            rx.recv_timeout(LONG) == Err(RecvTimeoutError::Closed)
                        } else {
                            rx.recv().is_none()
                        }
                    })
                })
                .collect();
            (0..crowd).for_each(|_| came.recv().unwrap());
            assert!(tx.close());
            assert!(waiters.into_iter().all(|waiter| waiter.join()));
        }
    });
}

#[test]
fn every_value_is_delivered_once() {
    // Many on both sides: a value lost, or received twice.
    everywhere(|on| {
        const PARTIES: usize = 4;
        const EACH: usize = 300;
        for make in [|| chan(0), || chan(1), || chan(16), unbounded::<usize>] {
            let (tx, rx) = make();
            let senders: Vec<_> = (0..PARTIES)
                .map(|p| {
                    let tx = tx.clone();
                    on.go(move || (0..EACH).for_each(|i| tx.send(p * EACH + i).unwrap()))
                })
                .collect();
            drop(tx);
            let receivers: Vec<_> = (0..PARTIES)
                .map(|_| {
                    let rx = rx.clone();
                    on.go(move || rx.into_iter().collect::<Vec<_>>())
                })
                .collect();
            drop(rx);
            senders.into_iter().for_each(|s| s.join());
            let mut got: Vec<_> = receivers.into_iter().flat_map(|r| r.join()).collect();
            got.sort_unstable();
            assert!(got.into_iter().eq(0..PARTIES * EACH));
        }
    });
}

#[test]
fn prime_sieve() {
    // A chain of unbuffered channels, each with its own pair: values lost or stuck between filters.
    everywhere(|on| {
        let (tx, mut numbers) = chan(0);
        let generator = on.go(move || (2..).take_while(|n| tx.send(*n).is_ok()).count());
        let mut filters = vec![];
        let mut primes = vec![];
        for _ in 0..12 {
            let prime: u32 = numbers.recv().unwrap();
            primes.push(prime);
            let (tx, rx) = chan(0);
            filters.push(on.go(move || {
                for n in numbers {
                    if n % prime != 0 && tx.send(n).is_err() {
                        return;
                    }
                }
            }));
            numbers = rx;
        }
        assert_eq!(primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37]);
        // Dropping the last receiver unwinds the whole chain.
        drop(numbers);
        generator.join();
        filters.into_iter().for_each(|f| f.join());
    });
}

#[test]
fn b11_rendezvous_hands_over_before_send_returns() {
    // An unbuffered send returns while the value is still its own, or in nobody's hands.
    everywhere(|on| {
        for _ in 0..200 {
            let (tx, rx) = chan(0);
            let value = Arc::new(());
            let watch = Arc::downgrade(&value);
            let receiver = on.go(move || rx.recv());
            tx.send(value).unwrap();
            assert_eq!(watch.strong_count(), 1);
            tx.close();
            assert!(receiver.join().is_some());
        }
    });
}

#[test]
fn b12_receive_race() {
    // A try to receive fails although at every instant there is a value or the channel is closed (Go's
    // TestNonblockRecvRace).
    everywhere(|on| {
        for _ in 0..500 {
            let (tx, rx) = chan(1);
            tx.send(1).unwrap();
            let theirs = rx.clone();
            let other = on.go(move || theirs.try_recv());
            tx.close();
            let _ = rx.recv();
            assert_ne!(other.join(), Err(TryRecvError::Empty));
        }
    });
}

#[test]
fn b06_empty_then_closed() {
    // Closed is seen before the value that was sent before the close.
    everywhere(|on| {
        for i in 0..100 {
            let (tx, rx) = unbounded();
            let sender = on.go(move || tx.send(i).unwrap());
            let mut got = None;
            eventually("the channel is drained", || match rx.try_recv() {
                Ok(value) => {
                    got = Some(value);
                    false
                }
                Err(err) => err.is_closed(),
            });
            assert_eq!(got, Some(i));
            sender.join();
        }
    });
}

// ---- closing

#[test]
fn close_says_who_did_it_and_keeps_the_buffer() {
    // Two closers that both believe to be the one; buffered values lost.
    everywhere(|on| {
        let (tx, rx) = chan(2);
        tx.send(1).unwrap();
        tx.send(2).unwrap();
        assert!(!rx.is_closed());
        let closers: Vec<_> = (0..4)
            .map(|_| {
                let tx = tx.clone();
                on.go(move || tx.close())
            })
            .collect();
        assert_eq!(closers.into_iter().map(|c| u32::from(c.join())).sum::<u32>(), 1);
        assert!(tx.is_closed() && rx.is_closed());
        assert_eq!(tx.send(3), Err(SendError(3)));
        assert_eq!(tx.try_send(3), Err(TrySendError::Closed(3)));
        assert_eq!(tx.send_timeout(3, LONG), Err(SendTimeoutError::Closed(3)));
        assert_eq!((rx.recv(), rx.try_recv()), (Some(1), Ok(2)));
        assert_eq!((rx.recv(), rx.try_recv()), (None, Err(TryRecvError::Closed)));
        assert_eq!(rx.recv_timeout(LONG), Err(RecvTimeoutError::Closed));
    });
}

#[test]
fn b22_close_wakes_everybody() {
    // One of many blocked parties is woken, or a blocked sender's value is lost.
    everywhere(|on| {
        for _ in 0..20 {
            let (tx, rx) = chan::<usize>(0);
            let receivers: Vec<_> = (0..8)
                .map(|_| {
                    let rx = rx.clone();
                    on.go(move || rx.recv())
                })
                .collect();
            assert!(tx.close());
            assert!(receivers.into_iter().all(|r| r.join().is_none()));

            let (tx, _rx) = chan(0);
            let senders: Vec<_> = (0..8)
                .map(|i| {
                    let tx = tx.clone();
                    on.go(move || tx.send(i))
                })
                .collect();
            assert!(tx.close());
            assert!(senders.into_iter().enumerate().all(|(i, s)| s.join() == Err(SendError(i))));
        }
    });
}

#[test]
fn b27_last_sender_closes() {
    // A receiver that waits for ever for senders that are gone.
    everywhere(|on| {
        for _ in 0..50 {
            let (tx, rx) = chan::<u8>(0);
            let receiver = on.go(move || rx.recv());
            let parties: Vec<_> = (0..4)
                .map(|_| {
                    let tx = tx.clone();
                    on.go(move || drop(tx))
                })
                .collect();
            drop(tx);
            assert_eq!(receiver.join(), None);
            parties.into_iter().for_each(|p| p.join());
        }
    });
}

#[test]
fn last_receiver_fails_sends_and_wakes_senders() {
    // A sender that waits for ever for receivers that are gone.
    everywhere(|on| {
        for capacity in [0, 1] {
            let (tx, rx) = chan(capacity);
            (0..capacity).for_each(|_| tx.send(0).unwrap());
            let rx2 = rx.clone();
            let sender = {
                let tx = tx.clone();
                on.go(move || tx.send(7))
            };
            drop(rx);
            assert!(!tx.is_closed());
            drop(rx2);
            assert_eq!(sender.join(), Err(SendError(7)));
            assert_eq!(tx.try_send(8), Err(TrySendError::Closed(8)));
            assert!(tx.is_closed() && tx.is_empty());
            assert!(!tx.close(), "it was closed by the last receiver");
        }
    });
}

#[test]
fn a_panic_of_the_sender_closes() {
    // A receiver hangs when the only sender unwinds.
    everywhere(|on| {
        let (tx, rx) = chan::<u8>(0);
        let sender = on.go(move || {
            let caught = catch_unwind(AssertUnwindSafe(move || {
                let _tx = tx;
                std::panic::resume_unwind(Box::new("on purpose"));
            }));
            assert!(caught.is_err());
        });
        assert_eq!(rx.recv(), None);
        sender.join();
    });
}

// ---- timeouts

#[test]
fn timeouts_pass_and_values_come_back() {
    // A timed operation that returns early, late for ever, or without its value.
    everywhere(|on| {
        let (tx, rx) = chan(0);
        let patience = Duration::from_millis(5);
        let start = Instant::now();
        assert_eq!(tx.send_timeout(1, patience), Err(SendTimeoutError::Timeout(1)));
        assert_eq!(rx.recv_timeout(patience), Err(RecvTimeoutError::Timeout));
        assert!(start.elapsed() >= patience * 2);
        assert_eq!(rx.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
        // Beyond what the clock can count: for ever.
        let sender = on.go(move || {
            tx.send_timeout(2, Duration::MAX).unwrap();
            tx.send(3).unwrap();
        });
        assert_eq!(rx.recv(), Some(2));
        assert_eq!(rx.recv_timeout(Duration::MAX), Ok(3));
        sender.join();
    });
}

#[test]
fn b09_b10_timeout_against_delivery() {
    // A timeout that races with the hand-over loses the value, or delivers it and gives it back as well.
    everywhere(|on| {
        let (tx, rx) = chan(0);
        let receiver = on.go(move || {
            let mut got = vec![];
            loop {
                match rx.recv_timeout(Duration::from_micros(20)) {
                    Ok(value) => got.push(value),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Closed) => return got,
                }
            }
        });
        let mut sent = vec![];
        for i in 0..300 {
            match tx.send_timeout(Box::new(i), Duration::from_micros(20)) {
                Ok(()) => sent.push(Box::new(i)),
                Err(SendTimeoutError::Timeout(back)) => assert_eq!(*back, i),
                Err(SendTimeoutError::Closed(_)) => panic!("nobody closed it"),
            }
        }
        drop(tx);
        assert_eq!(receiver.join(), sent);
    });
}

// ---- iterators, identity, errors

#[test]
fn iterators_end_where_they_should() {
    // A loop that stops early, or waits where it should not.
    let (tx, rx) = chan(4);
    assert_eq!(rx.try_iter().next(), None);
    (0..4).for_each(|i| tx.send(i).unwrap());
    assert_eq!(rx.try_iter().take(1).collect::<Vec<_>>(), [0]);
    assert_eq!(rx.iter().next(), Some(1));
    drop(tx);
    let mut rest = vec![];
    for value in &rx {
        rest.push(value);
    }
    assert_eq!(rest, [2, 3]);
    let mut all = rx.into_iter();
    assert_eq!((all.next(), all.next()), (None, None));
}

#[test]
fn identity() {
    // Two channels taken for one.
    let (tx, rx) = chan::<()>(0);
    let (tx2, rx2) = chan::<()>(0);
    assert!(tx.same_channel(&tx.clone()) && rx.same_channel(&rx.clone()));
    assert!(!tx.same_channel(&tx2) && !rx.same_channel(&rx2));
    assert_eq!(unbounded::<()>().1.capacity(), None);
    assert_eq!(format!("{tx:?}"), "Sender { len: 0, capacity: 0, closed: false }");
    let (tx, rx) = unbounded::<Rc<()>>();
    drop(tx);
    assert_eq!(format!("{rx:?}"), "Receiver { len: 0, closed: true }");
}

#[test]
fn errors_speak_and_hide_the_value() {
    // A message in another voice, or one that prints a secret.
    let closed = "sending on a closed channel";
    assert_eq!(SendError("secret").to_string(), closed);
    assert_eq!(format!("{:?}", SendError("secret")), "SendError(..)");
    assert_eq!(TrySendError::Closed("secret").to_string(), closed);
    assert_eq!(TrySendError::Full("secret").to_string(), "sending on a full channel");
    assert_eq!(format!("{:?}", TrySendError::Full("secret")), "Full(..)");
    assert_eq!(SendTimeoutError::Closed("secret").to_string(), closed);
    assert_eq!(SendTimeoutError::Timeout("secret").to_string(), "sending on a channel timed out");
    assert_eq!(format!("{:?}", SendTimeoutError::Timeout("secret")), "Timeout(..)");
    assert_eq!(TryRecvError::Empty.to_string(), "receiving on an empty channel");
    assert_eq!(TryRecvError::Closed.to_string(), RecvTimeoutError::Closed.to_string());
    assert_eq!(RecvTimeoutError::Timeout.to_string(), "receiving on a channel timed out");
    assert_eq!(TrySendError::from(SendError(1)).into_inner(), 1);
    assert_eq!(SendTimeoutError::from(SendError(1)).into_inner(), 1);
    assert_eq!((TrySendError::Full(2).into_inner(), SendTimeoutError::Timeout(3).into_inner()), (2, 3));
}

#[test]
fn impossible_capacities_are_named() {
    // An abort, or a channel that is smaller than asked.
    fn message<T>(capacity: usize) -> String {
        let payload = catch_unwind(|| drop(chan::<T>(capacity))).unwrap_err();
        *payload.downcast::<String>().unwrap()
    }
    for capacity in [usize::MAX, usize::MAX / 8, 1 << 60] {
        assert!(message::<u64>(capacity).contains(&format!("capacity {capacity} is out of range")));
    }
    assert!(message::<()>(usize::MAX).contains("out of range"));
    // More than there is address space for, but not more than fits a word.
    assert!(message::<[u8; 4096]>(1 << 48).contains("281474976710656"));
}
