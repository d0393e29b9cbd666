//! Counts addresses of thread locals that are another thread's, in code that no reader would suspect.
//!
//! 200 goroutines use a lazily initialised thread local before and after each of 2,000 blocking calls. The compiler may
//! keep its address across the call, as far as it is concerned a thread is a thread (README.md, *Two modes*). A goroutine
//! that was moved meanwhile then reads and writes what belongs to another thread.
//!
//! Prints how many of the 400,000 addresses were stale, and on how many threads the goroutines ran.
//! `stale-tls migrating`: the same in migrating mode, which does not promise 0.

use gaggle::{Receiver, Sender, chan, go};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

const GOROUTINES: usize = 200;
const CHECKS: usize = 2_000;

thread_local! {
    static SCRATCH: RefCell<Vec<usize>> = RefCell::new(Vec::with_capacity(16));
}

static STALE: AtomicUsize = AtomicUsize::new(0);
static CHECKED: AtomicUsize = AtomicUsize::new(0);
/// How many goroutines began on each thread.
static BEGAN_ON: Mutex<BTreeMap<libc::pid_t, usize>> = Mutex::new(BTreeMap::new());

/// Where the thread local is, as the compiler believes here.
#[inline(always)]
fn believed() -> usize {
    SCRATCH.with_borrow(|v| std::ptr::from_ref(v).addr())
}

/// The same, as a distance from this thread's control block: one number for all threads of a program.
#[inline(always)]
fn distance() -> usize {
    // SAFETY: it has no preconditions. The compiler knows nothing about it, so it asks each time.
    believed().wrapping_sub(unsafe { libc::pthread_self() } as usize)
}

/// Holds its thread until the goroutines are on at least two.
fn begin() {
    // SAFETY: it has no preconditions.
    *BEGAN_ON.lock().unwrap().entry(unsafe { libc::gettid() }).or_default() += 1;
    while BEGAN_ON.lock().unwrap().len() < 2 {
        std::hint::spin_loop();
    }
}

fn work(me: usize, right: usize, tx: &Sender<usize>, rx: &Receiver<usize>) {
    begin();
    for n in 0..CHECKS / 2 {
        SCRATCH.with_borrow_mut(|v| v.push(n));
        check(right);
        if me % 2 == 0 {
            tx.send(n).unwrap()
        } else {
            assert!(rx.recv().is_some())
        }
        check(right);
        SCRATCH.with_borrow_mut(|v| v.clear());
    }
}

#[inline(always)]
fn check(right: usize) {
    CHECKED.fetch_add(1, SeqCst);
    if distance() != right {
        STALE.fetch_add(1, SeqCst);
    }
}

fn all_of_it() {
    let right = distance();
    let (tx, rx) = chan(0);
    let all: Vec<_> = (0..GOROUTINES).map(|me| go!(clone tx, rx; { work(me, right, &tx, &rx) })).collect();
    for g in all {
        g.join().unwrap();
    }
    let threads = BEGAN_ON.lock().unwrap();
    assert_eq!(threads.values().sum::<usize>(), GOROUTINES);
    println!("{} stale of {} on {} threads", STALE.load(SeqCst), CHECKED.load(SeqCst), threads.len());
}

fn main() {
    gaggle::runtime::set_max_procs(4);
    if std::env::args().any(|arg| arg == "migrating") {
        return migrating::main();
    }
    gaggle::run(all_of_it);
}

mod migrating {
    pub fn main() {
        // Breaks the mode's promise on purpose. What it does wrong is defined enough to count on this target: a
        // neighbour's vector is borrowed and pushed to, which may end in a panic, or worse.
        #[gaggle::main(unsafe(migrate))]
        fn main() {
            super::all_of_it();
        }
        main();
    }
}
