//! `src/runtime/proc_test.go`. `TestSchedLocalQueue` and `TestSchedLocalQueueSteal` are in `tests/properties.rs`, as
//! `ring_against_a_queue`: a run queue cannot be seen from outside.

use crate::support::{everywhere, everywhere_migrating, migrating, scaled, thread_number, turn, yields};
use gaggle::runtime::{lock_os_thread, num_goroutines, set_max_procs, yield_now};
use gaggle::time::sleep;
use gaggle::{Receiver, Sender, chan, go, select};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// A goroutine that polls and yields in turn, and everybody else.
fn yield_progress(locked: bool) {
    let ((tx, rx), (ack_tx, ack)) = (chan(0), chan(0));
    let poller = go!({
        let _guard = locked.then(lock_os_thread);
        loop {
            select! {
                _ = <-rx => break,
                default => yield_now(),
            }
        }
        ack_tx.send(()).unwrap();
    });
    yields(20);
    tx.send(()).unwrap();
    ack.recv().unwrap();
    poller.join().unwrap();
}

#[test]
fn test_yield_progress() {
    // A yield that comes back to the one who yields, for ever.
    let _turn = turn("test_yield_progress");
    everywhere(scaled(200), || yield_progress(false));
}

#[test]
fn test_yield_locked_progress() {
    // The same, of a goroutine that keeps its thread.
    let _turn = turn("test_yield_locked_progress");
    everywhere(scaled(200), || yield_progress(true));
}

/// In Go the thread ends with its goroutine, which does not unlock it; here the guard gives it back at the latest then.
#[test]
fn test_yield_locked() {
    // A locked goroutine that yields or sleeps and is not found again, or leaves its thread unusable.
    let _turn = turn("test_yield_locked");
    everywhere(scaled(50), || {
        let (tx, rx) = chan(0);
        go!({
            std::mem::forget(lock_os_thread());
            for _ in 0..10 {
                yield_now();
                sleep(Duration::from_micros(50));
            }
            tx.send(()).unwrap();
        });
        rx.recv().unwrap();
        go!({}).join().unwrap();
    });
}

type Party = Box<dyn FnOnce() + Send>;

/// `P` goroutines that count in turns, each spinning until the one before it has counted: all must run at once, since
/// none of them yields.
fn count_in_turns<const P: usize>(start: fn(Vec<Party>)) {
    let (done_tx, done) = chan(0);
    let x = Arc::new(AtomicUsize::new(0));
    let parties = (0..P).map(|p| -> Party {
        let (x, done_tx) = (x.clone(), done_tx.clone());
        Box::new(move || {
            for i in 0..3 {
                while x.load(SeqCst) != P * i + p {
                    // The processors of this machine may be fewer: that its threads take turns is the system's doing.
                    std::thread::yield_now();
                }
                x.fetch_add(1, SeqCst);
            }
            done_tx.send(()).unwrap();
        })
    });
    start(parties.collect());
    (0..P).for_each(|_| done.recv().unwrap());
}

/// Runs `f` in both modes, with `procs` processors.
fn with_procs(procs: usize, times: usize, f: fn()) {
    set_max_procs(procs);
    for _ in 0..times {
        gaggle::run(f);
        migrating(f);
    }
}

#[test]
fn test_goroutine_parallelism() {
    // A goroutine that waits behind one that spins, although a processor is idle.
    let _turn = turn("test_goroutine_parallelism");
    with_procs(4, scaled(200), || {
        count_in_turns::<4>(|parties| {
            for party in parties {
                go!(party());
            }
        });
    });
}

/// Go's second one starts them from other goroutines, after a load that has just ended.
#[test]
fn test_goroutine_parallelism2() {
    // An idle processor that is not woken because it, or its neighbour, was busy a moment ago.
    let _turn = turn("test_goroutine_parallelism2");
    with_procs(4, scaled(200), || {
        count_in_turns::<4>(|parties| parties.into_iter().for_each(|party| drop(go!(party()))));
        count_in_turns::<4>(|mut parties| {
            while let (Some(a), Some(b)) = (parties.pop(), parties.pop()) {
                go!({
                    go!(a());
                    go!(b());
                });
            }
        });
    });
}

#[test]
fn test_block_locked() {
    // A locked goroutine that blocks on each send, and is woken on another thread, or not at all.
    let _turn = turn("test_block_locked");
    everywhere(scaled(200), || {
        let (tx, rx) = chan(0);
        let sender = go!({
            let _guard = lock_os_thread();
            let here = thread_number();
            for i in 0..10 {
                tx.send(i).unwrap();
                assert_eq!(thread_number(), here);
            }
        });
        assert!(rx.iter().eq(0..10));
        sender.join().unwrap();
    });
}

/// Two goroutines that keep each other busy until a timer goes off.
#[test]
fn test_timer_fairness() {
    // A timer that never goes off, or whose value nobody gets to receive, while others are always runnable.
    let _turn = turn("test_timer_fairness");
    everywhere(scaled(20), || {
        let ((c_tx, c), (done_tx, done)) = (chan(0), chan::<()>(0));
        let hogs = [0, 1].map(|_| {
            go!(clone c_tx, done; {
                loop {
                    select! {
                        c_tx <- () => {},
                        _ = <-done => break,
                    }
                }
            })
        });
        let timer = gaggle::time::after(Duration::from_millis(2));
        loop {
            select! {
                _ = <-c => {},
                _ = <-timer => break,
            }
        }
        drop(done_tx);
        hogs.into_iter().for_each(|hog| hog.join().unwrap());
    });
}

/// One of two that pass a turn to and fro, and work for a while each time it is theirs.
fn work_in_turns(limit: u64, counter: &AtomicU64, (wake_tx, wake): (Sender<()>, Receiver<()>), done: &Receiver<()>) {
    loop {
        select! {
            _ = <-done => return,
            _ = <-wake => {
                for _ in 0..limit {
                    std::hint::black_box(counter.fetch_add(1, SeqCst));
                }
            }
        }
        select! {
            _ = <-done => return,
            wake_tx <- () => {},
        }
    }
}

/// Go stops after 100 ms and compares the counts; this one stops when the hogs have had fifty turns.
#[test]
fn b15_test_ping_pong_hog() {
    // Two that wake each other keep the processor between them, and everybody else from it.
    let _turn = turn("b15_test_ping_pong_hog");
    const HOG: u64 = 200_000;
    let hogs_and_others = || {
        let (done_tx, done) = chan::<()>(0);
        let counts: [_; 2] = std::array::from_fn(|_| Arc::new(AtomicU64::new(0)));
        let mut parties = Vec::new();
        for (limit, count) in [HOG, 1_000].into_iter().zip(&counts) {
            let (wake_tx, wake) = chan(0);
            for _ in 0..2 {
                let (count, wake, done) = (count.clone(), (wake_tx.clone(), wake.clone()), done.clone());
                parties.push(go!({ work_in_turns(limit, &count, wake, &done) }));
            }
            wake_tx.send(()).unwrap();
        }
        while counts[0].load(SeqCst) < 50 * HOG {
            yield_now();
        }
        drop(done_tx);
        parties.into_iter().for_each(|party| party.join().unwrap());
        let [hog, light] = counts.map(|count| count.load(SeqCst));
        // Half the time each, were it cut finely; but a hog's turn is never cut here, and a turn of main lies between.
        // Starved they would have had one turn.
        assert!(light >= 20 * 1_000, "hogs counted to {hog}, the others to {light}");
    };
    // Go's mode: of a pair whose members are at home on two threads (where the monitor took the processor away between
    // their first runs, on a busy machine) each turn costs a turn of the one processor.
    set_max_procs(1);
    (0..scaled(10)).for_each(|_| migrating(hogs_and_others));
}

/// Go compares the number with the goroutines in a dump of all stacks.
#[test]
fn test_num_goroutine() {
    // Goroutines counted that have ended, or not counted that wait.
    let _turn = turn("test_num_goroutine");
    everywhere(scaled(50), || {
        let before = num_goroutines();
        let (tx, rx) = chan::<()>(0);
        let waiting: Vec<_> = (0..20).map(|_| go!(clone rx; rx.recv())).collect();
        assert_eq!(num_goroutines(), before + 20);
        yields(20);
        assert_eq!(num_goroutines(), before + 20);
        drop(tx);
        waiting.into_iter().for_each(|g| assert_eq!(g.join().unwrap(), None));
        assert_eq!(num_goroutines(), before);
    });
}

/// Go looks at the counts of nested locks; here there are guards, and whether the goroutine still has its thread shows.
#[test]
fn test_lock_os_thread_nesting() {
    // An inner unlock that unlocks, or a last one that does not.
    let _turn = turn("test_lock_os_thread_nesting");
    everywhere_migrating(scaled(100), || {
        let (busy_tx, busy) = chan::<()>(0);
        let noise: Vec<_> = (0..4)
            .map(|_| {
                go!(clone busy; {
                    while busy.try_recv().err() != Some(gaggle::TryRecvError::Closed) {
                        yield_now();
                    }
                })
            })
            .collect();
        go!({
            let outer = lock_os_thread();
            let here = thread_number();
            drop(lock_os_thread());
            for _ in 0..20 {
                yield_now();
                assert_eq!(thread_number(), here, "the outer lock went with the inner one");
            }
            drop(outer);
            // Locked still, the thread would take nobody else, and with all threads so the process would stop.
            yields(5);
        })
        .join()
        .unwrap();
        drop(busy_tx);
        noise.into_iter().for_each(|g| g.join().unwrap());
    });
}
