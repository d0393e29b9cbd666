//! `strict_procs`: goroutines that compute for long take turns. One test at a time, in a process that has the setting.
//!
//! A test of this file that fails because somebody never has a turn does not assert: it hangs.

#![cfg(target_os = "linux")]

use gaggle::{go, runtime, time};
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

mod support;
use support::{Turn, migrating};

/// Keeps the other tests away, and sets the number of processors.
fn alone_with(procs: usize) -> Turn {
    static START: Once = Once::new();
    START.call_once(|| runtime::Builder::new().strict_procs(true).warn_blocked(false).start().unwrap());
    support::alone_with(procs)
}

/// What the whole process, or the calling thread, has used.
fn usage(who: libc::c_int) -> libc::rusage {
    // SAFETY: plain numbers, all of which the call fills in.
    unsafe {
        let mut usage = std::mem::zeroed();
        assert_eq!(libc::getrusage(who, &mut usage), 0);
        usage
    }
}

fn cpu_time() -> Duration {
    let usage = usage(libc::RUSAGE_SELF);
    let one = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    one(usage.ru_utime) + one(usage.ru_stime)
}

/// How often the calling thread has gone to sleep.
fn sleeps() -> i64 {
    usage(libc::RUSAGE_THREAD).ru_nvcsw
}

fn compute_for(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        black_box(until);
    }
}

/// Goroutines that call `work` until they are told to end.
struct Hogs {
    done: Arc<AtomicBool>,
    rounds: Arc<[AtomicU64]>,
    all: Vec<gaggle::JoinHandle<()>>,
}

impl Hogs {
    fn start(n: usize, work: impl Fn() + Clone + Send + 'static) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let rounds: Arc<[AtomicU64]> = (0..n).map(|_| AtomicU64::new(0)).collect();
        let hog = |hog: usize| {
            go!(clone done, rounds, work; {
                while !done.load(Ordering::Relaxed) {
                    work();
                    rounds[hog].fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let all = (0..n).map(hog).collect();
        Self { done, rounds, all }
    }

    /// Until each of them has come so many rounds further, beside a ticker; how often that one ticked.
    fn all_go_on(&self, rounds: u64) -> u32 {
        let goals: Vec<_> = self.rounds.iter().map(|n| n.load(Ordering::Relaxed) + rounds).collect();
        let mut ticks = 0;
        while self.rounds.iter().zip(&goals).any(|(n, goal)| n.load(Ordering::Relaxed) < *goal) {
            time::sleep(Duration::from_millis(10));
            ticks += 1;
        }
        ticks
    }

    fn end(self) {
        self.done.store(true, Ordering::Relaxed);
        self.all.into_iter().for_each(|g| g.join().unwrap());
    }
}

fn count() {
    (0..1000).for_each(|n| _ = black_box(n));
}

#[test]
fn no_more_run_than_there_are_processors() {
    // A setting that pauses nobody: on a machine with two CPUs the hogs use both of them.
    let _alone = alone_with(1);
    migrating(|| {
        let hogs = Hogs::start(4, count);
        hogs.all_go_on(1000);
        let (start, cpu) = (Instant::now(), cpu_time());
        while start.elapsed() < Duration::from_secs(2) {
            hogs.all_go_on(10);
        }
        let (passed, used) = (start.elapsed(), cpu_time() - cpu);
        hogs.end();
        // A tenth more is allowed, and the monitor, the clock and the ticker need their part.
        assert!(used < passed.mul_f64(1.35), "{used:?} of CPU time in {passed:?}");
    });
}

#[test]
fn everybody_has_a_turn() {
    // One that rests for ever: the processor stays with the last of them, or with goroutines that switch all the time.
    for procs in [1, 2] {
        let _alone = alone_with(procs);
        migrating(move || {
            let hogs = Hogs::start(3 * procs, count);
            for _ in 0..5 {
                assert!(hogs.all_go_on(100) > 0);
            }
            // These keep all processors, and none of them for long.
            let switching = Arc::new(AtomicBool::new(true));
            let pairs: Vec<_> = (0..2 * procs)
                .map(|_| {
                    go!(clone switching; {
                        while switching.load(Ordering::Relaxed) {
                            count();
                            runtime::yield_now();
                        }
                    })
                })
                .collect();
            for _ in 0..3 {
                hogs.all_go_on(1);
            }
            switching.store(false, Ordering::Relaxed);
            pairs.into_iter().for_each(|g| g.join().unwrap());
            hogs.end();
        });
    }
}

#[test]
fn pinned_goroutines_take_turns_too() {
    // Those on one thread wait for that thread's turn, and nobody gives it one.
    let _alone = alone_with(1);
    gaggle::run(|| {
        let turns = Arc::new(AtomicU64::new(0));
        // Its own thread is kept by others for as long as they compute.
        let all: Vec<_> = (0..4)
            .map(|_| {
                go!(clone turns; {
                    for _ in 0..5 {
                        compute_for(Duration::from_millis(15));
                        turns.fetch_add(1, Ordering::Relaxed);
                        runtime::yield_now();
                    }
                })
            })
            .collect();
        all.into_iter().for_each(|g| g.join().unwrap());
        assert_eq!(turns.load(Ordering::Relaxed), 20);
    });
}

#[test]
fn who_holds_a_lock_has_its_turn() {
    // The holder rests, and everybody else waits for it: in the kernel, or turning round and round.
    let _alone = alone_with(1);
    migrating(|| {
        let mutex = Arc::new(Mutex::new(0_u64));
        let hogs = Hogs::start(4, {
            let mutex = mutex.clone();
            move || {
                let mut guard = mutex.lock().unwrap();
                compute_for(Duration::from_millis(15));
                *guard += 1;
                drop(guard);
                // Nothing else makes std's lock go to somebody else.
                compute_for(Duration::from_millis(15));
            }
        });
        let spinning = Hogs::start(2, move || {
            let guard = loop {
                match mutex.try_lock() {
                    Ok(guard) => break guard,
                    Err(_) => black_box(()),
                }
            };
            assert!(*guard < u64::MAX);
        });
        hogs.all_go_on(1);
        spinning.all_go_on(1);
        hogs.end();
        spinning.end();
    });
}

#[test]
fn a_thread_of_its_own_never_rests() {
    // A thread that draws, or plays sound, and stands still because others compute.
    let _alone = alone_with(1);
    migrating(|| {
        let slept = |locked: bool| {
            let hogs = Hogs::start(3, count);
            let slept = go!({
                let _thread = locked.then(runtime::lock_os_thread);
                compute_for(Duration::from_millis(50));
                let before = sleeps();
                // It has lost its processor by now: nothing but the setting stops it.
                compute_for(Duration::from_millis(500));
                sleeps() - before
            });
            let slept = slept.join().unwrap();
            hogs.end();
            slept
        };
        assert_eq!(slept(true), 0);
        // The same without: else this test says nothing.
        while slept(false) == 0 {}
    });
}

/// Hogs that allocate and print, as fast as they can.
fn allocate_and_print() {
    let _alone = alone_with(1);
    migrating(|| {
        let hogs = Hogs::start(4, || {
            let lines: Vec<_> = (0..50).map(|n| format!("{:>1$}", n, n * 40)).collect();
            println!("{}", lines.concat().len());
        });
        for _ in 0..10 {
            hogs.all_go_on(10);
            // The main one wants the same locks.
            println!("{}", vec![0; 100_000].len());
        }
        hogs.end();
    });
}

#[test]
fn b24_hogs_that_allocate_and_print_go_on() {
    // Paused while they hold the lock of the heap, or of standard output: the program stands still.
    const NAME: &str = "b24_hogs_that_allocate_and_print_go_on";
    if std::env::var_os("GAGGLE_TEST_PROGRAM").is_some() {
        return allocate_and_print();
    }
    let me = std::env::current_exe().unwrap();
    // What it prints goes nowhere, so the harness cannot say there that it ran nothing.
    let listed = Command::new(&me).args([NAME, "--exact", "--list"]).output().unwrap();
    assert_eq!(listed.stdout.strip_prefix(NAME.as_bytes()).map(|rest| &rest[..7]), Some(&b": test\n"[..]));
    let mut command = Command::new(me);
    command.args([NAME, "--exact", "--nocapture"]).env("GAGGLE_TEST_PROGRAM", NAME).stdout(Stdio::null());
    assert!(command.status().unwrap().success());
}
