//! Programs in which nothing can happen any more say so and end with status 2; all others are left alone.
//!
//! The names are those of Go's `runtime/crash_test.go`.

use crate::child::{Ended, room, run};
use gaggle::time::sleep;
use gaggle::{chan, go, select};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

room! {
    tests: simple_deadlock init_deadlock locked_deadlock locked_deadlock2 goexit_deadlock goexit_in_main_with_sleepers
        no_helper_goroutines main_goroutine_id deadlock_of_many_goroutines deadlock_without_an_attribute
        deadlock_after_work deadlock_when_the_last_helper_is_gone deadlock_after_two_calls_at_once deadlock_in_a_lock
        threads_that_hold_an_end_are_no_deadlock what_is_under_way_is_no_deadlock;
    programs: dies_simply dies_at_once dies_locked dies_locked2 dies_of_goexit dies_of_goexit_with_sleepers
        dies_after_helpers dies_in_main dies_with_many dies_without_attribute dies_after_work dies_after_a_thread
        dies_beside_a_deadline dies_of_its_own_lock saved_by_a_thread saved_by_a_thread_in_run saved_by_threads_in_a_chain
        saved_by_a_timer saved_by_a_tick saved_by_a_call saved_by_a_timeout saved_by_a_busy_worker saved_by_a_socket connects;
}

const FIRST: &str = "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine ";

#[track_caller]
fn dies(program: &str, procs: &str) -> Ended {
    let ended = run(program, &[("GAGGLE_PROCS", procs)]);
    ended.assert_code(2);
    assert!(ended.stderr.starts_with(FIRST), "{ended:#?}");
    assert_eq!(ended.stderr.matches("fatal error").count(), 1, "{ended:#?}");
    ended
}

/// On one, on two and on eight processors.
#[track_caller]
fn dies_everywhere(program: &str, says: &[&str]) {
    for procs in ["1", "2", "8"] {
        let ended = dies(program, procs);
        for text in says {
            ended.assert_says(text);
        }
    }
}

fn simple_deadlock() {
    // A hang without a word.
    dies_everywhere("dies_simply", &["goroutine 1 \"main\" [select (no cases)]:\n"]);
}

fn dies_simply() -> ExitCode {
    #[gaggle::main]
    fn main() {
        select! {}
    }
    main()
}

fn init_deadlock() {
    // The same before any goroutine was started, on a channel that nobody else has.
    dies_everywhere("dies_at_once", &["goroutine 1 \"main\" [chan receive]:\n"]);
}

fn dies_at_once() -> ExitCode {
    #[gaggle::main(unsafe(migrate))]
    fn main() {
        let (_tx, rx) = chan::<()>(0);
        rx.recv();
    }
    main()
}

fn locked_deadlock() {
    // A locked thread is no thread that could help.
    dies_everywhere("dies_locked", &["goroutine 1 \"main\" [select (no cases), locked to thread]:\n"]);
}

fn dies_locked() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let _locked = gaggle::runtime::lock_os_thread();
        select! {}
    }
    main()
}

fn locked_deadlock2() {
    // The same, with one more goroutine that locks its thread.
    dies_everywhere(
        "dies_locked2",
        &["goroutine 1 \"main\" [select (no cases), locked to thread]:\n", "[chan receive, locked"],
    );
}

fn dies_locked2() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let (_tx, rx) = chan::<()>(0);
        go!({
            let _locked = gaggle::runtime::lock_os_thread();
            rx.recv();
        });
        let _locked = gaggle::runtime::lock_os_thread();
        select! {}
    }
    main()
}

fn goexit_deadlock() {
    // Main is gone, the others have ended, and the process stays for ever.
    for procs in ["1", "2", "8"] {
        let ended = run("dies_of_goexit", &[("GAGGLE_PROCS", procs)]);
        ended.assert_code(2);
        assert_eq!(ended.stderr, "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n");
    }
}

fn dies_of_goexit() -> ExitCode {
    #[gaggle::main]
    fn main() {
        for _ in 0..2 {
            go!({ (0..10).for_each(|_| gaggle::runtime::yield_now()) });
        }
        gaggle::runtime::exit();
    }
    main()
}

fn goexit_in_main_with_sleepers() {
    // Main is gone, and those that are left wait for it.
    dies_everywhere("dies_of_goexit_with_sleepers", &["[chan receive]:\n", "created by go! in goroutine 1 at "]);
}

fn dies_of_goexit_with_sleepers() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let (tx, rx) = chan::<()>(0);
        go!({ rx.recv() });
        std::mem::forget(tx);
        gaggle::runtime::exit();
    }
    main()
}

fn no_helper_goroutines() {
    // Goroutines of the runtime's own, which wait in every dump and confuse the reader.
    for procs in ["1", "2"] {
        let ended = dies("dies_after_helpers", procs);
        assert_eq!(ended.stderr.matches("\ngoroutine ").count(), 1, "{ended:#?}");
    }
}

fn dies_after_helpers() -> ExitCode {
    #[gaggle::main]
    fn main() {
        // Everything that might start something of its own.
        sleep(Duration::from_millis(1));
        assert!(gaggle::time::after(Duration::from_millis(1)).recv().is_some());
        gaggle::time::Timer::after_func(Duration::from_secs(3600), || ()).stop();
        gaggle::runtime::blocking(|| ());
        let socket = gaggle::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        assert!(socket.recv(&mut [0]).is_err());
        drop(socket);
        select! {}
    }
    main()
}

fn main_goroutine_id() {
    // A number of main's goroutine that depends on what the runtime starts.
    let ended = run("dies_in_main", &[]);
    ended.assert_code(2).assert_says("goroutine 1 \"main\" [running]:\n").assert_says("\nout of luck\n");
}

fn dies_in_main() -> ExitCode {
    gaggle::runtime::Builder::new().panic(gaggle::runtime::PanicPolicy::Abort).start().unwrap();
    #[gaggle::main]
    fn main() {
        assert!(gaggle::runtime::id().is_none(), "out of luck");
    }
    main()
}

fn deadlock_of_many_goroutines() {
    // A report of a hundred thousand lines.
    let ended = dies("dies_with_many", "2");
    ended.assert_says("10000 goroutines [chan send]:\n").assert_says("goroutine 1 \"main\" [sync.WaitGroup.Wait]:\n");
    assert!(ended.stderr.lines().count() < 100, "{ended:#?}");
}

fn dies_with_many() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let wg = std::sync::Arc::new(gaggle::sync::WaitGroup::new());
        let (tx, _rx) = chan::<()>(0);
        for _ in 0..10_000 {
            wg.add(1);
            go!(clone wg, tx; {
                _ = tx.send(());
                wg.done();
            });
        }
        wg.wait();
    }
    main()
}

fn deadlock_without_an_attribute() {
    // The thread of an ordinary main, blocked in `run`, is taken for one that could help.
    dies_everywhere("dies_without_attribute", &["[chan receive]:\n", "created by go! in goroutine "]);
}

fn dies_without_attribute() -> ExitCode {
    gaggle::run(|| {
        let (tx, rx) = chan::<()>(0);
        let other = go!({ rx.recv() });
        other.join().unwrap();
        drop(tx);
    });
    ExitCode::SUCCESS
}

fn deadlock_after_work() {
    // A deadlock that is seen only at the start: here there were timers, threads, calls and many goroutines before.
    dies_everywhere("dies_after_work", &["goroutine 1 \"main\" [chan receive]:\n"]);
}

fn dies_after_work() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let (tx, rx) = chan::<u32>(3);
        for n in 0..100 {
            go!(clone tx; {
                sleep(Duration::from_micros(u64::from(n) * 50));
                tx.send(n).unwrap();
            });
        }
        thread::scope(|s| {
            s.spawn(|| (0..100).for_each(|n| tx.send(n).unwrap()));
            (0..200).for_each(|_| assert!(rx.recv().is_some()));
        });
        assert_eq!(gaggle::runtime::blocking(|| 7), 7);
        assert_eq!(rx.recv_timeout(Duration::from_millis(30)).ok(), None);
        rx.recv();
    }
    main()
}

fn deadlock_when_the_last_helper_is_gone() {
    // A thread that could have helped and ends without a word: nobody looks again.
    dies_everywhere("dies_after_a_thread", &["goroutine 1 \"main\" [chan receive]:\n"]);
}

fn dies_after_a_thread() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let (tx, rx) = chan::<()>(0);
        let another = tx.clone();
        // Its end of the channel is not the last one, so dropping it wakes nobody.
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            drop(another);
        });
        rx.recv();
        drop(tx);
    }
    main()
}

fn deadlock_after_two_calls_at_once() {
    // The one worker that looks for deadlocks is called for another look just as a deadline calls it; it cannot get up, since
    // its thread is its goroutine's, and forgets the look.
    dies("dies_beside_a_deadline", "1").assert_says("goroutine 1 \"main\" [chan receive, locked to thread]:\n");
}

fn dies_beside_a_deadline() -> ExitCode {
    const AFTER_A_LOOK: Duration = Duration::from_millis(15);
    #[gaggle::main]
    fn main() {
        let _locked = gaggle::runtime::lock_os_thread();
        let (tx, rx) = chan::<()>(0);
        let another = tx.clone();
        // The spare worker has looked, and leaves the next looks to this one.
        thread::sleep(2 * AFTER_A_LOOK);
        thread::spawn(move || {
            for _ in 0..20 {
                let hour = gaggle::time::Timer::new(Duration::from_secs(3600));
                thread::sleep(AFTER_A_LOOK);
                hour.stop();
                sleep(Duration::from_nanos(1));
            }
            drop(another);
        });
        rx.recv();
        drop(tx);
    }
    main()
}

fn deadlock_in_a_lock() {
    // A lock that is taken twice.
    dies_everywhere("dies_of_its_own_lock", &["goroutine 1 \"main\" [sync.Mutex.Lock]:\n"]);
}

fn dies_of_its_own_lock() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let mutex = gaggle::sync::Mutex::new(());
        let _first = mutex.lock();
        let _second = mutex.lock();
    }
    main()
}

fn threads_that_hold_an_end_are_no_deadlock() {
    // The worst that a detector can do: end a program that was about to go on.
    for round in 0..if cfg!(debug_assertions) { 20 } else { 70 } {
        let procs = ["1", "2", "8"][round % 3];
        for program in ["saved_by_a_thread", "saved_by_a_thread_in_run", "saved_by_threads_in_a_chain"] {
            let ended = run(program, &[("GAGGLE_PROCS", procs)]);
            ended.assert_code(0).assert_silent();
        }
    }
}

fn saved_by_a_thread() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let (tx, rx) = chan::<u32>(0);
        // It has never touched the channel before it sends.
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(35));
            tx.send(7).unwrap();
        });
        assert_eq!(rx.recv(), Some(7));
    }
    main()
}

fn saved_by_a_thread_in_run() -> ExitCode {
    let (tx, rx) = chan::<u32>(0);
    let (begin, begun) = mpsc::channel();
    let thread = thread::spawn(move || {
        begun.recv().unwrap();
        thread::sleep(Duration::from_millis(15));
        (0..5).for_each(|n| tx.send(n).unwrap());
    });
    gaggle::run(|| {
        begin.send(()).unwrap();
        assert_eq!(rx.iter().sum::<u32>(), 10);
    });
    thread.join().unwrap();
    ExitCode::SUCCESS
}

/// Each thread is started by the one before, which ends; the last one sends. Goroutines and blocked threads wait.
fn saved_by_threads_in_a_chain() -> ExitCode {
    fn pass_on(left: u32, tx: gaggle::Sender<u32>) {
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(1));
            match left {
                0 => tx.send(7).unwrap(),
                _ => pass_on(left - 1, tx),
            }
        });
    }
    #[gaggle::main(unsafe(migrate))]
    fn main() {
        let (tx, rx) = chan::<u32>(0);
        let (back, answer) = chan::<u32>(0);
        // A thread that is blocked in an operation of ours, and woken by a thread that ends at once.
        thread::spawn(move || back.send(rx.recv().unwrap()));
        pass_on(30, tx);
        assert_eq!(answer.recv(), Some(7));
    }
    main()
}

fn what_is_under_way_is_no_deadlock() {
    // Sleepers, tickers and calls: main waits for them for longer than anybody looks.
    for procs in ["1", "2", "8"] {
        for program in ["saved_by_a_timer", "saved_by_a_tick", "saved_by_a_call", "saved_by_a_timeout"]
            .into_iter()
            .chain(["saved_by_a_busy_worker", "saved_by_a_socket"])
        {
            run(program, &[("GAGGLE_PROCS", procs)]).assert_code(0).assert_silent();
        }
    }
}

const LONG: Duration = Duration::from_millis(120);

fn saved_by_a_timer() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let (tx, rx) = chan::<u32>(0);
        go!({
            sleep(LONG);
            tx.send(7).unwrap();
        });
        assert_eq!(rx.recv(), Some(7));
        let (tx, rx) = chan::<u32>(1);
        gaggle::time::Timer::after_func(LONG, move || assert!(tx.send(8).is_ok()));
        assert_eq!(rx.recv(), Some(8));
    }
    main()
}

fn saved_by_a_tick() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let ticker = gaggle::time::Ticker::new(LONG / 3);
        (0..3).for_each(|_| assert!(ticker.receiver().recv().is_some()));
    }
    main()
}

fn saved_by_a_call() -> ExitCode {
    #[gaggle::main]
    fn main() {
        gaggle::runtime::blocking(|| thread::sleep(LONG));
    }
    main()
}

/// A goroutine that blocks its thread: the processor is taken away from it meanwhile, and lies idle.
fn saved_by_a_busy_worker() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let (tx, rx) = chan::<u32>(0);
        go!({
            thread::sleep(LONG);
            tx.send(7).unwrap();
        });
        assert_eq!(rx.recv(), Some(7));
    }
    main()
}

/// Somebody in another process.
fn saved_by_a_socket() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let listener = gaggle::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut peer = std::process::Command::new(std::env::current_exe().unwrap());
        let mut peer = peer.env("GAGGLE_PROGRAM", "connects").env("PEER_ADDRESS", address).spawn().unwrap();
        drop(listener.accept().unwrap());
        assert!(peer.wait().unwrap().success());
    }
    main()
}

fn connects() -> ExitCode {
    thread::sleep(LONG);
    std::net::TcpStream::connect(std::env::var("PEER_ADDRESS").unwrap()).unwrap();
    ExitCode::SUCCESS
}

fn saved_by_a_timeout() -> ExitCode {
    #[gaggle::main]
    fn main() {
        let (_tx, rx) = chan::<()>(0);
        assert!(rx.recv_timeout(LONG).is_err());
        select! {
            _ = <-rx => unreachable!(),
            after(LONG) => {}
        }
    }
    main()
}
