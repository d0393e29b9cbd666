//! Pools with limits and times of their own.

use super::*;
use crate::chan;
use crate::primitives::sync::Arc;

fn pool(keep_alive: Duration) -> &'static Pool {
    Box::leak(Box::new(Pool { crew: Crew::new(), keep_alive }))
}

fn on(pool: &'static Pool, limit: usize, f: impl FnOnce() + Send + 'static) -> crate::JoinHandle<()> {
    crate::spawn(move || pool.run(limit, WaitReason::Blocking, f))
}

#[test]
fn the_limit_holds_and_nobody_is_forgotten() {
    // More threads than allowed; a call that waits in line for ever.
    let pool = pool(Duration::from_secs(10));
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let calls: Vec<_> = (0..200)
        .map(|_| {
            let (now, most) = (now.clone(), most.clone());
            on(pool, 3, move || {
                // ORDERING: Relaxed; counts.
                most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                std::thread::yield_now();
                now.fetch_sub(1, Ordering::Relaxed);
            })
        })
        .collect();
    calls.into_iter().for_each(|call| call.join().unwrap());
    // ORDERING: Relaxed; all calls were joined.
    assert!((1..=3).contains(&most.load(Ordering::Relaxed)));
    assert!((1..=3).contains(&pool.crew.threads()));
}

#[test]
fn threads_without_work_end() {
    // A pool that only ever grows.
    let pool = pool(Duration::from_millis(5));
    let (tx, rx) = chan::<()>(0);
    let calls: Vec<_> =
        (0..8).map(|_| rx.clone()).map(|rx| on(pool, 8, move || assert!(rx.recv().is_some()))).collect();
    for _ in 0..8 {
        tx.send(()).unwrap();
    }
    calls.into_iter().for_each(|call| call.join().unwrap());
    let start = Instant::now();
    while pool.crew.threads() != 0 {
        assert!(start.elapsed() < Duration::from_secs(30), "threads that stay");
        std::thread::yield_now();
    }
    // And comes back.
    on(pool, 8, || ()).join().unwrap();
}

#[test]
fn a_thread_that_is_about_to_end_does_the_job_first() {
    // A job that is given to a thread at the moment when its time is up.
    let pool = pool(Duration::ZERO);
    crate::run(|| {
        for n in 0..500 {
            assert_eq!(pool.run(1, WaitReason::Blocking, || n + 1), n + 1);
        }
    });
}
