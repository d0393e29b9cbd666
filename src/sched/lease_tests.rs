//! The lease in every interleaving: its processor is used by one at a time, and is never lost.

use super::*;
use crate::primitives::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

struct Shared {
    lease: Lease,
    /// What goes with a processor: loom reports two that use it at once.
    processor: UnsafeCell<u32>,
}

// SAFETY: the cell is accessed as the protocol under test allows; loom reports it otherwise.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self { lease: Lease::new(), processor: UnsafeCell::new(0) })
    }

    /// Uses the processor.
    fn work(&self) -> u32 {
        // SAFETY: exclusive, by the protocol under test.
        self.processor.with_mut(|n| unsafe {
            *n += 1;
            *n
        })
    }

    /// As a goroutine that comes into the scheduler: whether its worker holds the processor still.
    fn visit(&self) -> bool {
        let held = self.lease.enter() || !self.lease.is_taken();
        if held {
            self.work();
        }
        held
    }
}

/// Mutations seen to fail here: without the light fence; without the heavy one; `exit` Relaxed; `busy` looked at Relaxed.
#[test]
fn a_processor_is_used_by_one() {
    loom::model(|| {
        let s = Shared::new();
        s.work();
        s.lease.exit();
        let monitor = {
            let s = s.clone();
            thread::spawn(move || {
                // Twice: a look that came too early must not spoil the next one.
                let taken = (0..2).filter(|_| s.lease.revoke(|| true)).count();
                if taken != 0 {
                    // As whoever is given it.
                    s.work();
                }
                taken
            })
        };
        let mut held = true;
        for _ in 0..2 {
            held = s.visit();
            s.lease.exit();
            if !held {
                break;
            }
        }
        let taken = monitor.join().unwrap();
        assert!(taken <= 1, "it was taken twice");
        assert!(held || taken == 1, "it is lost");
        assert_eq!(s.lease.enter(), taken == 0);
    });
}

/// Mutations seen to fail here: without the light fence; without the heavy one.
#[test]
fn a_processor_comes_back() {
    // A worker that is given another one while the monitor looks on, and loses that one too, or neither.
    loom::model(|| {
        let s = Shared::new();
        s.lease.exit();
        assert!(s.lease.revoke(|| true));
        s.work();
        let monitor = {
            let s = s.clone();
            thread::spawn(move || {
                let taken = s.lease.revoke(|| true);
                if taken {
                    s.work();
                }
                taken
            })
        };
        assert!(!s.visit());
        s.lease.renew();
        s.work();
        s.lease.exit();
        let held = s.visit();
        s.lease.exit();
        let taken = monitor.join().unwrap();
        assert!(held || taken, "it is lost");
        assert_eq!(s.visit(), !taken, "it is held by two, or by nobody");
    });
}

/// Mutations seen to fail here: without the light fence; without the heavy one.
#[test]
fn what_the_owner_keeps_is_read_while_it_is_outside() {
    // A report on a goroutine that ends meanwhile.
    loom::model(|| {
        let s = Shared::new();
        s.lease.exit();
        let monitor = {
            let s = s.clone();
            thread::spawn(move || s.lease.inspect(|| s.work()))
        };
        assert!(s.visit());
        s.lease.exit();
        let seen = monitor.join().unwrap();
        assert!(s.lease.enter(), "looking is not taking");
        assert_eq!(s.work(), 2 + u32::from(seen.is_some()));
    });
}
