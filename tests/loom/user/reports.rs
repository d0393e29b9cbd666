//! What the report of a failure says.

use super::{explore, fails, passes, says};
use gaggle::sync::{Barrier, Condvar, Mutex, RwLock, Semaphore, WaitGroup};
use gaggle::testing::FailureKind;
use gaggle::{chan, go, runtime, select, unbounded};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn a_deadlock_is_told_word_by_word() {
    // The wrong goroutine, the wrong channel or the wrong line: worse than no report.
    let line = line!() + 1;
    let failure = explore(|| {
        let (tx, rx) = chan::<u32>(0);
        let (_other, never) = chan::<u32>(1);
        let waiter = go!(name = "waiter"; { never.recv() });
        let sender = go!({
            let _keep = &rx;
            let _ = waiter.join();
        });
        tx.send(1).unwrap();
        drop(sender);
    });
    let at = |down: u32, column: u32| format!("tests/loom/user/reports.rs:{}:{column}", line + down);
    let expected = format!(
        "model: all goroutines are asleep - deadlock!\n\
         \n\
         goroutine 1 [chan send]:\n    \
             for the channel made at {}\n    \
             main, the model at {}\n\
         \n\
         goroutine 2 \"waiter\" [chan receive]:\n    \
             for the channel made at {}\n    \
             started at {}\n\
         \n\
         goroutine 3 [join]:\n    \
             for goroutine 2\n    \
             started at {}\n\
         \n\
         how it came to this:\n    \
             goroutine 1 (main) starts goroutine 2 \"waiter\"\n    \
             goroutine 1 (main) starts goroutine 3\n    \
             goroutine 1 (main) waits: chan send\n    \
             goroutine 2 \"waiter\" waits: chan receive\n    \
             goroutine 3 waits: join\n\
         \n\
         found in execution 1, with choice 1 of selects' arms",
        at(1, 24),
        at(0, 19),
        at(2, 31),
        at(3, 22),
        at(4, 22),
    );
    assert_eq!(failure.unwrap_err().to_string(), expected);
}

#[test]
fn every_kind_of_wait_names_its_object() {
    // "It hangs somewhere" is what one knew before.
    let report = |f: fn()| fails(FailureKind::Leak, f);
    let line = line!() + 3;
    #[rustfmt::skip]
    let waits: [fn(); 8] = [
        || drop(go!({ let m = Mutex::new(0); let _a = m.lock(); drop(m.lock()); })),
        || drop(go!({ let l = RwLock::new(0); let _a = l.write(); drop(l.read()); })),
        || drop(go!({ let (m, c) = (Mutex::new(0), Condvar::new()); drop(c.wait(m.lock().unwrap())); })),
        || drop(go!({ let wg = WaitGroup::new(); wg.add(1); wg.wait(); })),
        || drop(go!({ let s = Semaphore::new(1); s.acquire(1); s.acquire(1); })),
        || drop(go!({ Barrier::new(2).wait(); })),
        || drop(go!({ let (_a, b) = chan::<u8>(0); let (_c, d) = chan::<u8>(0); select! { <-b => (), <-d => () } })),
        || drop(go!({ select! {} })),
    ];
    let words = [
        ("sync.Mutex.Lock", "Mutex", 1),
        ("sync.RWMutex.RLock", "RwLock", 1),
        ("sync.Cond.Wait", "Condvar", 1),
        ("sync.WaitGroup.Wait", "WaitGroup", 1),
        ("semacquire", "Semaphore", 1),
        ("barrier wait", "Barrier", 1),
        ("select", "channel", 2),
        ("select (no cases)", "", 0),
    ];
    for (nth, (wait, (reason, object, places))) in waits.into_iter().zip(words).enumerate() {
        let report = report(wait);
        says(&report, &[&format!("goroutine 2 [{reason}]:")]);
        let place = format!("    for the {object} made at tests/loom/user/reports.rs:{}:", line + nth as u32);
        assert_eq!(report.lines().filter(|line| line.starts_with(&place)).count(), places, "{report}");
    }
}

#[test]
fn the_order_of_locks() {
    // The textbook deadlock, which a test hits once in a million runs.
    let report = fails(FailureKind::Deadlock, || {
        let locks = Arc::new((Mutex::new(()), Mutex::new(())));
        let theirs = locks.clone();
        let other = go!({
            let _b = theirs.1.lock().unwrap();
            let _a = theirs.0.lock().unwrap();
        });
        let _a = locks.0.lock().unwrap();
        let _b = locks.1.lock().unwrap();
        drop((_a, _b));
        other.join().unwrap();
    });
    says(&report, &["goroutine 1 [sync.Mutex.Lock]:", "goroutine 2 [sync.Mutex.Lock]:"]);
}

#[test]
fn two_that_leak() {
    // One leak hides another.
    let report = fails(FailureKind::Leak, || {
        let (tx, rx) = chan::<u32>(0);
        for _ in 0..2 {
            go!(clone tx, rx; { drop((rx.recv(), tx)) });
        }
    });
    says(&report, &["model: 2 goroutines leaked: main has returned, and they wait for ever"]);
}

#[test]
fn an_execution_without_end() {
    // A loop that polls and gives nobody a chance: the hint says what to do.
    let report = fails(FailureKind::Loom, || {
        let (tx, rx) = chan(1);
        go!(tx.send(1));
        while rx.try_recv().is_err() {}
    });
    assert!(report.starts_with("model: stopped by loom\n"), "{report}");
    assert!(report.contains("hint: the execution is too long, or endless."), "{report}");
    passes(|| {
        let (tx, rx) = chan(1);
        go!(tx.send(1));
        while rx.try_recv().is_err() {
            runtime::yield_now();
        }
    });
}

#[test]
fn a_model_that_depends_on_more_than_the_schedule() {
    // loom finds that out in the middle of an operation, and again in each destructor: the process aborts. The report
    // must have been printed by then.
    let aborted = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "user::reports::not_repeatable"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&aborted.stderr);
    assert!(!aborted.status.success());
    says(
        &stderr,
        &["model: stopped by loom", "Reached unexpected exploration state. Is the model fully deterministic?"],
    );
    assert!(stderr.contains("hint: two executions of the same schedule differed."), "{stderr}");
}

#[test]
#[ignore = "aborts; its parent is the test above"]
fn not_repeatable() {
    // See above.
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let _ = explore(|| {
        let (tx, rx) = unbounded();
        let other = go!(clone tx; { tx.send(1) });
        if RUNS.fetch_add(1, Ordering::Relaxed) & 1 == 0 {
            let _ = rx.try_recv();
        }
        tx.send(2).unwrap();
        other.join().unwrap().unwrap();
    });
}
