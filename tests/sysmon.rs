//! The monitor: a goroutine that computes without end, or sits in a system call, keeps its thread and not the others.
//!
//! One test at a time, since each one sets the number of processors for the whole process. A test of this file that
//! fails by starvation does not assert: it hangs, as the starved goroutine never runs, until `alone_with` ends it.

#![cfg(target_os = "linux")]

use gaggle::{chan, checkpoint, go, runtime, time};
use std::hint::black_box;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

mod support;
use support::{alone_with, migrating};

/// Runs the test of this name again in a process of its own, with `GAGGLE_TEST_PROGRAM` set; returns what it wrote to
/// standard error, without the lines of the harness.
fn alone(test: &str, env: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env("GAGGLE_TEST_PROGRAM", test);
    let ended = command.envs(env.iter().copied()).env_remove("GAGGLE_PROCS").output().unwrap();
    support::assert_was_there(&ended);
    assert!(ended.status.success(), "{ended:?}");
    String::from_utf8(ended.stderr).unwrap()
}

fn is_program() -> bool {
    std::env::var_os("GAGGLE_TEST_PROGRAM").is_some()
}

/// Computes until `done`, and asks nobody.
fn compute(done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        for n in 0..1000 {
            black_box(n);
        }
    }
}

/// Sits in system calls until `done`.
fn sit(done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A flag that ends hogs, also when the test fails.
#[derive(Clone, Default)]
struct Done(Arc<AtomicBool>);

impl Drop for Done {
    fn drop(&mut self) {
        if Arc::strong_count(&self.0) == 1 || std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

impl Done {
    fn say(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn new_goroutines_run_beside_hogs() {
    // What a hog has on its processor waits until it parks: for ever.
    for procs in [1, 2] {
        for hog in [compute, sit] {
            let _alone = alone_with(procs);
            let done = Done::default();
            // From a plain thread: a pinned goroutine may be at home on a hog's thread.
            let (started, starts) = chan(0);
            let hogs: Vec<_> = (0..3)
                .map(|_| {
                    go!(clone done, started; {
                        started.send(()).unwrap();
                        hog(&done.0)
                    })
                })
                .collect();
            for _ in 0..3 {
                starts.recv().unwrap();
            }
            for n in 0..50 {
                assert_eq!(go!({ n }).join().unwrap(), n);
            }
            done.say();
            hogs.into_iter().for_each(|g| g.join().unwrap());
        }
    }
}

#[test]
fn a_migrating_goroutine_wakes_up_beside_hogs() {
    // One that has run, and waits: it goes on wherever there is a thread, however many others are kept.
    for hog in [compute, sit] {
        let _alone = alone_with(1);
        migrating(move || {
            let done = Done::default();
            let hogs: Vec<_> = (0..4).map(|_| go!(clone done; { hog(&done.0) })).collect();
            for _ in 0..20 {
                time::sleep(Duration::from_millis(1));
            }
            done.say();
            hogs.into_iter().for_each(|g| g.join().unwrap());
        });
    }
}

#[test]
fn what_hogs_do_without_a_processor_is_not_lost() {
    // Started, woken, joined and freed by a goroutine whose processor is gone: each of them by another way.
    for procs in [1, 2, 8] {
        let _alone = alone_with(procs);
        for body in [gaggle::run, migrating] {
            body(|| {
                let hogs: Vec<_> = (0..4)
                    .map(|hog| {
                        go!({
                            for round in 0..10 {
                                let (tx, rx) = chan(1);
                                let until = Instant::now() + Duration::from_millis(13);
                                let echo = go!({ rx.recv().map(|n: u64| n + 1) });
                                while Instant::now() < until {
                                    black_box(hog);
                                }
                                // By now its processor has been taken, most often.
                                let inner: Vec<_> = (0..20).map(|n| go!(name = "inner", pinned; { n })).collect();
                                tx.send(round).unwrap();
                                if hog % 2 == 0 {
                                    runtime::yield_now();
                                }
                                assert_eq!(echo.join().unwrap(), Some(round + 1));
                                assert_eq!(inner.into_iter().map(|g| g.join().unwrap()).sum::<u64>(), 190);
                            }
                        })
                    })
                    .collect();
                hogs.into_iter().for_each(|g| g.join().unwrap());
            });
        }
    }
    let _alone = alone_with(2);
    // Nobody is counted twice, or never.
    while runtime::num_goroutines() != 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_hog_that_asks_yields_without_its_processor_too() {
    // A checkpoint whose mark nobody sets, or that leaves a worker without a processor where it was.
    let _alone = alone_with(1);
    for body in [gaggle::run, migrating] {
        body(|| {
            let left = Arc::new(AtomicUsize::new(2));
            let mut hogs = vec![go!(clone left; {
                // Asks all the time: without an answer the others never run, where this is their home.
                while left.load(Ordering::Relaxed) != 0 {
                    checkpoint();
                }
            })];
            for stretch in [5, 25] {
                hogs.push(go!(clone left; {
                    for _ in 0..5 {
                        // So long that the processor is gone, most often, before it asks.
                        let until = Instant::now() + Duration::from_millis(stretch);
                        while Instant::now() < until {
                            black_box(stretch);
                        }
                        checkpoint();
                    }
                    left.fetch_sub(1, Ordering::Relaxed);
                }));
            }
            hogs.into_iter().for_each(|g| g.join().unwrap());
        });
    }
}

#[test]
fn b29_a_guard_held_across_a_park_blocks_threads_and_not_the_others() {
    // Neighbours that wait for a std mutex keep all processors, and its holder cannot come back to unlock it.
    let _alone = alone_with(2);
    migrating(|| {
        let mutex = Arc::new(Mutex::new(0));
        let (tx, rx) = chan::<()>(0);
        let (locked, is_locked) = chan::<()>(0);
        let holder = go!(clone mutex; {
            // A migrating goroutine may not, as its guard would be dropped on another thread: so it stays.
            let _thread = runtime::lock_os_thread();
            let mut guard = mutex.lock().unwrap();
            locked.send(()).unwrap();
            rx.recv().unwrap();
            *guard += 1;
        });
        is_locked.recv().unwrap();
        let waiters: Vec<_> = (0..6).map(|_| go!(clone mutex; { *mutex.lock().unwrap() += 1 })).collect();
        // All threads are blocked soon, but for what the monitor does.
        for _ in 0..10 {
            time::sleep(Duration::from_millis(3));
        }
        tx.send(()).unwrap();
        holder.join().unwrap();
        waiters.into_iter().for_each(|g| g.join().unwrap());
        assert_eq!(*mutex.lock().unwrap(), 7);
    });
}

#[test]
fn a_park_while_panicking_gives_the_processor_to_others() {
    // The only processor stays with a thread whose goroutine waits in a destructor.
    struct Waits(gaggle::Receiver<()>);
    impl Drop for Waits {
        fn drop(&mut self) {
            assert!(std::thread::panicking());
            let until = Instant::now() + Duration::from_millis(30);
            while Instant::now() < until {
                black_box(());
            }
            assert_eq!(self.0.recv(), Some(()));
            assert!(std::thread::panicking(), "it went on on another thread");
        }
    }
    let _alone = alone_with(1);
    migrating(|| {
        let (tx, rx) = chan(0);
        let panics = go!({
            let _waits = Waits(rx);
            std::panic::resume_unwind(Box::new(()));
        });
        let other = go!({
            assert!(!std::thread::panicking());
            tx.send(()).unwrap();
            assert!(!std::thread::panicking());
        });
        other.join().unwrap();
        panics.join().unwrap_err();
    });
}

/// A goroutine named "keeper" that keeps its thread as `keep` does while one at home there waits, several times over.
fn keep_a_thread(keep: fn(&AtomicBool)) {
    runtime::set_max_procs(1);
    for _ in 0..3 {
        let (tx, rx) = chan::<()>(0);
        let woken = Done::default();
        let waits = go!(clone woken; {
            // At home here, like all that run on the only thread.
            rx.recv();
            woken.say();
        });
        let keeper = go!(name = "keeper", clone woken; {
            // Now both have run. From outside: the goroutine is woken, and its thread is kept.
            std::thread::spawn(move || drop(tx)).join().unwrap();
            let until = Instant::now() + Duration::from_secs(1);
            let over = AtomicBool::new(false);
            while Instant::now() < until && !woken.0.load(Ordering::Relaxed) {
                keep(&over);
            }
        });
        keeper.join().unwrap();
        waits.join().unwrap();
    }
}

fn compute_a_moment(_: &AtomicBool) {
    (0..1000).for_each(|n| _ = black_box(n));
}

fn block_a_moment(_: &AtomicBool) {
    std::thread::sleep(Duration::from_millis(300));
}

#[test]
fn a_computing_goroutine_that_keeps_its_thread_is_named_once() {
    // Others wait for its thread, and nobody says for whom.
    if is_program() {
        return keep_a_thread(compute_a_moment);
    }
    let said = alone("a_computing_goroutine_that_keeps_its_thread_is_named_once", &[]);
    let lines: Vec<_> = said.lines().collect();
    let [line] = lines[..] else { panic!("{lines:#?}") };
    assert!(
        line.starts_with("gaggle: goroutine ") && line.contains("\"keeper\" (started at tests/sysmon.rs:"),
        "{line}"
    );
    assert!(line.contains(" ms, computing; 1 goroutine at home there waits, first "), "{line}");
    assert!(line.contains("use #[gaggle::preemptible] or gaggle::checkpoint()"), "{line}");
    assert!(line.ends_with("gaggle::runtime::blocking"), "{line}");
}

#[test]
fn b29_a_blocked_goroutine_that_keeps_its_thread_is_named_once() {
    // A std guard held across a park, or a long system call: the program stands still without a word.
    if is_program() {
        return keep_a_thread(block_a_moment);
    }
    let said = alone("b29_a_blocked_goroutine_that_keeps_its_thread_is_named_once", &[]);
    let lines: Vec<_> = said.lines().collect();
    let [line] = lines[..] else { panic!("{lines:#?}") };
    assert!(line.contains(" ms, blocked; 1 goroutine at home there waits, first "), "{line}");
    assert!(line.contains("use gaggle::sync::Mutex; else make the call in gaggle::runtime::blocking"), "{line}");
}

#[test]
fn who_wants_no_warning_gets_none() {
    // A program whose standard error is read by others.
    if is_program() {
        return keep_a_thread(block_a_moment);
    }
    assert_eq!(alone("who_wants_no_warning_gets_none", &[("GAGGLE_WARN", "0")]), "");
}

/// The most threads of this process until `done`.
fn count_threads(done: Done) -> std::thread::JoinHandle<usize> {
    std::thread::spawn(move || {
        let mut most = 0;
        while !done.0.load(Ordering::Relaxed) {
            most = most.max(std::fs::read_dir("/proc/self/task").unwrap().count());
            std::thread::sleep(Duration::from_millis(5));
        }
        most
    })
}

#[test]
fn ten_thousand_hogs_do_not_become_thousands_of_threads() {
    // Each goroutine that computes for 50 ms gets a thread for itself.
    if is_program() {
        runtime::set_max_procs(2);
        let (all, enough) = (Arc::new(AtomicUsize::new(0)), Done::default());
        let counter = count_threads(enough.clone());
        migrating({
            let enough = enough.clone();
            move || {
                let until = Instant::now() + Duration::from_secs(4);
                let crowd: Vec<_> = (0..10_000)
                    .map(|_| {
                        go!(clone all; {
                            // Fifty milliseconds of a CPU each, on whatever machine, until time is up.
                            let mut used = Duration::ZERO;
                            while used < Duration::from_millis(50) && Instant::now() < until {
                                let before = cpu_time();
                                (0..10_000).for_each(|n| _ = black_box(n));
                                used += cpu_time() - before;
                            }
                            all.fetch_add(1, Ordering::Relaxed);
                        })
                    })
                    .collect();
                crowd.into_iter().for_each(|g| g.join().unwrap());
                assert_eq!(all.load(Ordering::Relaxed), 10_000);
                enough.say();
            }
        });
        return eprintln!("{}", counter.join().unwrap());
    }
    let said = alone("ten_thousand_hogs_do_not_become_thousands_of_threads", &[("GAGGLE_WARN", "0")]);
    let most: usize = said.trim().parse().unwrap();
    // Some 25 on a machine of its own; a crowded one lets everybody compute more slowly.
    assert!(most < 150, "{most} threads");
}

fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one timespec, which lives on this frame.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) }, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// How late somebody is who wants to run every ten milliseconds: the median, and how often it did.
fn lateness(ticks: u32, sleep: fn(Duration)) -> (Duration, usize) {
    let period = Duration::from_millis(10);
    let start = Instant::now();
    let late = (1..=ticks).map(|n| {
        let due = start + period * n;
        sleep(due.saturating_duration_since(Instant::now()));
        due.elapsed()
    });
    let mut late: Vec<_> = late.collect();
    late.sort();
    (late[late.len() / 2], late.len())
}

#[test]
fn endless_hogs_do_not_keep_a_ticker_late() {
    // One processor, four hogs: a goroutine that wants to run every ten milliseconds gets its turn after theirs.
    let _alone = alone_with(1);
    migrating(|| {
        let done = Done::default();
        let hogs: Vec<_> = (0..4).map(|_| go!(clone done; { compute(&done.0) })).collect();
        // Until each of them has lost the processor once.
        for _ in 0..20 {
            time::sleep(Duration::from_millis(1));
        }
        // A plain thread beside it tells how crowded the machine is.
        let thread = std::thread::spawn(|| lateness(200, std::thread::sleep));
        let (median, _) = lateness(200, time::sleep);
        let (usual, _) = thread.join().unwrap();
        done.say();
        hogs.into_iter().for_each(|g| g.join().unwrap());
        // Go's is above 10 ms on a machine of its own, where ours is 0.1.
        assert!(median < Duration::from_millis(5) + usual * 4, "{median:?}, and {usual:?} without goroutines");
    });
}

#[test]
fn system_calls_do_not_keep_a_thousand_tickers_late() {
    // Eight goroutines sit in a system call on two processors, and everybody else sits there with them.
    let _alone = alone_with(2);
    migrating(|| {
        let sleepers: Vec<_> = (0..8).map(|_| go!(std::thread::sleep(Duration::from_secs(1)))).collect();
        // As many as an unoptimised program can serve, beside other tests.
        let many = if cfg!(debug_assertions) { 200 } else { 1000 };
        let tickers: Vec<_> = (0..many).map(|_| go!({ lateness(100, time::sleep) })).collect();
        let mut medians: Vec<_> = tickers.into_iter().map(|g| g.join().unwrap()).collect();
        assert!(medians.iter().all(|(_, ticks)| *ticks == 100));
        medians.sort();
        // Without the monitor all of them would stand still for four seconds.
        let (typical, _) = medians[many / 2];
        assert!(typical < Duration::from_millis(250), "{typical:?}");
        sleepers.into_iter().for_each(|g| g.join().unwrap());
    });
}
