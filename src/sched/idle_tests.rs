//! The idle protocol by itself: its decisions one by one, and its races in every interleaving (under loom).

use super::*;

/// A worker as the protocol sees it.
struct Toy {
    asleep: AtomicBool,
    locked: bool,
    own_work: bool,
}

impl PartialEq for Toy {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self, other)
    }
}

impl core::fmt::Debug for Toy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Toy({:p})", self)
    }
}

impl Sleeper for &'static Toy {
    fn asleep(&self) -> &AtomicBool {
        &self.asleep
    }

    fn is_locked(&self) -> bool {
        self.locked
    }

    fn has_own_work(&self) -> bool {
        self.own_work
    }
}

type Toys = Idle<u32, &'static Toy>;

fn worker(locked: bool, own_work: bool) -> &'static Toy {
    Box::leak(Box::new(Toy { asleep: AtomicBool::new(false), locked, own_work }))
}

/// Processors 1 to `n`, all of them idle.
fn with_idle(n: u32) -> Toys {
    let (idle, mut next) = (Toys::new(), 1..);
    let handed = idle.resize(n as usize, || next.next().unwrap());
    assert_eq!(handed, []);
    idle
}

/// Takes an idle processor, with the right to search.
fn take(idle: &Toys) -> u32 {
    let handover = idle.announce().expect("a processor is idle and nobody searches");
    assert!(handover.searching);
    handover.processor
}

fn to(w: &'static Toy, processor: u32, searching: bool) -> Handover<u32, &'static Toy> {
    Handover { heir: Heir::Worker(w), processor, searching }
}

#[cfg(not(loom))]
mod decisions {
    use super::*;

    fn lay_down(idle: &Toys, w: &'static Toy, p: u32, searching: bool) {
        assert_eq!(idle.lay_down(w, p, searching, |_| unreachable!()), None);
    }

    #[test]
    fn a_locked_worker_is_not_sent_to_search() {
        // It does not search: the work waits, and the processor goes round in circles.
        let idle = with_idle(2);
        let (locked, other) = (worker(true, false), worker(false, false));
        let held = take(&idle);
        idle.retire();
        let p = take(&idle);
        lay_down(&idle, other, held, false);
        lay_down(&idle, locked, p, true);
        assert_eq!(idle.announce(), Some(to(other, p, true)));
        idle.retire();
        assert_eq!(idle.announce().map(|h| h.heir), Some(Heir::NewThread));
        assert!(locked.asleep.load(Ordering::Relaxed));
    }

    #[test]
    fn a_locked_worker_gives_its_processor_to_one_that_can_use_it() {
        // Two locked workers hand the processor to each other, past those who could run what stands on it.
        let idle = with_idle(1);
        let p = take(&idle);
        idle.retire();
        let (first, second, other) = (worker(true, true), worker(true, false), worker(false, true));
        for waits in [second, other] {
            waits.asleep.store(true, Ordering::Relaxed);
            assert_eq!(idle.rouse(waits), None);
        }
        assert!(idle.processors_wanted());
        assert_eq!(idle.pass_on(first, p, true, |_| ()), Passed::Gone(Some(to(other, p, false))));
        // Those that wait get it afterwards, in their order.
        assert_eq!(idle.pass_on(other, p, false, |_| ()), Passed::Gone(Some(to(second, p, false))));
        assert_eq!(idle.pass_on(second, p, false, |_| ()), Passed::Gone(Some(to(first, p, false))));
    }

    #[test]
    fn only_sleepers_that_nobody_can_need_are_dismissed() {
        // The monitor takes all processors away, and one finds no heir; or one ends that is being handed a processor.
        let idle = with_idle(1);
        let workers: Vec<_> = (0..5).map(|_| worker(false, false)).collect();
        workers.iter().for_each(|w| idle.enlist(w));
        let p = take(&idle);
        assert!(!idle.dismiss(workers[4]), "it has been given the processor");
        lay_down(&idle, workers[4], p, true);
        assert!(idle.dismiss(workers[0]) && idle.dismiss(workers[3]));
        assert!(!workers.iter().any(|w| idle.dismiss(w)), "three are left");
        assert_eq!(idle.rouse(workers[0]), None, "it is gone");
    }

    #[test]
    fn a_sleeper_gets_up_once() {
        // One that is being handed a processor takes a second one, or a locked one takes what it cannot use.
        let idle = with_idle(3);
        let (w, locked) = (worker(false, false), worker(true, false));
        let p = take(&idle);
        idle.retire();
        let q = take(&idle);
        idle.retire();
        lay_down(&idle, w, p, false);
        lay_down(&idle, locked, q, false);
        assert_eq!(idle.get_up(locked), None);
        assert!(idle.get_up(w).is_some());
        assert_eq!(idle.get_up(w), None);
        assert_eq!(idle.announce().map(|h| h.heir), Some(Heir::NewThread), "it is no sleeper any more");
    }

    #[test]
    fn nobody_waits_while_a_processor_is_idle() {
        // A worker with goroutines of its own that waits behind a busy heir, beside an idle processor.
        let idle = with_idle(2);
        let p = take(&idle);
        idle.retire();
        let locked = worker(true, true);
        let Passed::Swapped(other, handover) = idle.pass_on(locked, p, true, |_| ()) else { panic!("it waits") };
        assert_ne!(other, p);
        assert_eq!(handover, Handover { heir: Heir::NewThread, processor: p, searching: false });
        assert!(!idle.processors_wanted());
    }

    #[test]
    fn processors_are_kept_unless_wanted() {
        // A switch of threads for nothing.
        let idle = with_idle(1);
        let p = take(&idle);
        assert_eq!(idle.pass_on(worker(false, true), p, false, |_| ()), Passed::Kept);
    }

    #[test]
    fn what_is_taken_goes_to_who_can_use_it() {
        // A processor taken away for nobody, past those who wait, or from a worker that nobody counts.
        let idle = with_idle(2);
        let (p, q) = (take(&idle), idle.lists.lock().idle.pop().unwrap());
        idle.retire();
        let retire = |_: &u32| unreachable!();
        assert_eq!(idle.retake(|| unreachable!(), retire), Retaken::NoHeir);
        let (sleeper, waits) = (worker(false, false), worker(false, true));
        idle.enlist(sleeper);
        assert!(idle.has_heir());
        assert_eq!(idle.retake(|| None, retire), Retaken::Kept);
        assert_eq!(idle.bereft(), 0);
        waits.asleep.store(true, Ordering::Relaxed);
        assert_eq!(idle.rouse(waits), None);
        assert_eq!(idle.retake(|| Some(p), retire), Retaken::Taken(Some(to(waits, p, false))));
        assert_eq!(idle.retake(|| Some(q), retire), Retaken::Taken(Some(to(sleeper, q, false))));
        assert!(!sleeper.asleep.load(Ordering::Relaxed));
        assert_eq!((idle.bereft(), idle.has_heir()), (2, false));
    }

    #[test]
    fn a_bereft_worker_comes_home() {
        // It lies down beside an idle processor, waits although it has nothing to run, or is counted for ever.
        let idle = with_idle(1);
        let p = take(&idle);
        idle.retire();
        let (heir, hog, other) = (worker(false, false), worker(false, true), worker(false, false));
        for w in [heir, other] {
            idle.enlist(w);
        }
        for _ in 0..2 {
            assert!(matches!(idle.retake(|| Some(p), |_| ()), Retaken::Taken(Some(_))));
        }
        assert_eq!((idle.bereft(), idle.regain()), (2, None));
        assert_eq!(idle.come_home(hog), None);
        assert!(idle.processors_wanted(), "it has work of its own");
        assert_eq!(idle.pass_on(heir, p, false, |_| ()), Passed::Gone(Some(to(hog, p, false))));
        assert_eq!(idle.lay_down(hog, p, false, |_| ()), None);
        assert_eq!(idle.come_home(worker(true, false)), None, "a locked one without work leaves it");
        assert_eq!((idle.bereft(), idle.lay_watcher_down()), (0, true));
    }

    #[test]
    fn what_is_taken_may_go_out_of_use() {
        // A hog that keeps a processor that there should not be any more.
        let idle = with_idle(1);
        let p = take(&idle);
        idle.retire();
        idle.resize(0, || unreachable!());
        let mut emptied = false;
        assert_eq!(idle.retake(|| Some(p), |_| emptied = true), Retaken::Taken(None));
        assert!(emptied);
        assert!(!idle.processors_wanted());
    }

    #[test]
    fn a_processor_whose_thread_did_not_start_is_not_lost() {
        // The limit of threads is reached: those that run go on, and find the processor idle.
        let idle = with_idle(1);
        let p = take(&idle);
        assert_eq!(idle.disinherit(p, true, |_| unreachable!()), None);
        assert_eq!(idle.announce().map(|h| (h.processor, h.searching)), Some((p, true)));
    }

    #[test]
    fn fewer_and_more_processors() {
        // A processor lost, or in use twice, after its number went down and up again.
        let idle = with_idle(3);
        let held = take(&idle);
        assert_eq!(idle.resize(1, || unreachable!()), []);
        assert_eq!(idle.announce(), None);
        idle.resize(0, || unreachable!());
        assert!(idle.processors_wanted());
        let mut emptied = false;
        let w = worker(false, true);
        assert_eq!(idle.pass_on(w, held, false, |_| emptied = true), Passed::Gone(None));
        assert!(emptied);
        assert_eq!(idle.resize(2, || unreachable!()).len(), 1);
        idle.retire();
        let mut all: Vec<_> = (0..2).filter_map(|_| idle.announce().inspect(|_| idle.retire())).collect();
        assert_eq!(all.len(), 1);
        assert_eq!(all.pop().map(|h| h.heir), Some(Heir::NewThread));
    }
}

#[cfg(loom)]
mod models {
    use super::super::super::lookout::Lookout;
    use super::*;
    use crate::primitives::sync::Arc;
    use loom::thread;

    struct Shared {
        idle: Toys,
        /// What the submitters make visible: one flag each, as a run queue is to a thief.
        work: [AtomicBool; 2],
    }

    fn shared(processors: u32) -> Arc<Shared> {
        Arc::new(Shared { idle: with_idle(processors), work: [AtomicBool::new(false), AtomicBool::new(false)] })
    }

    type Given = Option<Handover<u32, &'static Toy>>;

    impl Shared {
        fn submit(&self, n: usize) -> Given {
            // ORDERING: Relaxed; the fences under test order it.
            self.work[n].store(true, Ordering::Relaxed);
            self.idle.announce()
        }

        /// Takes all work that it sees.
        fn take_work(&self) {
            self.work.iter().filter(|w| w.load(Ordering::Relaxed)).for_each(|w| w.store(false, Ordering::Relaxed));
        }

        fn any_work(&self) -> bool {
            // ORDERING: Relaxed; the fences under test order it.
            self.work.iter().any(|w| w.load(Ordering::Relaxed))
        }

        /// Lies down and takes the last look.
        fn sleep(&self, w: &'static Toy, p: u32, searching: bool) -> Given {
            assert_eq!(self.idle.lay_down(w, p, searching, |_| unreachable!()), None);
            self.idle.look_again();
            if self.any_work() { self.idle.announce() } else { None }
        }
    }

    /// Mutations seen to fail here: without F1; without F2; `retire` after the last look.
    #[test]
    fn b14_submit_against_sleep() {
        for searching in [true, false] {
            loom::model(move || {
                let s = shared(1);
                let p = take(&s.idle);
                if !searching {
                    s.idle.retire();
                }
                let sleeper = {
                    let s = s.clone();
                    thread::spawn(move || s.sleep(worker(false, false), p, searching))
                };
                let ours = s.submit(0);
                let theirs = sleeper.join().unwrap();
                let given: Vec<_> = ours.into_iter().chain(theirs).collect();
                assert_eq!(given.len(), 1, "nobody looks at the work, or a processor was given out twice");
                assert!(given[0].searching);
            });
        }
    }

    /// Mutations seen to fail here: without F3; without F2.
    #[test]
    fn b14_post_home_against_sleep() {
        loom::model(|| {
            let s = shared(1);
            let p = take(&s.idle);
            let home = worker(false, false);
            let sleeper = {
                let s = s.clone();
                thread::spawn(move || {
                    assert_eq!(s.idle.lay_down(home, p, true, |_| unreachable!()), None);
                    s.idle.look_again();
                    if s.any_work() { s.idle.rouse(home) } else { None }
                })
            };
            // ORDERING: Relaxed; the fences under test order it.
            s.work[0].store(true, Ordering::Relaxed);
            let ours = s.idle.announce_home(home);
            let theirs = sleeper.join().unwrap();
            let given: Vec<_> = ours.into_iter().chain(theirs).collect();
            assert_eq!(given, [to(home, p, false)]);
        });
    }

    /// Mutations seen to fail here: `retire` after unlocking in `wake_searcher`.
    #[test]
    fn a_search_without_a_processor_leaves_nobody_alone() {
        loom::model(|| {
            let s = shared(1);
            let home = worker(false, false);
            home.asleep.store(true, Ordering::Relaxed);
            let roused = {
                let s = s.clone();
                thread::spawn(move || {
                    // Its own goroutine gets it the processor; then it runs what it sees, and sleeps again.
                    let Handover { processor, .. } = s.idle.rouse(home)?;
                    s.take_work();
                    s.sleep(worker(false, false), processor, false)
                })
            };
            let submitter = {
                let s = s.clone();
                thread::spawn(move || s.submit(0))
            };
            let ours = s.submit(1);
            let others = [submitter.join().unwrap(), roused.join().unwrap()];
            let given = ours.into_iter().chain(others.into_iter().flatten()).count();
            assert!(given <= 1, "a processor was given out twice");
            assert!(given == 1 || !s.any_work(), "nobody looks at the work");
        });
    }

    #[test]
    fn b14_post_home_against_coming_home() {
        // A bereft worker that lies down just as something is posted to it.
        loom::model(|| {
            let s = shared(1);
            // Of the locked kind, which leaves an idle processor to others while it has nothing to run.
            let home = worker(true, false);
            s.idle.lists.lock().bereft = 1;
            let comer = {
                let s = s.clone();
                thread::spawn(move || {
                    assert_eq!(s.idle.come_home(home), None);
                    s.idle.look_again();
                    if s.any_work() { s.idle.rouse(home) } else { None }
                })
            };
            // ORDERING: Relaxed; the fences under test order it.
            s.work[0].store(true, Ordering::Relaxed);
            let ours = s.idle.announce_home(home);
            let theirs = comer.join().unwrap();
            let given: Vec<_> = ours.into_iter().chain(theirs).collect();
            assert_eq!(given, [to(home, 1, false)]);
        });
    }

    #[test]
    fn the_watcher_does_not_sleep_while_a_processor_is_in_use() {
        // The first goroutine after a quiet time computes without end, and the monitor sleeps on.
        loom::model(|| {
            let s = shared(1);
            let watcher = {
                let s = s.clone();
                thread::spawn(move || s.idle.lay_watcher_down())
            };
            assert!(s.submit(0).is_some());
            let rings = s.idle.rouse_watcher();
            let sleeps = watcher.join().unwrap();
            assert!(!sleeps || rings, "nobody wakes it");
        });
    }

    /// Mutations seen to fail here: `stop_searching` that tells nobody.
    #[test]
    fn the_last_to_find_looks_after_the_others() {
        loom::model(|| {
            let s = shared(2);
            take(&s.idle);
            let finder = {
                let s = s.clone();
                thread::spawn(move || s.idle.stop_searching())
            };
            let ours = s.submit(0);
            let theirs = finder.join().unwrap();
            assert_eq!(ours.into_iter().chain(theirs).count(), 1, "nobody looks at the work");
        });
    }

    /// Mutations seen to fail here: `rouse` that does not ask `asleep` under the lock.
    #[test]
    fn a_worker_is_given_one_processor() {
        loom::model(|| {
            let s = shared(2);
            let home = worker(false, false);
            let p = take(&s.idle);
            assert_eq!(s.idle.lay_down(home, p, true, |_| unreachable!()), None);
            let submitter = {
                let s = s.clone();
                thread::spawn(move || s.submit(0))
            };
            let ours = s.idle.announce_home(home);
            let theirs = submitter.join().unwrap();
            let given: Vec<_> = ours.into_iter().chain(theirs).collect();
            assert_eq!(given.iter().filter(|h| h.heir == Heir::Worker(home)).count(), 1);
            assert!(given.len() < 2 || given[0].processor != given[1].processor);
        });
    }

    /// Mutations seen to fail here: `needs_lookout` asked before the processor is let go; a holder that goes to its bell
    /// without asking again.
    #[test]
    fn when_all_sleep_somebody_keeps_the_lookout() {
        // One relies on the holder, which gets up, and goes to sleep again without taking the lookout: no clock, no events.
        loom::model(|| {
            let shared = Arc::new((with_idle(2), Lookout::new()));
            let (first, second) = (worker(false, false), worker(false, false));
            let (a, b) = (take(&shared.0), take_second(&shared.0));
            let sleep = |shared: &(Toys, Lookout<Toy>), w: &'static Toy, p: u32| {
                assert_eq!(shared.0.lay_down(w, p, false, |_| unreachable!()), None);
                shared.0.look_again();
                shared.0.needs_lookout() && shared.1.take(w)
            };
            // The first one keeps the lookout, and is called while the second one lies down.
            assert!(sleep(&shared, first, a));
            let other = {
                let shared = shared.clone();
                thread::spawn(move || sleep(&shared, second, b))
            };
            shared.1.leave();
            match shared.0.get_up(first) {
                Some(p) => _ = sleep(&shared, first, p),
                None => _ = shared.0.needs_lookout() && shared.1.take(first),
            }
            other.join().unwrap();
            assert!(shared.0.all_idle() && !shared.1.is_vacant());
        });
    }

    /// Takes another one, and ends the search that both came with.
    fn take_second(idle: &Toys) -> u32 {
        idle.retire();
        let p = take(idle);
        idle.retire();
        p
    }
}
