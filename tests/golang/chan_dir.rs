//! `test/chan`: fifo, goroutines, nonblock, sendstmt, sieve1, sieve2, zerosize; `test/closedchan.go`,
//! `test/chancap.go`. (perm is `perm.rs`.)

use crate::support::{everywhere, scaled, turn};
use gaggle::runtime::yield_now;
use gaggle::{Receiver, Sender, TryRecvError, TrySendError, chan, go, select};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn fifo_asynch() {
    // A buffer that gives values back in another order.
    let _turn = turn("fifo_asynch");
    everywhere(scaled(100), || {
        let (tx, rx) = chan(10);
        (0..10).for_each(|i| tx.send(i).unwrap());
        (0..10).for_each(|i| assert_eq!(rx.recv(), Some(i)));
    });
}

#[test]
fn fifo_synch() {
    // A waiting sender that is overtaken: each link of the chain sends only when its neighbour has received.
    let _turn = turn("fifo_synch");
    everywhere(scaled(100), || {
        let (tx, rx) = chan(0);
        let (start, mut last) = chan(0);
        for i in 0..10 {
            let (pass, next) = chan(0);
            let before = std::mem::replace(&mut last, next);
            go!(clone rx; {
                before.recv().unwrap();
                assert_eq!(rx.recv(), Some(i));
                pass.send(()).unwrap();
            });
        }
        start.send(()).unwrap();
        (0..10).for_each(|i| tx.send(i).unwrap());
        last.recv().unwrap();
    });
}

#[test]
fn goroutines() {
    // A chain of 10,000 goroutines that all wait, and a value that is lost on its way through them.
    let _turn = turn("goroutines");
    everywhere(2, || {
        let (leftmost, result) = chan(0);
        let mut left = leftmost;
        for _ in 0..10_000 {
            let (tx, right) = chan(0);
            let out = std::mem::replace(&mut left, tx);
            // A block: the arguments of a call would be evaluated here, and wait here, as in Go.
            go!({ out.send(right.recv().unwrap() + 1) });
        }
        left.send(1).unwrap();
        assert_eq!(result.recv(), Some(10_001));
    });
}

/// One round of nonblock.go for a type and a capacity.
fn nonblock<T: Clone + PartialEq + std::fmt::Debug + Send + 'static>(value: &T, capacity: usize) {
    let (tx, rx) = chan::<T>(capacity);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    // A receiver that waits: the try succeeds once it does, and not before on an unbuffered channel.
    let (got, done) = chan(0);
    go!(clone rx; { got.send(rx.recv()) });
    let mut unsent = value.clone();
    while let Err(error) = tx.try_send(unsent) {
        assert!(matches!(error, TrySendError::Full(_)) && capacity == 0);
        unsent = error.into_inner();
        yield_now();
    }
    assert_eq!(done.recv(), Some(Some(value.clone())));
    // A sender that waits, or has filled the buffer.
    let (again, sent) = (value.clone(), tx.clone());
    go!(sent.send(again));
    let received = loop {
        match rx.try_recv() {
            Ok(received) => break received,
            Err(error) => assert_eq!(error, TryRecvError::Empty),
        }
        yield_now();
    };
    assert_eq!(received, *value);
    for _ in 0..capacity {
        tx.try_send(value.clone()).unwrap();
    }
    assert_eq!(tx.try_send(value.clone()), Err(TrySendError::Full(value.clone())));
}

#[test]
fn nonblock_each_type() {
    // A try that fails although the other side waits, blocks, or moves a value that it says it did not.
    let _turn = turn("nonblock_each_type");
    everywhere(scaled(50), || {
        for capacity in [0, 1] {
            nonblock(&123_i32, capacity);
            nonblock(&234_i64, capacity);
            nonblock(&true, capacity);
            nonblock(&String::from("hello"), capacity);
        }
    });
}

/// Go's grammar has to tell `c <- (<-chan int)(x)` apart; Rust's has no such types, but an operand is a whole expression
/// here too: `a || b`, a comparison, a channel from a channel.
#[test]
fn sendstmt() {
    // An operand that ends too early: `tx <- false || true` that sends false.
    let _turn = turn("sendstmt");
    gaggle::run(|| {
        let (tx, rx) = chan(1);
        let (no, yes) = (rx.is_closed(), !rx.is_closed());
        select! { tx <- no || yes => {} }
        assert_eq!(rx.recv(), Some(true));
        select! { sent = tx <- 1 + 1 == 2 && !no => sent.unwrap() }
        assert_eq!(rx.recv(), Some(true));
        // A channel of channels: `<-<-c`.
        let (outer_tx, outer_rx) = chan(1);
        let (inner_tx, inner_rx) = chan(1);
        outer_tx.send(inner_rx).unwrap();
        inner_tx.send(7).unwrap();
        assert_eq!(select! { v = <-outer_rx.recv().unwrap() => v }, Some(7));
    });
}

const PRIMES: [u64; 25] =
    [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97];

/// The channel of 2, 3, 4, … that ends when nobody receives any more. (Go's generator is left behind for ever.)
fn numbers() -> Receiver<u64> {
    let (tx, rx) = chan(0);
    go!({
        for n in 2.. {
            if tx.send(n).is_err() {
                break;
            }
        }
    });
    rx
}

#[test]
fn sieve1() {
    // A value lost, doubled or overtaken in a growing chain of filters.
    let _turn = turn("sieve1");
    everywhere(scaled(20), || {
        let mut candidates = numbers();
        for expected in PRIMES {
            let prime = candidates.recv().unwrap();
            assert_eq!(prime, expected);
            let (tx, filtered) = chan(0);
            let unfiltered = std::mem::replace(&mut candidates, filtered);
            go!({
                for n in &unfiltered {
                    if n % prime != 0 && tx.send(n).is_err() {
                        break;
                    }
                }
            });
        }
    });
}

/// The multiples of `n`, from its square on.
fn multiples(n: u64) -> Receiver<u64> {
    let (tx, rx) = chan(10);
    go!({
        for multiple in (n..).map(|factor| factor * n) {
            if tx.send(multiple).is_err() {
                break;
            }
        }
    });
    rx
}

/// The composites, some of them more than once, in order: the multiples of the primes that come in, merged.
fn composites(primes: Receiver<u64>) -> Receiver<u64> {
    let (tx, rx) = chan(50);
    go!({
        let mut streams = vec![multiples(primes.recv().unwrap())];
        let mut heads = BinaryHeap::from([Reverse((streams[0].recv().unwrap(), 0))]);
        let mut next_prime = primes.recv().unwrap();
        while let Some(Reverse((composite, stream))) = heads.pop() {
            if tx.send(composite).is_err() {
                break;
            }
            heads.push(Reverse((streams[stream].recv().unwrap(), stream)));
            while heads.peek().is_some_and(|Reverse((composite, _))| *composite >= next_prime * next_prime) {
                streams.push(multiples(next_prime));
                heads.push(Reverse((next_prime * next_prime, streams.len() - 1)));
                streams[streams.len() - 1].recv().unwrap();
                // There is a prime between each number and its square: it has been found.
                next_prime = primes.recv().unwrap();
            }
        }
    });
    rx
}

/// The primes, found among the gaps of the composites, which are made of the primes found so far.
fn primes() -> Receiver<u64> {
    let (tx, rx) = chan(10);
    go!({
        let (found, feed) = gaggle::unbounded();
        let composites = composites(feed);
        let mut next_composite = 4;
        for n in 2.. {
            while next_composite < n {
                next_composite = composites.recv().unwrap();
            }
            let is_prime = n < 4 || next_composite > n;
            if is_prime && (found.send(n).is_err() || tx.send(n).is_err()) {
                break;
            }
        }
    });
    rx
}

#[test]
fn sieve2() {
    // Streams that feed on each other's values: one that is held back stops them all.
    let _turn = turn("sieve2");
    everywhere(scaled(20), || {
        let primes = primes();
        for expected in PRIMES {
            assert_eq!(primes.recv(), Some(expected));
        }
    });
}

#[test]
fn zerosize() {
    // A buffer of values without a size that divides by it, allocates nothing, and then forgets how many it holds.
    let _turn = turn("zerosize");
    everywhere(scaled(50), || {
        for capacity in [0, 1, 4, 1 << 40] {
            let (tx, rx) = chan::<[u8; 0]>(capacity);
            assert_eq!(tx.capacity(), Some(capacity));
            go!((0..10).for_each(|_| tx.send([]).unwrap()));
            assert_eq!(rx.iter().count(), 10);
        }
    });
}

type Receives = fn(&Receiver<i32>) -> Option<i32>;
/// A send, which gives an unsent value back.
type Sends = fn(&Sender<i32>) -> Result<(), i32>;

/// The ways to receive from a channel; the second and the fourth never block.
const RECEIVES: [Receives; 4] = [
    |rx| rx.recv(),
    |rx| rx.try_recv().ok(),
    |rx| select! { v = <-rx => v },
    |rx| select! { v = <-rx => v, default => panic!("a closed channel is ready") },
];

/// The ways to send; each must fail on a closed channel.
const SENDS: [Sends; 4] = [
    |tx| tx.send(2).map_err(|error| error.into_inner()),
    |tx| tx.try_send(2).map_err(|error| error.into_inner()),
    |tx| select! { sent = tx <- 2 => sent.map_err(|error| error.into_inner()) },
    |tx| {
        select! {
            sent = tx <- 2 => sent.map_err(|error| error.into_inner()),
            default => panic!("a closed channel is ready"),
        }
    },
];

/// Go's receives say 0 where these say `None`; its sends and a second close panic, these are told by their result. What
/// panics here, and with Go's words, is a `select!` arm that does not ask for the result.
#[test]
fn closedchan() {
    // A closed channel that blocks, gives something, or takes something.
    let _turn = turn("closedchan");
    everywhere(scaled(20), || {
        for buffered in [0, 1, 3] {
            let (tx, rx) = chan(buffered);
            (0..buffered as i32).for_each(|i| tx.send(i).unwrap());
            assert!(tx.close());
            for (i, receive) in RECEIVES.iter().take(buffered).enumerate() {
                assert_eq!(receive(&rx), Some(i as i32));
            }
            for round in 0..3 {
                assert!(RECEIVES.iter().all(|receive| receive(&rx).is_none()), "round {round}");
                assert!(SENDS.iter().all(|send| send(&tx) == Err(2)), "round {round}");
                assert!(!tx.close() && tx.is_closed() && rx.is_closed() && rx.is_empty());
            }
            let panic = catch_unwind(AssertUnwindSafe(|| select! { tx <- 2 => {} })).unwrap_err();
            assert_eq!(panic.downcast_ref(), Some(&"send on closed channel"));
        }
    });
}

/// Go's capacities come in all integer types, so it tests negative ones and conversions; a `usize` is left with those
/// that are too great. The nil channel's capacity is asked of an `Option`.
#[test]
fn chancap() {
    // A size that overflows: a buffer smaller than the channel believes.
    let _turn = turn("chancap");
    assert_eq!(chan::<u64>(0).0.capacity(), Some(0));
    assert_eq!(chan::<u64>(10).1.capacity(), Some(10));
    let nil: Option<Sender<u64>> = None;
    assert_eq!(nil.map_or(0, |tx| tx.capacity().unwrap()), 0);
    for capacity in [usize::MAX, isize::MAX as usize, usize::MAX / 8, usize::MAX / 8 + 2, 1 << 60, 1 << 50] {
        let panic = catch_unwind(|| chan::<u64>(capacity)).unwrap_err();
        let message = panic.downcast_ref::<String>().expect("a message with the capacity");
        assert!(message.contains("out of range"), "{message}");
    }
}
