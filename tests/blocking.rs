//! `runtime::blocking`: what runs on pool threads, and who goes on meanwhile.

use gaggle::{chan, go, goroutine_local, runtime};
use std::cell::Cell;
use std::io::{BufRead, BufReader, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

mod support;
#[cfg(target_os = "linux")]
#[path = "support/threads.rs"]
mod threads;
use support::{everywhere, scaled, turn};

#[test]
fn the_closure_borrows_and_the_result_comes_back() {
    // A result that is lost, dropped twice, or written where the caller's frame was.
    let _turn = turn("the_closure_borrows_and_the_result_comes_back");
    everywhere(20, || {
        let mut numbers = vec![1, 2, 3];
        let token = Arc::new(());
        let held = token.clone();
        let (sum, held) = runtime::blocking(|| {
            numbers.push(4);
            (numbers.iter().sum::<i32>(), held)
        });
        assert_eq!((sum, numbers.len(), Arc::strong_count(&token)), (10, 4, 2));
        drop(held);
        assert_eq!(Arc::strong_count(&token), 1);
        let large = runtime::blocking(|| [7_u8; 10_000]);
        assert!(large.iter().all(|byte| *byte == 7));
        runtime::blocking(|| ());
    });
}

#[test]
fn neighbours_go_on_meanwhile() {
    // A call that keeps the thread of the scheduler: with one processor nobody else would run.
    let _turn = turn("neighbours_go_on_meanwhile");
    everywhere(20, || {
        let (tx, rx) = mpsc::channel();
        let waiter = go!({ runtime::blocking(move || rx.recv().unwrap()) });
        let neighbour = go!({ tx.send(5).unwrap() });
        assert_eq!(waiter.join().unwrap(), 5);
        neighbour.join().unwrap();
    });
}

#[test]
fn the_pool_grows_to_what_is_asked() {
    // Calls that wait for each other, one of them in line behind the others for ever.
    let _turn = turn("the_pool_grows_to_what_is_asked");
    const CALLS: usize = 100;
    everywhere(2, || {
        let barrier = Arc::new(Barrier::new(CALLS));
        let calls: Vec<_> = (0..CALLS).map(|_| go!(clone barrier; { runtime::blocking(|| barrier.wait()); })).collect();
        calls.into_iter().for_each(|call| call.join().unwrap());
    });
}

#[test]
fn a_panic_arrives_at_the_caller() {
    // A panic that kills a pool thread, and leaves its goroutine parked.
    let _turn = turn("a_panic_arrives_at_the_caller");
    everywhere(20, || {
        let payload = catch_unwind(|| runtime::blocking(|| std::panic::resume_unwind(Box::new(17_u32)))).unwrap_err();
        assert_eq!(payload.downcast_ref::<u32>(), Some(&17));
        assert_eq!(runtime::blocking(|| 1), 1);
    });
}

goroutine_local! { static LOCAL: Cell<u32> = const { Cell::new(0) }; }

#[test]
fn inside_it_is_a_plain_thread() {
    // Code that takes itself for the goroutine: its locals, its number, its end.
    let _turn = turn("inside_it_is_a_plain_thread");
    everywhere(5, || {
        let outside = support::thread_number();
        LOCAL.set(9);
        runtime::blocking(|| {
            assert_ne!(support::thread_number(), outside);
            assert_eq!((runtime::id(), LOCAL.get()), (None, 0));
            // In place: it would need two threads otherwise, and a pool of one would hang.
            let here = support::thread_number();
            assert_eq!(runtime::blocking(support::thread_number), here);
            assert!(catch_unwind(|| runtime::exit()).is_err());
            // Goroutines can be started, and waited for.
            assert_eq!(go!({ 6 * 7 }).join().unwrap(), 42);
        });
        assert_eq!(LOCAL.get(), 9);
    });
}

#[test]
fn a_plain_thread_calls_in_place() {
    // A hop to another thread for nothing.
    let here = support::thread_number();
    assert_eq!(runtime::blocking(support::thread_number), here);
}

#[test]
fn a_pinned_goroutine_comes_back_to_its_thread() {
    // A goroutine that goes on where its pool thread was, with the wrong thread locals.
    let _turn = turn("a_pinned_goroutine_comes_back_to_its_thread");
    for procs in [1, 2, 8] {
        runtime::set_max_procs(procs);
        let stays = || {
            let home = support::thread_number();
            for _ in 0..20 {
                runtime::blocking(thread::yield_now);
                assert_eq!(support::thread_number(), home);
            }
        };
        let all: Vec<_> = (0..8).map(|_| gaggle::spawn(stays)).collect();
        all.into_iter().for_each(|g| g.join().unwrap());
        support::migrating(move || {
            let _guard = runtime::lock_os_thread();
            stays();
        });
    }
}

#[test]
fn in_a_destructor_while_unwinding() {
    // A wait that is entered while the stack unwinds, and unwound itself.
    let _turn = turn("in_a_destructor_while_unwinding");
    struct Blocks(Arc<AtomicUsize>);
    impl Drop for Blocks {
        fn drop(&mut self) {
            runtime::blocking(|| self.0.fetch_add(1, Ordering::Relaxed));
        }
    }
    everywhere(10, || {
        let count = Arc::new(AtomicUsize::new(0));
        let g = go!(clone count; {
            let (_a, _b) = (Blocks(count.clone()), Blocks(count));
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(g.join().is_err());
        assert_eq!(count.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn a_storm_of_calls() {
    // A wake-up that is lost between the queue, a thread that goes idle and one that ends.
    let _turn = turn("a_storm_of_calls");
    everywhere(1, || {
        let (tx, rx) = chan::<usize>(0);
        let callers = 40;
        let each = scaled(500);
        for caller in 0..callers {
            go!(clone tx; {
                for n in 0..each {
                    let got = runtime::blocking(|| {
                        if n % 7 == caller % 7 {
                            thread::yield_now();
                        }
                        n + caller
                    });
                    tx.send(got - caller).unwrap();
                }
            });
        }
        drop(tx);
        assert_eq!(rx.iter().sum::<usize>(), callers * (each * (each - 1) / 2));
    });
}

#[test]
fn scoped_goroutines_share_a_buffer_with_the_pool() {
    // A borrow that outlives the frame it points to.
    let _turn = turn("scoped_goroutines_share_a_buffer_with_the_pool");
    everywhere(10, || {
        let mut parts = [[0_u8; 64]; 8];
        gaggle::scope(|s| {
            for (n, part) in parts.iter_mut().enumerate() {
                s.go(move || runtime::blocking(|| part.fill(n as u8)));
            }
        });
        assert!(parts.iter().enumerate().all(|(n, part)| part.iter().all(|byte| *byte == n as u8)));
    });
}

/// Runs the test `name` of this program in a process of its own; returns what it wrote to standard error.
fn succeeds(name: &str) -> String {
    let output = support::by_itself(name).output().unwrap();
    support::assert_was_there(&output);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{}\n{stderr}", String::from_utf8_lossy(&output.stdout));
    stderr
}

#[test]
fn beyond_the_limit_calls_wait_and_that_is_said_once() {
    // A pool that eats every thread of the system; a limit that hangs the program, or floods the terminal.
    let stderr = succeeds("child_with_a_limit_of_two");
    let line = "gaggle: all 2 threads for blocking calls are busy, further calls wait \
                (runtime::Builder::max_blocking_threads; said once)\n";
    assert_eq!(stderr.matches("gaggle:").count(), 1, "{stderr}");
    assert!(stderr.contains(line), "{stderr}");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_with_a_limit_of_two() {
    let _watch = support::watch("child_with_a_limit_of_two");
    runtime::Builder::new().max_blocking_threads(2).start().unwrap();
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    gaggle::scope(|s| {
        for _ in 0..100 {
            s.go(|| {
                runtime::blocking(|| {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    wait.lock().unwrap().recv().unwrap();
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            });
        }
        for _ in 0..100 {
            go_on.send(()).unwrap();
        }
    });
    assert!(most.load(Ordering::SeqCst) <= 2);
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_thread_to_start_it_runs_in_place() {
    // A goroutine that waits for a thread which was never there.
    succeeds("child_without_address_space");
}

/// Lets this process map no more than `spare` bytes more than it does.
#[cfg(target_os = "linux")]
fn limit_address_space(spare: u64) {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split_whitespace().next().unwrap().parse().unwrap();
    let bytes = pages * 4096 + spare;
    let limit = libc::rlimit { rlim_cur: bytes as _, rlim_max: bytes as _ };
    // SAFETY: the limit lives on this frame.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "run by another test, in a process of its own"]
fn child_without_address_space() {
    let _watch = support::watch("child_without_address_space");
    gaggle::run(|| {
        // Stacks, workers and allocator are warm.
        let warm: Vec<_> = (0..32).map(|_| go!({ runtime::yield_now() })).collect();
        warm.into_iter().for_each(|g| g.join().unwrap());
        threads::wait_for_the_runtimes_threads();
        limit_address_space(512 << 10);
        let me = runtime::id();
        let there = catch_unwind(AssertUnwindSafe(|| runtime::blocking(|| (runtime::id(), LOCAL.get()))));
        assert_eq!(there.unwrap(), (me, 0), "a thread was started after all: the limit is too high for this test");
        // In place it is a goroutine, which may wait, and panic.
        let (tx, rx) = chan(0);
        go!({ tx.send(3).unwrap() });
        assert_eq!(runtime::blocking(|| rx.recv()), Some(3));
        assert!(catch_unwind(|| runtime::blocking(|| std::panic::resume_unwind(Box::new(())))).is_err());
    });
}

#[test]
fn standard_input_is_waited_for_by_parking() {
    // A goroutine that keeps its thread while nobody types; a line that two readers share, or that gets lost.
    let mut child =
        support::by_itself("child_that_reads_lines").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    let from = BufReader::new(child.stdout.take().unwrap());
    let mut answers = from.lines().map(Result::unwrap).filter_map(|line| line.strip_prefix("read ").map(String::from));
    for word in ["one", "two"] {
        // Each line is sent after the answer to the one before: nothing is held back in a buffer.
        writeln!(to, "{word}").unwrap();
        assert_eq!(answers.next().as_deref(), Some(word));
    }
    write!(to, "three\nfour\nfive\nno end").unwrap();
    drop(to);
    let mut rest: Vec<_> = answers.collect();
    rest.sort();
    assert_eq!(rest, ["five", "four", "no end", "three", "ticked"]);
    assert!(child.wait().unwrap().success());
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_that_reads_lines() {
    let _watch = support::watch("child_that_reads_lines");
    // The harness has begun a line.
    let say = |line: &str| println!("\nread {line}");
    runtime::Builder::new().max_procs(1).start().unwrap();
    gaggle::run(|| {
        let ticks = Arc::new(AtomicUsize::new(0));
        let ticker = go!(clone ticks; while ticks.fetch_add(1, Ordering::Relaxed) < 100 { runtime::yield_now() });
        let mut line = String::new();
        assert_eq!(gaggle::io::stdin().read_line(&mut line).unwrap(), 4);
        // One processor, and the reader waited: the ticker had it.
        ticker.join().unwrap();
        assert!(ticks.load(Ordering::Relaxed) > 100);
        say(line.trim());
        say(&gaggle::io::stdin().lines().next().unwrap().unwrap());
        say("ticked");
        // Two readers, each of which gets whole lines.
        let readers: Vec<_> = (0..2)
            .map(|_| {
                go!({
                    let mut line = String::new();
                    while gaggle::io::stdin().read_line(&mut line).unwrap() > 0 {
                        say(line.trim());
                        line.clear();
                    }
                })
            })
            .collect();
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        let mut rest = Vec::new();
        assert_eq!(gaggle::io::stdin().read_to_end(&mut rest).unwrap(), 0);
    });
}
