//! Everything that a program may use.

use super::{fails, outcomes, passes, says};
use gaggle::sync::{Barrier, Condvar, Mutex, Once, OnceLock, RwLock, Semaphore, WaitGroup};
use gaggle::testing::FailureKind;
use gaggle::{chan, go, runtime, select, task, unbounded};
use std::sync::Arc;

fn double(n: u32) -> u32 {
    2 * n
}

#[test]
fn all_forms_of_go() {
    // A form that does not compile under loom, or runs something else.
    passes(|| {
        let n = 1;
        assert_eq!(go!(double(n)).join().unwrap(), 2);
        assert_eq!(go!(|| double(n + 1)).join().unwrap(), 4);
        assert_eq!(go!({ double(n) + 1 }).join().unwrap(), 3);
        let text = String::from("hello");
        assert_eq!(go!(text.len()).join().unwrap(), 5);
    });
    passes(|| {
        let word = Arc::new(String::from("hello"));
        let all = go!(name = format!("worker {}", 1), stack = 1 << 20, pinned, clone word; word.len());
        assert_eq!((all.id().get(), all.join().unwrap()), (2, 5));
        assert_eq!(task::Builder::new().name("two").spawn(runtime::id).unwrap().join().unwrap().unwrap().get(), 3);
        assert_eq!(runtime::id().map(gaggle::Id::get), Some(1));
        assert_eq!((runtime::num_goroutines(), gaggle::run(|| 7)), (1, 7));
        let error = task::Builder::new().stack_size(0).spawn(|| ()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    });
}

#[test]
fn no_more_than_five() {
    // loom's own words are an assertion about its insides.
    passes(|| (0..4).for_each(|_| drop(go!({}))));
    let report = fails(FailureKind::Panic, || (0..5).for_each(|_| drop(go!({}))));
    says(
        &report,
        &["cannot start a goroutine: a model has room for 5 of them, main and those that have ended included"],
    );
}

#[test]
fn a_deep_frame() {
    // 32 KiB of stack, which loom gives to a thread, are not enough for a user's main.
    passes(|| {
        let frame = std::hint::black_box([1u8; 200 << 10]);
        assert_eq!(go!(stack = 8 << 20; { std::hint::black_box([1u8; 4 << 20]).len() }).join().unwrap(), 4 << 20);
        assert_eq!(frame.len(), 200 << 10);
    });
}

#[gaggle::test]
fn under_the_attribute() -> Result<(), gaggle::SendError<u32>> {
    // `#[gaggle::test]` does not compile under loom, or runs outside of a model.
    let (tx, rx) = chan(0);
    let sender = go!(tx.send(1));
    assert_eq!(rx.recv(), Some(1));
    sender.join().unwrap()
}

#[gaggle::test]
#[should_panic(expected = "main returned")]
fn an_error_fails_the_attribute() -> Result<(), u32> {
    // A test that returns an error is green.
    Err(1)
}

#[gaggle::growable]
fn depth(n: u32) -> u32 {
    if n == 0 { 0 } else { 1 + depth(n - 1) }
}

#[gaggle::preemptible]
fn count(n: u32) -> u32 {
    let mut steps = 0;
    while steps < n {
        steps += 1;
    }
    steps
}

#[test]
fn the_other_attributes() {
    // They name paths that a model must have.
    passes(|| assert_eq!((depth(10), count(10)), (10, 10)));
}

#[test]
fn a_group_of_workers() {
    // The everyday program: jobs, results, a group that closes.
    passes(|| {
        let ((jobs, queue), (tx, results)) = (chan(2), chan(2));
        let wg = WaitGroup::new();
        for _ in 0..2 {
            let (queue, tx) = (queue.clone(), tx.clone());
            wg.go(move || queue.iter().for_each(|n: u32| tx.send(double(n)).unwrap()));
        }
        drop((queue, tx));
        jobs.send(1).unwrap();
        jobs.send(2).unwrap();
        drop(jobs);
        wg.wait();
        assert_eq!(results.iter().sum::<u32>(), 6);
    });
}

#[test]
fn once_and_once_lock() {
    // Made twice, or seen half made.
    passes(|| {
        let made = Arc::new((Once::new(), OnceLock::new(), Mutex::new(0)));
        let make = |made: &(Once, OnceLock<u32>, Mutex<u32>)| {
            made.0.call_once(|| *made.2.lock().unwrap() += 1);
            *made.1.get_or_init(|| *made.2.lock().unwrap())
        };
        let other = go!(clone made; { make(&made) });
        assert_eq!((make(&made), other.join().unwrap()), (1, 1));
    });
}

#[test]
fn readers_a_condition_and_a_barrier() {
    // Two values that change together, seen apart.
    passes(|| {
        let pair = Arc::new(RwLock::new((0, 0)));
        let writer = go!(clone pair; { *pair.write().unwrap() = (1, 1) });
        let seen = *pair.read().unwrap();
        assert_eq!(seen.0, seen.1);
        writer.join().unwrap();
    });
    passes(|| {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        go!(clone shared; {
            *shared.0.lock().unwrap() = true;
            shared.1.notify_all();
        });
        let ready = shared.0.lock().unwrap();
        assert!(*shared.1.wait_while(ready, |ready| !*ready).unwrap());
    });
    let (leaders, _) = outcomes(|| {
        let barrier = Arc::new(Barrier::new(2));
        let other = go!(clone barrier; { barrier.wait().is_leader() });
        let mine = barrier.wait().is_leader();
        assert!(mine != other.join().unwrap());
        mine
    });
    assert!(leaders.into_iter().eq([false, true]));
}

#[test]
fn permits_and_a_scope() {
    // More inside than there are permits; a scope that returns before its goroutines.
    passes(|| {
        let (semaphore, inside) = (Semaphore::new(1), Mutex::new(0));
        let work = || {
            let _permit = semaphore.permit(1);
            let before = std::mem::replace(&mut *inside.lock().unwrap(), 1);
            assert_eq!(before, 0);
            *inside.lock().unwrap() = 0;
        };
        gaggle::scope(|s| {
            s.go(work);
            work();
        });
        assert_eq!(*inside.lock().unwrap(), 0);
    });
}

#[test]
fn atomics_come_from_loom() {
    // A user's own flag: with the orderings as they are, the value is there when the flag is.
    use gaggle::testing::loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    let publish = |ordering: Ordering| {
        move || {
            let shared = Arc::new((AtomicBool::new(false), AtomicU32::new(0)));
            let writer = go!(clone shared; {
                shared.1.store(7, Ordering::Relaxed);
                shared.0.store(true, ordering);
            });
            if shared.0.load(Ordering::Acquire) {
                assert_eq!(shared.1.load(Ordering::Relaxed), 7);
            }
            writer.join().unwrap();
        }
    };
    passes(publish(Ordering::Release));
    fails(FailureKind::Panic, publish(Ordering::Relaxed));
}

#[test]
fn what_is_left_in_channels_is_dropped() {
    // Values in a buffer, in a lost race, or in the result of a detached goroutine: loom reports an `Arc` that leaks.
    use gaggle::testing::loom::sync::Arc as Counted;
    passes(|| {
        let value = Counted::new(1);
        let (tx, rx) = unbounded();
        let theirs = value.clone();
        go!(clone tx, value; {
            let _ = tx.send(value);
            theirs
        });
        let _ = tx.send(value.clone());
        select! {
            v = <-rx => drop(v),
            default => (),
        }
        drop(rx);
        assert_eq!(tx.send(value).map_err(|back| *back.0), Err(1));
    });
    let report = fails(FailureKind::Loom, || std::mem::forget(Counted::new(1)));
    assert!(report.contains("hint: a loom `Arc`, or a `WaitGroup`, is still alive at the end"), "{report}");
}
