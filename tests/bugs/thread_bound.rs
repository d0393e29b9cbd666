//! B25 and B29: what is bound to a thread, held across parks.

use crate::support::{everywhere_migrating, scaled, thread_number, turn, yields};
use gaggle::runtime::{lock_os_thread, set_max_procs, yield_now};
use gaggle::{chan, spawn};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

thread_local! {
    static SHARED: Rc<RefCell<Vec<u64>>> = Rc::default();
    static LAZY: RefCell<Vec<u64>> = RefCell::new(vec![1; 10]);
}

#[test]
fn b25_an_rc_of_a_thread_local_survives_parks() {
    // A count that is not atomic, changed on two threads: a double free, or a leak.
    let _turn = turn("b25_an_rc_of_a_thread_local_survives_parks");
    for procs in [1, 2, 8] {
        set_max_procs(procs);
        for _ in 0..scaled(100) {
            gaggle::run(|| {
                let (tx, rx) = chan::<u64>(0);
                let all: Vec<_> = (0..16)
                    .map(|me| {
                        let (tx, rx) = (tx.clone(), rx.clone());
                        spawn(move || {
                            for n in 0..20 {
                                // Held across the parks below, which is what pinned mode allows.
                                let mine = SHARED.with(Rc::clone);
                                let here = thread_number();
                                mine.borrow_mut().push(n);
                                if me % 2 == 0 {
                                    tx.send(n).unwrap()
                                } else {
                                    assert!(rx.recv().is_some())
                                }
                                let again = SHARED.with(Rc::clone);
                                assert!(Rc::ptr_eq(&mine, &again), "another thread's");
                                assert_eq!(thread_number(), here);
                                yield_now();
                                // Fewer than there are goroutines and thread locals.
                                assert!(Rc::strong_count(&mine) <= 2 * 16 + 1);
                            }
                        })
                    })
                    .collect();
                all.into_iter().for_each(|g| g.join().unwrap());
                SHARED.with(|shared| assert_eq!(Rc::strong_count(shared), 1));
            });
        }
    }
}

#[test]
fn b25_a_borrow_of_a_thread_local_lives_across_parks() {
    // A thread local's address kept by the compiler across a switch, and used on another thread.
    let _turn = turn("b25_a_borrow_of_a_thread_local_lives_across_parks");
    for procs in [1, 2, 8] {
        set_max_procs(procs);
        for _ in 0..scaled(100) {
            gaggle::run(|| {
                let all: Vec<_> = (0..16)
                    .map(|_| {
                        spawn(|| {
                            for _ in 0..20 {
                                let before = LAZY.with_borrow(|v| std::ptr::from_ref(v).addr());
                                let sum: u64 = LAZY.with_borrow(|v| {
                                    // Shared borrows only: neighbours on this thread borrow it meanwhile.
                                    yields(2);
                                    v.iter().sum()
                                });
                                assert_eq!(sum, 10);
                                assert_eq!(LAZY.with_borrow(|v| std::ptr::from_ref(v).addr()), before);
                            }
                        })
                    })
                    .collect();
                all.into_iter().for_each(|g| g.join().unwrap());
            });
        }
    }
}

#[test]
fn b29_a_locked_thread_may_hold_a_std_guard_across_a_park() {
    // In migrating mode the guard's thread is handed off: whoever locks it meanwhile blocks a thread of its own, and
    // the holder, alone on its thread, comes back to release it.
    let _turn = turn("b29_a_locked_thread_may_hold_a_std_guard_across_a_park");
    for procs in [2, 8] {
        set_max_procs(procs);
        for _ in 0..scaled(100) {
            crate::support::migrating(|| {
                let shared = Arc::new(Mutex::new(0));
                let (tx, rx) = chan::<u64>(0);
                let (held, holds) = chan::<()>(0);
                let holder = spawn({
                    let shared = shared.clone();
                    move || {
                        let _thread = lock_os_thread();
                        let here = thread_number();
                        let mut guard = shared.lock().unwrap();
                        held.send(()).unwrap();
                        *guard += rx.recv().unwrap();
                        assert_eq!(thread_number(), here, "a std guard dropped on another thread");
                    }
                });
                holds.recv().unwrap();
                let rival = spawn({
                    let shared = shared.clone();
                    // Blocks its thread and keeps its processor: there is another one for the rest.
                    move || *shared.lock().unwrap() += 10
                });
                yields(2);
                tx.send(1).unwrap();
                holder.join().unwrap();
                rival.join().unwrap();
                assert_eq!(*shared.lock().unwrap(), 11);
            });
        }
    }
}

#[test]
fn b29_gaggles_mutex_may_be_held_across_a_park() {
    // The remedy that the docs name: it parks the rival, and the thread goes on to run the holder.
    let _turn = turn("b29_gaggles_mutex_may_be_held_across_a_park");
    fn held_across_a_park() {
        let shared = Arc::new(gaggle::sync::Mutex::new(0));
        let (tx, rx) = chan::<u64>(0);
        let all: Vec<_> = (0..8)
            .map(|_| {
                let (shared, rx) = (shared.clone(), rx.clone());
                spawn(move || {
                    let mut guard = shared.lock().unwrap();
                    *guard += rx.recv().unwrap();
                    yield_now();
                })
            })
            .collect();
        (0..8).for_each(|n| tx.send(n).unwrap());
        all.into_iter().for_each(|g| g.join().unwrap());
        assert_eq!(*shared.lock().unwrap(), 28);
    }
    crate::support::everywhere(scaled(100), held_across_a_park);
    everywhere_migrating(1, held_across_a_park);
}
