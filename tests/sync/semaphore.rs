//! The semaphore: limits, order, timeouts, misuse.

use super::*;

#[test]
fn hammer() {
    // More permits out than there are, or a waiter that nobody serves (x/sync's TestWeighted).
    in_both_modes(|| {
        let shared = Arc::new((Semaphore::new(5), AtomicUsize::new(0)));
        let total = shared.clone();
        mixed(8, move |party| {
            let weight = party % 5 + 1;
            for n in 0..100 {
                let has = match n % 3 {
                    0 => shared.0.try_acquire(weight),
                    1 => shared.0.acquire_timeout(weight, Duration::from_micros(50)),
                    _ => {
                        shared.0.acquire(weight);
                        true
                    }
                };
                if !has {
                    continue;
                }
                assert!(shared.1.fetch_add(weight, Ordering::SeqCst) + weight <= 5);
                if n % 7 == 0 {
                    yield_now();
                }
                shared.1.fetch_sub(weight, Ordering::SeqCst);
                shared.0.release(weight);
            }
        });
        assert!(total.0.try_acquire(5), "{:?}", total.0);
    });
}

#[test]
fn a_large_request_is_not_starved_by_small_ones() {
    // Small requests overtake a large one for ever (x/sync's TestLargeAcquireDoesntStarve).
    in_both_modes(|| {
        let (sem, stop) = (Arc::new(Semaphore::new(4)), Arc::new(AtomicBool::new(false)));
        sem.acquire(4);
        let wg = WaitGroup::new();
        for _ in 0..4 {
            go!(clone sem, stop, wg; {
                wg.add(1);
                while !stop.load(Ordering::SeqCst) {
                    sem.acquire(1);
                    sleep(Duration::from_micros(50));
                    sem.release(1);
                }
                wg.done();
            });
        }
        sem.release(4);
        sem.acquire(4);
        stop.store(true, Ordering::SeqCst);
        sem.release(4);
        wg.wait();
    });
}

#[test]
fn one_that_gives_up_lets_those_behind_it_through() {
    // A large request times out, and the small ones behind it, which could be served, sleep on.
    in_both_modes(|| {
        let sem = Arc::new(Semaphore::new(2));
        sem.acquire(1);
        let large = go!(clone sem; { sem.acquire_timeout(2, ms(5)) });
        while sem.try_acquire(1) {
            sem.release(1);
            if large.is_finished() {
                break;
            }
            yield_now();
        }
        let small = go!(clone sem; { sem.acquire_timeout(1, HANG) });
        assert!(!large.join().unwrap());
        assert!(small.join().unwrap(), "{sem:?}");
        sem.release(2);
        assert!(sem.try_acquire(2));
    });
}

#[test]
fn misuse_panics() {
    // A release too many, or a request that can never be met, goes unnoticed.
    let sem = Semaphore::new(2);
    assert!(panics_with("semaphore: released more than held", || sem.release(1)));
    sem.acquire(1);
    assert!(panics_with("semaphore: released more than held", || sem.release(2)));
    assert!(panics_with("3 permits asked for, of 2", || sem.acquire(3)));
    assert!(!sem.try_acquire(3));
    sem.acquire(0);
    sem.release(1);
    assert!(sem.try_acquire(2));
    assert!(panics_with("semaphore: size out of range", || Semaphore::new(usize::MAX)));
}

#[test]
fn a_permit_is_released_when_its_holder_panics() {
    // A permit that is lost with its goroutine.
    let sem = Arc::new(Semaphore::new(1));
    let other = sem.clone();
    spawn(move || {
        let _permit = other.permit(1);
        panic!("expected in this test's output");
    })
    .join()
    .unwrap_err();
    let permit = sem.try_permit(1);
    assert!(permit.is_some());
    assert!(sem.try_permit(1).is_none() && !sem.try_acquire(1), "a permit that was not given is not released");
}
