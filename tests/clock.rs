//! A clock that jumps: somebody sets it, or the process is stopped for a while.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

use gaggle::net::UdpSocket;
use gaggle::sync::WaitGroup;
use gaggle::{chan, context, runtime, time};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::process::Stdio;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

#[path = "support/delays.rs"]
mod delays;
mod support;
use delays::{ms, not_before};
use support::turn;

/// By how many seconds the clock on the wall was set.
static SET_BY: AtomicI64 = AtomicI64::new(0);

/// In the place of the C library's: the standard library and gaggle ask this one. Only the clock on the wall can be set;
/// the other ones are the kernel's.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, now: *mut libc::timespec) -> libc::c_int {
    // SAFETY: the caller's promise.
    let result = unsafe { libc::syscall(libc::SYS_clock_gettime, clock, now) } as libc::c_int;
    if result == 0 && (clock == libc::CLOCK_REALTIME || clock == libc::CLOCK_REALTIME_COARSE) {
        // SAFETY: the kernel has written it.
        unsafe { (*now).tv_sec += SET_BY.load(Ordering::Relaxed) };
    }
    result
}

/// Everything that has to do with time.
fn every_timer() {
    let sleepers = WaitGroup::new();
    for n in 0..50 {
        sleepers.go(move || not_before(ms(n % 7), || time::sleep(ms(n % 7))));
    }
    assert!(not_before(ms(3), || time::after(ms(3)).recv()).is_some());
    assert_eq!(not_before(ms(3), || time::tick(ms(1)).iter().take(3).count()), 3);
    let (_tx, rx) = chan::<()>(0);
    assert!(not_before(ms(3), || rx.recv_timeout(ms(3))).is_err());
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(ms(3))).unwrap();
    assert_eq!(not_before(ms(3), || socket.recv(&mut [0])).unwrap_err().kind(), ErrorKind::TimedOut);
    not_before(ms(3), || {
        let (limited, _cancel) = context::with_timeout(&context::background(), ms(3));
        limited.done().recv()
    });
    sleepers.wait();
}

#[test]
fn a_clock_that_is_set_moves_no_timer() {
    // A deadline that is counted by the clock on the wall: early, or a year late.
    let _turn = turn("a_clock_that_is_set_moves_no_timer");
    const YEAR: i64 = 365 * 24 * 60 * 60;
    let before = SystemTime::now();
    SET_BY.store(YEAR, Ordering::Relaxed);
    assert!(before.elapsed().unwrap() > Duration::from_secs(YEAR as u64 - 1), "the clock is somebody else's");
    static ROUNDS: AtomicU64 = AtomicU64::new(0);
    let (ends, end) = std::sync::mpsc::channel::<()>();
    let setter = thread::spawn(move || {
        while end.recv_timeout(ms(1)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let round = ROUNDS.fetch_add(1, Ordering::Relaxed) as i64;
            SET_BY.store((round % 5 - 2) * YEAR, Ordering::Relaxed);
        }
    });
    support::everywhere(3, every_timer);
    every_timer();
    drop(ends);
    setter.join().unwrap();
    assert!(ROUNDS.load(Ordering::Relaxed) > 10);
}

/// How long the process is stopped.
const STOP: Duration = Duration::from_millis(200);

#[test]
fn a_process_that_is_stopped_goes_on_with_what_is_due() {
    // A timer whose moment was slept through, a ticker that ticks no more, a monitor that takes the jump for a goroutine
    // that hogs its thread, or everybody asleep for a deadlock.
    let _turn = turn("a_process_that_is_stopped_goes_on_with_what_is_due");
    let mut child = support::by_itself("child_that_is_stopped")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let pid = child.id() as libc::pid_t;
    let mut stops = 0;
    for line in from.lines() {
        if !line.unwrap().ends_with("stop me") {
            continue;
        }
        stops += 1;
        let mut status = 0;
        // SAFETY: signals for our own child, which has not been waited for; the status is an integer.
        unsafe {
            assert_eq!(libc::kill(pid, libc::SIGSTOP), 0);
            assert_eq!(libc::waitpid(pid, &raw mut status, libc::WUNTRACED), pid);
            assert!(libc::WIFSTOPPED(status));
            thread::sleep(STOP);
            assert_eq!(libc::kill(pid, libc::SIGCONT), 0);
        }
        writeln!(to, "go on").unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stops == 6, "{stops} stops\n{stderr}");
    assert!(!stderr.contains("gaggle:"), "{stderr}");
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn child_that_is_stopped() {
    let _watch = support::watch("child_that_is_stopped");
    support::everywhere(1, || {
        let began = Instant::now();
        let ticker = time::Ticker::new(ms(1));
        let sleepers = WaitGroup::new();
        for n in 0..100 {
            sleepers.go(move || not_before(ms(n), || time::sleep(ms(n))));
        }
        let (_tx, rx) = chan::<()>(0);
        let waits = gaggle::spawn(move || not_before(STOP / 2, || rx.recv_timeout(STOP / 2)).unwrap_err());
        // A plain thread, so that all that the runtime knows of is asleep.
        let other = thread::spawn(|| {
            println!("stop me");
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).unwrap();
            assert_eq!(line, "go on\n");
        });
        runtime::blocking(|| other.join().unwrap());
        assert!(began.elapsed() >= STOP);
        assert_eq!(ticker.receiver().iter().take(5).count(), 5);
        sleepers.wait();
        waits.join().unwrap();
    });
}
