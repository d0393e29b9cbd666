//! Dumps: what they say of each goroutine, and that those looked at go on as if nobody had.

use super::json;
use super::support::{everywhere, scaled, turn};
use gaggle::diag::{GoroutineRecord, GoroutineState};
use gaggle::runtime::{self, Dump, dump};
use gaggle::{Receiver, chan, go, select};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;

/// Whether this back end can look at parked stacks.
const NATIVE: bool =
    cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(gaggle_portable)));

#[inline(never)]
fn waits_here(rx: &Receiver<u32>) -> Option<u32> {
    std::hint::black_box(rx.recv())
}

/// Looks again and again until all of these goroutines wait.
fn dump_of_sleepers(reasons: &[(u64, &str)]) -> Dump {
    loop {
        let dump = dump();
        let waits = |(id, reason): &(u64, &str)| {
            find(&dump, *id).is_some_and(|g| g.reason() == Some(reason) && g.note().is_none_or(|_| !NATIVE))
        };
        if reasons.iter().all(waits) {
            return dump;
        }
        thread::yield_now();
    }
}

fn find(dump: &Dump, id: u64) -> Option<&GoroutineRecord> {
    dump.goroutines().find(|g| g.id().get() == id)
}

#[test]
fn a_sleeper_is_told_with_its_place() {
    // A report that says that somebody waits for something somewhere.
    let _turn = turn("a_sleeper_is_told_with_its_place");
    everywhere(1, || {
        let me = runtime::id().unwrap();
        let (tx, rx) = chan::<u32>(0);
        let line = line!() + 1;
        let sleeper = go!(name = "worker 3"; { waits_here(&rx) });
        // From a plain thread: a goroutine that looked until it waits would keep it from its thread.
        let id = sleeper.id().get();
        let dump = off(move || dump_of_sleepers(&[(id, "chan receive")]));
        let g = find(&dump, id).unwrap();
        assert_eq!((g.name(), g.state(), g.creator()), (Some("worker 3"), GoroutineState::Waiting, Some(me)));
        assert_eq!(g.site().to_string(), format!("tests/diag/looks.rs:{line}:23"));
        assert!(g.waiting().unwrap().as_secs() < 60, "{g:?}");
        let text = g.to_string();
        assert!(text.starts_with(&format!("goroutine {id} \"worker 3\" [chan receive]:\n")), "{text}");
        let created = format!("\ncreated by go! in goroutine {me} at tests/diag/looks.rs:{line}:23\n");
        assert!(text.ends_with(&created), "{text}");
        if NATIVE {
            // The user's own function first.
            assert!(g.frames()[0].function().ends_with("looks::waits_here"), "{text}");
            assert!(g.frames().iter().all(|f| !f.function().starts_with("gaggle::")), "{text}");
            assert_eq!(g.note(), None);
        } else {
            assert_eq!((g.frames().len(), g.note().is_some()), (0, true));
        }
        tx.send(7).unwrap();
        assert_eq!(sleeper.join().unwrap(), Some(7));
    });
}

/// Runs `f` on a plain thread, while this goroutine waits.
fn off<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    let (tx, rx) = chan(1);
    thread::spawn(move || tx.send(f()).ok());
    rx.recv().unwrap()
}

#[test]
fn every_reason_has_gos_words() {
    // A wait that is called by the name of another one.
    let _turn = turn("every_reason_has_gos_words");
    gaggle::run(|| {
        let (tx, rx) = chan::<u32>(0);
        let (full, _keep) = chan::<u32>(0);
        let (wg, mutex) = (Arc::new(gaggle::sync::WaitGroup::new()), Arc::new(gaggle::sync::Mutex::new(())));
        wg.add(1);
        let guard = mutex.lock().unwrap();
        let mut all = vec![
            (go!(clone rx; { rx.recv(); }), "chan receive"),
            (go!(clone full; { _ = full.send(1) }), "chan send"),
            (go!(clone rx; select! { _ = <-rx => {} }), "select"),
            (go!(clone wg; { wg.wait() }), "sync.WaitGroup.Wait"),
            (go!(clone mutex; { drop(mutex.lock()) }), "sync.Mutex.Lock"),
            (go!(clone rx; { _ = rx.recv_timeout(std::time::Duration::from_secs(3600)) }), "chan receive"),
        ];
        let first = all.remove(0);
        let id = first.0.id().get();
        all.push((go!({ first.0.join().unwrap() }), "join"));
        let mut reasons: Vec<_> = all.iter().map(|(g, reason)| (g.id().get(), *reason)).collect();
        reasons.push((id, "chan receive"));
        off(move || dump_of_sleepers(&reasons));
        drop((tx, _keep, guard));
        wg.done();
        all.into_iter().for_each(|(g, _)| g.join().unwrap());
    });
}

#[test]
fn a_stack_of_segments_is_followed_to_its_foot() {
    // A backtrace that ends at the first boundary, or runs off it.
    #[gaggle::growable]
    fn descends(levels: u32, rx: &Receiver<u32>) -> u32 {
        let frame = std::hint::black_box([levels; 512]);
        let sum = if levels == 0 { waits_here(rx).unwrap_or(0) } else { descends(levels - 1, rx) };
        sum + frame[levels as usize % 512] - levels
    }
    let _turn = turn("a_stack_of_segments_is_followed_to_its_foot");
    everywhere(1, || {
        let (tx, rx) = chan::<u32>(0);
        // 400 times 2 KiB: out of a stack of 64 KiB, and out of its first segment.
        let deep = go!(stack = 64 << 10; { descends(400, &rx) });
        let id = deep.id().get();
        let dump = off(move || dump_of_sleepers(&[(id, "chan receive")]));
        if NATIVE {
            let frames = find(&dump, id).unwrap().frames();
            let levels = frames.iter().filter(|f| f.function().ends_with("descends")).count();
            assert!(levels >= 400 || !cfg!(debug_assertions), "{levels} levels");
            assert!(frames[0].function().ends_with("waits_here"));
            assert!(frames.last().unwrap().function().contains("a_stack_of_segments"), "{:?}", frames.last());
            assert!(frames.len() > 400, "{} frames", frames.len());
            let text = find(&dump, id).unwrap().to_string();
            assert!(text.contains(" frames elided...\n") && text.lines().count() < 250, "{text}");
        }
        tx.send(5).unwrap();
        assert_eq!(deep.join().unwrap(), 5);
    });
}

#[test]
fn those_that_run_are_told_without_a_stack() {
    // A stack that is read while it changes.
    let _turn = turn("those_that_run_are_told_without_a_stack");
    runtime::set_max_procs(2);
    let (begun, stop) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let busy = go!(clone begun, stop, name = "busy"; {
        begun.store(true, SeqCst);
        while !stop.load(SeqCst) {
            std::hint::spin_loop();
        }
    });
    while !begun.load(SeqCst) {
        thread::yield_now();
    }
    let dump = dump();
    let g = find(&dump, busy.id().get()).unwrap();
    assert_eq!((g.name(), g.state(), g.reason(), g.waiting()), (Some("busy"), GoroutineState::Running, None, None));
    let text = g.to_string();
    assert!(text.contains("\"busy\" [running]:\n\tgoroutine running on other thread; stack unavailable\n"), "{text}");
    assert!(text.contains("created by go! on a plain thread at tests/diag/looks.rs:"), "{text}");
    stop.store(true, SeqCst);
    busy.join().unwrap();
}

#[test]
fn the_caller_is_told_first_and_with_its_stack() {
    // A program that prints its own dump, and does not find itself.
    #[inline(never)]
    fn asks() -> Dump {
        std::hint::black_box(dump())
    }
    let _turn = turn("the_caller_is_told_first_and_with_its_stack");
    everywhere(1, || {
        // Little room: the backtrace must not run off the stack.
        let asker = go!(stack = 64 << 10; { (asks(), runtime::id().unwrap()) });
        let (dump, id) = asker.join().unwrap();
        let first = dump.goroutines().next().unwrap();
        assert_eq!((first.id(), first.state()), (id, GoroutineState::Running));
        assert!(first.frames()[0].function().ends_with("asks"), "{first}");
    });
    assert!(dump().goroutines().all(|g| g.state() != GoroutineState::Running), "a plain thread is no goroutine");
}

#[test]
fn ten_thousand_are_grouped() {
    // A text that nobody can read, and that takes minutes to write.
    let _turn = turn("ten_thousand_are_grouped");
    gaggle::run(|| {
        let (tx, rx) = chan::<u32>(0);
        let sleepers: Vec<_> = (0..10_000).map(|_| go!(clone rx; { waits_here(&rx) })).collect();
        let odd = go!(clone rx, name = "the odd one"; { waits_here(&rx); });
        let ids: Vec<_> = sleepers.iter().map(|g| (g.id().get(), "chan receive")).collect();
        let odd_id = odd.id().get();
        let dump = off(move || {
            dump_of_sleepers(&[(odd_id, "chan receive")]);
            dump_of_sleepers(&ids)
        });
        let text = dump.to_string();
        assert!(text.lines().count() < 100, "{} lines", text.lines().count());
        assert!(text.contains("10000 goroutines [chan receive]:\n# "), "{text}");
        assert!(text.contains(" and 9990 more\n"), "{text}");
        assert!(text.contains("\"the odd one\""), "{text}");
        assert_eq!(json::check(&dump.to_json()), Ok(()));
        drop(tx);
        odd.join().unwrap();
        sleepers.into_iter().for_each(|g| assert_eq!(g.join().unwrap(), None));
    });
}

#[test]
fn the_json_is_json() {
    // A name with a quotation mark, and the reader of the dump gives up.
    let _turn = turn("the_json_is_json");
    gaggle::run(|| {
        let (tx, rx) = chan::<u32>(0);
        let odd = go!(name = "a \"name\"\\ \n\t\u{1} ü"; { waits_here(&rx) });
        let id = odd.id().get();
        let dump = off(move || dump_of_sleepers(&[(id, "chan receive")]));
        let text = dump.to_json();
        assert_eq!(json::check(&text), Ok(()), "{text}");
        assert!(
            text.contains(r#","name":"a \"name\"\\ \n\u0009\u0001 ü","reason":"chan receive","waiting_ms":"#),
            "{text}"
        );
        drop(tx);
        odd.join().unwrap();
    });
}

/// A crowd that passes numbers around and is renewed all the time.
fn crowd(rounds: usize) {
    let (tx, rx) = chan::<usize>(0);
    let (done, finished) = chan::<usize>(4);
    for _ in 0..4 {
        go!(clone tx; { (0..rounds).for_each(|n| tx.send(n).unwrap()) });
        go!(clone rx, done; {
            let mut sum = 0;
            for n in 0..rounds {
                // Short lives in the same objects, some with names.
                let builder = gaggle::task::Builder::new();
                let builder = if n % 2 == 0 { builder.name(format!("number {n}")) } else { builder };
                sum += builder.spawn(|| { runtime::yield_now(); 0 }).unwrap().join().unwrap();
                sum += rx.recv().unwrap();
            }
            done.send(sum).unwrap();
        });
    }
    let sum: usize = (0..4).map(|_| finished.recv().unwrap()).sum();
    assert_eq!(sum, 4 * (rounds * (rounds - 1) / 2));
}

#[test]
fn being_looked_at_loses_no_wake_up() {
    // A sleeper that was woken while its stack was looked at, and that neither side made runnable; or that both did.
    let _turn = turn("being_looked_at_loses_no_wake_up");
    everywhere(scaled(10), || {
        let stop = Arc::new(AtomicBool::new(false));
        let looks = Arc::new(AtomicUsize::new(0));
        // One looks from a thread, one as a goroutine: they meet at the same sleepers, too.
        let thread = {
            let (stop, looks) = (stop.clone(), looks.clone());
            thread::spawn(move || {
                while !stop.load(SeqCst) {
                    looks.fetch_add(dump().goroutines().filter(|g| g.reason().is_some()).count(), SeqCst);
                }
            })
        };
        let goroutine = go!(clone stop; {
            while !stop.load(SeqCst) {
                drop(dump());
                runtime::yield_now();
            }
        });
        crowd(scaled(500));
        // The thread may get no time before that: until it has seen somebody wait.
        while looks.load(SeqCst) == 0 {
            crowd(1);
        }
        stop.store(true, SeqCst);
        goroutine.join().unwrap();
        off(move || thread.join().unwrap());
    });
}
