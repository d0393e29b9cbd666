//! Pools: reuse, and what is dropped when.

use super::*;
use gaggle::sync::Pool;

/// Counts those that exist.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn a_value_is_one_holders_at_a_time() {
    // A value handed out twice, or lost while nobody could hold it.
    in_both_modes(|| {
        let made = Arc::new(AtomicUsize::new(0));
        let count = made.clone();
        let pool = Arc::new(Pool::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
            AtomicBool::new(false)
        }));
        mixed(8, move |_| {
            for _ in 0..100 {
                let value = pool.get();
                assert!(!value.swap(true, Ordering::SeqCst), "held twice, or dirty");
                yield_now();
                value.store(false, Ordering::SeqCst);
                pool.put(value);
            }
        });
        assert!(made.load(Ordering::SeqCst) <= 8, "{made:?}");
    });
}

#[test]
fn what_is_not_needed_goes_and_the_rest_with_the_pool() {
    // A burst that occupies its memory for ever; or a pool that drops what is in use all the time.
    let (alive, made) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, counted) = (alive.clone(), made.clone());
    let pool = Pool::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
        counted.fetch_add(1, Ordering::SeqCst);
        Counted(count.clone())
    });
    let burst: Vec<_> = (0..1000).map(|_| pool.get()).collect();
    burst.into_iter().for_each(|value| pool.put(value));
    for _ in 0..20 * 1024 {
        let pair = (pool.get(), pool.get());
        pool.put(pair.0);
        pool.put(pair.1);
    }
    let left = alive.load(Ordering::SeqCst);
    assert!((2..10).contains(&left), "{left} left of a burst of 1000");
    assert_eq!(made.load(Ordering::SeqCst), 1000, "what is used all the time stays");
    let mine = pool.get();
    pool.clear();
    assert_eq!(alive.load(Ordering::SeqCst), 1);
    pool.put(mine);
    drop(pool);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}
