//! The barrier: rounds and leaders.

use super::*;

#[test]
fn rounds_do_not_mix_and_have_one_leader() {
    // A fast party that is through two rounds while a slow one is in the first.
    in_both_modes(|| {
        const PARTIES: usize = 6;
        let shared = Arc::new((Barrier::new(PARTIES), AtomicUsize::new(0), AtomicUsize::new(0)));
        let total = shared.clone();
        mixed(PARTIES, move |_| {
            for round in 1..=50 {
                shared.1.fetch_add(1, Ordering::SeqCst);
                let leads = shared.0.wait().is_leader();
                assert!(shared.1.load(Ordering::SeqCst) >= round * PARTIES);
                shared.2.fetch_add(usize::from(leads), Ordering::SeqCst);
                shared.0.wait();
                assert!(shared.1.load(Ordering::SeqCst) <= (round + 1) * PARTIES);
            }
        });
        assert_eq!(total.2.load(Ordering::SeqCst), 50);
    });
}

#[test]
fn nobody_waits_at_a_barrier_of_none_or_one() {
    // A barrier that waits for one party more than there is.
    for parties in [0, 1] {
        let barrier = Barrier::new(parties);
        assert!(barrier.wait().is_leader() && barrier.wait().is_leader());
    }
}
