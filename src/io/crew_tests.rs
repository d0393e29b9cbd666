//! The pool's decisions one by one, and their races in every interleaving (under loom).

use super::*;

#[cfg(not(loom))]
mod decisions {
    use super::*;

    type Toy = Crew<u32, &'static str>;

    #[test]
    fn the_warmest_idle_thread_gets_the_job() {
        // A pool that wakes its coldest thread each time never shrinks.
        let crew = Toy::new();
        let (Submitted::Start(a), Submitted::Start(b)) = (crew.submit(1, 9), crew.submit(2, 9)) else { panic!() };
        assert_eq!((crew.given(a), crew.given(b)), (Some(1), Some(2)));
        assert_eq!((crew.next(a, &"a"), crew.next(b, &"b")), (None, None));
        assert_eq!(crew.submit(3, 9), Submitted::Ring("b"));
        assert_eq!(crew.submit(4, 9), Submitted::Ring("a"));
        assert_eq!((crew.given(a), crew.given(b)), (Some(4), Some(3)));
    }

    #[test]
    fn beyond_the_limit_jobs_wait_in_order() {
        // A thread more than was allowed; a job that is overtaken, or forgotten.
        let crew = Toy::new();
        let Submitted::Start(seat) = crew.submit(1, 1) else { panic!() };
        for job in 2..5 {
            assert_eq!(crew.submit(job, 1), Submitted::Queued);
        }
        assert_eq!(crew.given(seat), Some(1));
        for job in 2..5 {
            assert_eq!(crew.next(seat, &"bell"), Some(job));
        }
        assert_eq!(crew.next(seat, &"bell"), None);
    }

    #[test]
    fn who_leaves_takes_what_it_was_given_at_the_last_moment() {
        // A job given to a thread whose time is up: nobody else knows of it.
        let crew = Toy::new();
        let Submitted::Start(seat) = crew.submit(1, 1) else { panic!() };
        crew.given(seat);
        assert_eq!(crew.next(seat, &"bell"), None);
        assert_eq!(crew.submit(2, 1), Submitted::Ring("bell"));
        assert_eq!(crew.leave(seat), Some(2));
        assert_eq!(crew.next(seat, &"bell"), None);
        assert_eq!((crew.leave(seat), crew.threads()), (None, 0));
        // Its seat serves the next one.
        assert_eq!(crew.submit(3, 1), Submitted::Start(seat));
    }

    #[test]
    fn the_last_to_fail_gets_everything() {
        // A job that waits for a thread that was never started.
        let crew = Toy::new();
        let (Submitted::Start(a), Submitted::Start(b)) = (crew.submit(1, 2), crew.submit(2, 2)) else { panic!() };
        assert_eq!(crew.submit(3, 2), Submitted::Queued);
        assert_eq!(crew.start_failed(a), Failed::Left(None));
        assert_eq!(crew.start_failed(b), Failed::RunThese([3, 1, 2].into()));
        assert_eq!(crew.threads(), 0);
    }

    #[test]
    fn a_failed_start_is_left_to_an_idle_thread() {
        // A job in the queue while a thread sleeps.
        let crew = Toy::new();
        let (Submitted::Start(a), Submitted::Start(b)) = (crew.submit(1, 2), crew.submit(2, 2)) else { panic!() };
        crew.given(a);
        assert_eq!(crew.next(a, &"bell"), None);
        assert_eq!(crew.start_failed(b), Failed::Left(Some("bell")));
        assert_eq!(crew.given(a), Some(2));
    }
}

/// Seen to catch: a thread that leaves without looking at its seat, or without giving up its place among the idle; a
/// thread that goes idle without looking at the queue; a failed start that leaves its job to nobody, or the queue; a
/// bell that is rung before the gift.
#[cfg(loom)]
mod models {
    use super::*;
    use crate::primitives::atomic::{AtomicUsize, Ordering};
    use crate::primitives::sync::Arc;
    use loom::sync::Notify;
    use loom::thread;

    /// Ends the thread that gets it.
    const QUIT: usize = 100;

    #[derive(Clone)]
    struct Bell(Arc<Notify>);

    struct Pool {
        crew: Crew<usize, Bell>,
        limit: usize,
        /// Starts that fail, from the first on.
        failures: AtomicUsize,
        /// How often each job was run.
        runs: [AtomicUsize; 3],
        /// Whether an idle thread's time is up at once.
        impatient: bool,
    }

    impl Pool {
        fn new(limit: usize, failures: usize, impatient: bool) -> Arc<Self> {
            let runs = core::array::from_fn(|_| AtomicUsize::new(0));
            Arc::new(Self { crew: Crew::new(), limit, failures: AtomicUsize::new(failures), runs, impatient })
        }

        fn run(&self, job: usize) {
            // ORDERING: Relaxed; a count, read after all threads were joined.
            self.runs[job].fetch_add(1, Ordering::Relaxed);
        }

        fn submit(pool: &Arc<Self>, job: usize) -> Option<thread::JoinHandle<()>> {
            match pool.crew.submit(job, pool.limit) {
                Submitted::Queued => None,
                Submitted::Ring(bell) => {
                    bell.0.notify();
                    None
                }
                Submitted::Start(seat) => Self::start(pool, seat),
            }
        }

        fn start(pool: &Arc<Self>, seat: usize) -> Option<thread::JoinHandle<()>> {
            // ORDERING: Relaxed; which of the starts fail does not matter.
            let fails = pool.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
            if fails.is_err() {
                let pool = pool.clone();
                return Some(thread::spawn(move || pool.work(seat)));
            }
            match pool.crew.start_failed(seat) {
                Failed::Left(bell) => bell.into_iter().for_each(|bell| bell.0.notify()),
                Failed::RunThese(jobs) => jobs.into_iter().filter(|job| *job != QUIT).for_each(|job| pool.run(job)),
            }
            None
        }

        fn work(&self, seat: usize) {
            let bell = Bell(Arc::new(Notify::new()));
            let mut job = self.crew.given(seat);
            while let Some(n) = job {
                if n == QUIT {
                    return;
                }
                self.run(n);
                job = self.crew.next(seat, &bell);
                while job.is_none() {
                    if self.impatient {
                        job = self.crew.leave(seat);
                        break;
                    }
                    bell.0.wait();
                    job = self.crew.given(seat);
                }
            }
        }

        fn check(&self, jobs: usize) {
            for job in 0..jobs {
                // ORDERING: Relaxed; all threads were joined.
                assert_eq!(self.runs[job].load(Ordering::Relaxed), 1, "job {job}");
            }
        }
    }

    #[test]
    fn a_job_given_while_the_thread_leaves() {
        // A job that is queued for a thread which has already decided to end: nobody runs it.
        loom::model(|| {
            let pool = Pool::new(1, 0, true);
            let first = Pool::submit(&pool, 0);
            let other = pool.clone();
            let submitter = thread::spawn(move || Pool::submit(&other, 1).map(|t| t.join().unwrap()));
            let third = Pool::submit(&pool, 2);
            submitter.join().unwrap();
            [first, third].into_iter().flatten().for_each(|t| t.join().unwrap());
            pool.check(3);
            assert_eq!(pool.crew.threads(), 0);
        });
    }

    #[test]
    fn an_idle_thread_is_woken_for_each_job() {
        // A ring that an idle thread takes for the one before: the second job lies there.
        loom::model(|| {
            let pool = Pool::new(1, 0, false);
            let thread = Pool::submit(&pool, 0);
            let other = pool.clone();
            let submitter = thread::spawn(move || assert!(Pool::submit(&other, 1).is_none()));
            Pool::submit(&pool, 2);
            submitter.join().unwrap();
            Pool::submit(&pool, QUIT);
            thread.unwrap().join().unwrap();
            pool.check(3);
        });
    }

    #[test]
    fn starts_that_fail_leave_no_job_behind() {
        // The system refuses a thread, and the jobs that were queued for it wait for nobody; or one is run twice.
        for (limit, failures) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            loom::model(move || {
                let pool = Pool::new(limit, failures, true);
                let other = pool.clone();
                let submitter = thread::spawn(move || Pool::submit(&other, 1).map(|t| t.join().unwrap()));
                let threads = [Pool::submit(&pool, 0), Pool::submit(&pool, 2)];
                submitter.join().unwrap();
                threads.into_iter().flatten().for_each(|t| t.join().unwrap());
                pool.check(3);
                assert_eq!(pool.crew.threads(), 0);
            });
        }
    }
}
