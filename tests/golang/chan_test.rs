//! `src/runtime/chan_test.go`.

use crate::support::{everywhere, scaled, turn, yields};
use gaggle::runtime::yield_now;
use gaggle::sync::{Mutex, WaitGroup};
use gaggle::{Receiver, SendError, Sender, TryRecvError, chan, go, select};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// What follows waits for a while in Go, and here for some yields: neither proves that the other side is asleep, but a
/// send or receive that does not wait would be seen.
fn let_others_run() {
    yields(20);
}

fn receive_from_an_empty_channel_blocks(capacity: usize) {
    let (tx, rx) = chan(capacity);
    let sent = Arc::new(AtomicBool::new(false));
    let receivers: [_; 2] = std::array::from_fn(|_| {
        go!(clone rx, sent; {
            assert_eq!(rx.recv(), Some(0));
            assert!(sent.load(SeqCst), "received from an empty channel of {capacity}");
        })
    });
    let_others_run();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    select! {
        v = <-rx => panic!("{v:?} from an empty channel of {capacity}"),
        default => {},
    }
    sent.store(true, SeqCst);
    tx.send(0).unwrap();
    tx.send(0).unwrap();
    receivers.into_iter().for_each(|receiver| receiver.join().unwrap());
}

fn send_to_a_full_channel_blocks(capacity: usize) {
    let (tx, rx) = chan(capacity);
    (0..capacity).for_each(|i| tx.send(i).unwrap());
    let received = Arc::new(AtomicBool::new(false));
    let sender = go!(clone tx, received; {
        tx.send(capacity).unwrap();
        assert!(received.load(SeqCst), "sent to a full channel of {capacity}");
    });
    let_others_run();
    assert!(tx.try_send(0).is_err());
    select! {
        tx <- 0 => panic!("sent to a full channel of {capacity}"),
        default => {},
    }
    received.store(true, SeqCst);
    (0..=capacity).for_each(|i| assert_eq!(rx.recv(), Some(i)));
    sender.join().unwrap();
}

fn a_closed_channel_is_drained(capacity: usize) {
    let (tx, rx) = chan(capacity);
    (0..capacity).for_each(|i| tx.send(i).unwrap());
    tx.close();
    (0..capacity).for_each(|i| assert_eq!(rx.recv(), Some(i)));
    assert_eq!((rx.recv(), rx.try_recv()), (None, Err(TryRecvError::Closed)));
}

fn close_unblocks_receive(capacity: usize) {
    let (tx, rx) = chan::<u8>(capacity);
    let receiver = go!(rx.recv());
    let_others_run();
    tx.close();
    assert_eq!(receiver.join().unwrap(), None);
}

fn a_hundred_in_order(capacity: usize) {
    let (tx, rx) = chan(capacity);
    go!((0..100).for_each(|i| tx.send(i).unwrap()));
    assert!(rx.iter().eq(0..100));
}

fn many_to_many(capacity: usize) {
    const P: usize = 4;
    const L: usize = 100;
    let (tx, rx) = chan(capacity);
    for _ in 0..P {
        go!(clone tx; (0..L).for_each(|i| tx.send(i).unwrap()));
    }
    drop(tx);
    let receivers: Vec<_> = (0..P).map(|_| go!(clone rx; { rx.iter().collect::<Vec<usize>>() })).collect();
    let mut times = HashMap::new();
    for value in receivers.into_iter().flat_map(|receiver| receiver.join().unwrap()) {
        *times.entry(value).or_insert(0) += 1;
    }
    assert!(times.len() == L && times.values().all(|n| *n == P), "capacity {capacity}: {times:?}");
}

fn len_and_cap(capacity: usize) {
    let (tx, rx) = chan(capacity);
    assert_eq!((tx.len(), rx.capacity()), (0, Some(capacity)));
    (0..capacity).for_each(|i| tx.send(i).unwrap());
    assert_eq!((rx.len(), tx.capacity()), (capacity, Some(capacity)));
}

#[test]
fn test_chan() {
    // Whatever a channel is for: blocking, order, closing, len and cap, at every capacity.
    let _turn = turn("test_chan");
    everywhere(1, || {
        for capacity in 0..scaled(200) {
            receive_from_an_empty_channel_blocks(capacity);
            send_to_a_full_channel_blocks(capacity);
            a_closed_channel_is_drained(capacity);
            close_unblocks_receive(capacity);
            a_hundred_in_order(capacity);
            many_to_many(capacity);
            len_and_cap(capacity);
        }
    });
}

#[test]
fn b12_test_nonblock_recv_race() {
    // A try that fails because it looks in the middle of a close: the channel is ready before, during and after.
    let _turn = turn("b12_test_nonblock_recv_race");
    everywhere(1, || {
        for _ in 0..scaled(3_000) {
            let (tx, rx) = chan(1);
            tx.send(1).unwrap();
            let other = go!(clone rx; {
                select! {
                    _ = <-rx => {},
                    default => panic!("the channel is not ready"),
                }
            });
            tx.close();
            // Whichever of the two comes second finds the channel closed.
            rx.recv();
            other.join().unwrap();
        }
    });
}

/// While this select looks at two channels the other side makes the second ready, and only then takes the first back:
/// one of them is ready at every moment.
fn one_is_always_ready(make_ready: fn(&Sender<i32>), capacity: usize) {
    for _ in 0..scaled(3_000) {
        let ((tx1, c1), (tx2, c2)) = (chan(1), chan(capacity));
        tx1.send(1).unwrap();
        let other = go!(clone c1, c2; {
            select! {
                _ = <-c1 => {},
                _ = <-c2 => {},
                default => panic!("neither channel is ready"),
            }
        });
        make_ready(&tx2);
        select! {
            _ = <-c1 => {},
            default => {},
        }
        other.join().unwrap();
    }
}

#[test]
fn b12_test_nonblock_select_race() {
    // A select with a default that puts together looks of different moments.
    let _turn = turn("b12_test_nonblock_select_race");
    everywhere(1, || one_is_always_ready(|tx| tx.send(1).unwrap(), 1));
}

#[test]
fn b12_test_nonblock_select_race2() {
    // The same, with a close in place of the send.
    let _turn = turn("b12_test_nonblock_select_race2");
    everywhere(1, || one_is_always_ready(|tx| assert!(tx.close()), 0));
}

#[test]
fn b01_test_self_select() {
    // A select that meets itself, or two that meet face to face and each wait for the other.
    let _turn = turn("b01_test_self_select");
    everywhere(scaled(10), || {
        for capacity in [0, 10] {
            let (tx, rx) = chan(capacity);
            let pair = [0, 1].map(|p| {
                go!(clone tx, rx; {
                    let check = |v: Option<usize>| assert!(capacity != 0 || v != Some(p), "received from itself");
                    for i in 0..1_000 {
                        if p == 0 || i % 2 == 0 {
                            select! { tx <- p => {}, v = <-rx => check(v) }
                        } else {
                            select! { v = <-rx => check(v), tx <- p => {} }
                        }
                    }
                })
            });
            drop((tx, rx));
            pair.into_iter().for_each(|party| party.join().unwrap());
        }
    });
}

/// The one goroutine of the stress that sends on all four channels, each until it is set to nil.
fn send_on_all(tx: &[Sender<()>; 4], each: usize) {
    let mut left = [each; 4];
    for _ in 0..4 * each {
        let won = select! {
            tx[3] <- () if left[3] > 0 => 3,
            tx[2] <- () if left[2] > 0 => 2,
            tx[0] <- () if left[0] > 0 => 0,
            tx[1] <- () if left[1] > 0 => 1,
        };
        left[won] -= 1;
    }
}

fn receive_from_all(rx: &[Receiver<()>; 4], each: usize) {
    let mut left = [each; 4];
    for _ in 0..4 * each {
        let won = select! {
            _ = <-rx[0] if left[0] > 0 => 0,
            _ = <-rx[1] if left[1] > 0 => 1,
            _ = <-rx[2] if left[2] > 0 => 2,
            _ = <-rx[3] if left[3] > 0 => 3,
        };
        left[won] -= 1;
    }
}

#[test]
fn test_select_stress() {
    // A wake-up lost between selects and plain operations: the sums come out even, so all of them end, or hang.
    let _turn = turn("test_select_stress");
    everywhere(1, || {
        let each = scaled(20_000);
        let channels = [0, 0, 2, 3].map(chan::<()>);
        let tx = channels.each_ref().map(|(tx, _)| tx.clone());
        let rx = channels.map(|(_, rx)| rx);
        let wg = WaitGroup::new();
        for (tx, rx) in tx.clone().into_iter().zip(rx.clone()) {
            wg.go(move || (0..each).for_each(|_| tx.send(()).unwrap()));
            wg.go(move || (0..each).for_each(|_| rx.recv().unwrap()));
        }
        wg.go(move || send_on_all(&tx, each));
        wg.go(move || receive_from_all(&rx, each));
        wg.wait();
    });
}

#[test]
fn test_select_fairness() {
    // A ready arm that wins too seldom, next to arms that are never ready.
    let _turn = turn("test_select_fairness");
    const TRIALS: usize = 10_000;
    everywhere(1, || {
        let ((tx1, c1), (tx2, c2)) = (chan(TRIALS + 1), chan(TRIALS + 1));
        for _ in 0..=TRIALS {
            tx1.send(1).unwrap();
            tx2.send(2).unwrap();
        }
        let ((_tx3, c3), (_tx4, c4)) = (chan::<u8>(0), chan::<u8>(0));
        let ((out, results), (done, stopped)) = (chan(0), chan::<()>(0));
        let picker = go!({
            loop {
                let b = select! { b = <-c3 => b, b = <-c4 => b, b = <-c1 => b, b = <-c2 => b };
                select! {
                    out <- b.unwrap() => {},
                    _ = <-stopped => break,
                }
            }
        });
        let mut count = [0_i64; 3];
        (0..TRIALS).for_each(|_| count[usize::from(results.recv().unwrap())] += 1);
        // Ten sigma, as in Go: sigma is half the root of the trials.
        assert!((count[1] - count[2]).abs() < 10 * 100, "{count:?}");
        drop(done);
        picker.join().unwrap();
    });
}

/// In Go the element type is an interface, whose copies need a write barrier; here it is a trait object that counts.
#[test]
fn test_chan_send_interface() {
    // An unsent trait object that is leaked or dropped twice when its arm does not win.
    let _turn = turn("test_chan_send_interface");
    everywhere(scaled(100), || {
        let m: Arc<dyn Fn() -> u8 + Send + Sync> = Arc::new(|| 1);
        let (tx, rx) = chan(1);
        tx.send(m.clone()).unwrap();
        select! {
            tx <- m.clone() => panic!("the buffer is full"),
            default => {},
        }
        select! {
            tx <- m.clone() => panic!("the buffer is full"),
            tx <- Arc::new(|| 2) => panic!("the buffer is full"),
            default => {},
        }
        assert_eq!(Arc::strong_count(&m), 2);
        assert_eq!(rx.recv().unwrap()(), 1);
        drop(rx);
        assert!(matches!(tx.send(m.clone()), Err(SendError(back)) if Arc::ptr_eq(&back, &m)));
        assert_eq!(Arc::strong_count(&m), 1);
    });
}

#[test]
fn b26_test_pseudo_random_send() {
    // Two arms that send on one channel, of which one always wins.
    let _turn = turn("b26_test_pseudo_random_send");
    everywhere(scaled(50), || {
        const N: usize = 100;
        for capacity in [0, N] {
            let (tx, rx) = chan(capacity);
            let receiver = go!({
                (0..N).fold(0, |ones, _| {
                    yield_now();
                    ones + rx.recv().unwrap()
                })
            });
            for _ in 0..N {
                select! { tx <- 1 => {}, tx <- 0 => {} }
            }
            let ones = receiver.join().unwrap();
            assert!((N / 10..=N - N / 10).contains(&ones), "{ones} ones of {N}, capacity {capacity}");
        }
    });
}

#[test]
fn test_multi_consumer() {
    // Work lost between a feeder, many workers and one consumer, or an end that is told too early.
    let _turn = turn("test_multi_consumer");
    const WORKERS: usize = 23;
    const NUMBERS: [usize; 10] = [2, 3, 7, 11, 13, 17, 19, 23, 27, 31];
    everywhere(1, || {
        let rounds = scaled(50_000);
        let ((q_tx, q), (r_tx, r)) = (chan(WORKERS * 3), chan(WORKERS * 3));
        let wg = WaitGroup::new();
        for w in 0..WORKERS {
            let (q, r_tx) = (q.clone(), r_tx.clone());
            wg.go(move || {
                for v in &q {
                    if NUMBERS[w % NUMBERS.len()] == v {
                        yield_now();
                    }
                    r_tx.send(v).unwrap();
                }
            });
        }
        let feeder = go!({
            let mut expected = 0;
            for v in NUMBERS.iter().cycle().take(rounds) {
                expected += v;
                q_tx.send(*v).unwrap();
            }
            q_tx.close();
            wg.wait();
            r_tx.close();
            expected
        });
        let (count, sum) = r.iter().fold((0, 0), |(count, sum), v| (count + 1, sum + v));
        assert_eq!((count, sum), (rounds, feeder.join().unwrap()));
    });
}

#[test]
fn b03_test_select_duplicate_channel() {
    // One goroutine in a queue twice: when it leaves, somebody else is taken out in its place, and never wakes up.
    let _turn = turn("b03_test_select_duplicate_channel");
    everywhere(scaled(300), || {
        let ((c_tx, c), (d_tx, d), (e_tx, e)) = (chan(0), chan(0), chan(0));
        let a = go!(clone c; {
            select! {
                _ = <-c => panic!("nobody sends before the select is over"),
                _ = <-c => panic!("nobody sends before the select is over"),
                v = <-d => assert_eq!(v, Some(7)),
            }
            e_tx.send(9).unwrap();
        });
        // So that A is queued first, then B behind it, more often than not.
        yields(3);
        let b = go!(c.recv());
        yields(3);
        d_tx.send(7).unwrap();
        assert_eq!(e.recv(), Some(9));
        c_tx.send(8).unwrap();
        assert_eq!(b.join().unwrap(), Some(8));
        a.join().unwrap();
    });
}

/// Go's test shrinks the stack of a sender while it is blocked. Stacks do not move here; the memory of a deep one may be
/// given back while its goroutine waits, and what it had on it must be there afterwards.
#[test]
fn test_shrink_stack_during_blocked_send() {
    // A value to send that lies on memory which was given back.
    let _turn = turn("test_shrink_stack_during_blocked_send");
    #[gaggle::growable]
    fn deep(n: usize) -> u64 {
        let room = std::hint::black_box([n as u64; 64]);
        if n == 0 { 0 } else { room[n % 64] - n as u64 + deep(n - 1) }
    }
    everywhere(scaled(50), || {
        let (tx, rx) = chan(0);
        let sums = Arc::new(Mutex::new(0));
        let sender = go!(clone sums; {
            for i in 0..10_usize {
                let on_the_stack = [i; 100];
                tx.send(on_the_stack).unwrap();
                *sums.lock().unwrap() += deep(1_000);
            }
        });
        for i in 0..10 {
            assert_eq!(rx.recv(), Some([i; 100]));
            yields(3);
        }
        sender.join().unwrap();
        assert_eq!(*sums.lock().unwrap(), 0);
    });
}
