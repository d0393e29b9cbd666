//! The word of a descriptor by itself: its decisions one by one, and its races in every interleaving (under loom).

use super::*;
use crate::primitives::atomic::AtomicU32;

/// A wait.
#[derive(Clone, Copy)]
struct Toy(&'static Wait);

struct Wait {
    /// 0 while it is open.
    end: AtomicU32,
    #[cfg(loom)]
    woken: loom::sync::Notify,
}

const WOKEN: u32 = 1;
const TIMED_OUT: u32 = 2;

impl Toy {
    fn new() -> Self {
        Self(Box::leak(Box::new(Wait {
            end: AtomicU32::new(0),
            #[cfg(loom)]
            woken: loom::sync::Notify::new(),
        })))
    }

    fn end(self, how: u32) -> bool {
        // ORDERING: Relaxed, both; elects a winner, as a ticket's claim.
        self.0.end.compare_exchange(0, how, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl PartialEq for Toy {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self.0, other.0)
    }
}

impl core::fmt::Debug for Toy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Toy({:p})", self.0)
    }
}

impl Waiting for Toy {
    fn claim(self) -> bool {
        self.end(WOKEN)
    }
}

#[cfg(not(loom))]
mod decisions {
    use super::*;

    /// Three in the queue.
    fn three() -> (Readiness<Toy>, [Toy; 3]) {
        let (readiness, toys) = (Readiness::new(), [Toy::new(), Toy::new(), Toy::new()]);
        let look = readiness.look();
        assert!(toys.iter().all(|toy| readiness.enter(look, *toy)));
        (readiness, toys)
    }

    #[test]
    fn an_event_takes_the_first_and_passes_by_who_has_gone() {
        // A wake-up that is spent on somebody whose deadline was faster (B4).
        let (readiness, [first, second, third]) = three();
        assert!(first.end(TIMED_OUT));
        assert_eq!(readiness.event(0), Some(second));
        readiness.leave(first);
        assert_eq!(readiness.pass_on(), Some(third));
        assert!(!readiness.is_awaited());
        assert_eq!(readiness.pass_on(), None);
    }

    #[test]
    fn who_leaves_takes_nobody_along() {
        // The last to leave must clear the mark, the others must not.
        let (readiness, toys) = three();
        for toy in toys {
            assert!(readiness.is_awaited());
            readiness.leave(toy);
            readiness.leave(toy);
        }
        assert!(!readiness.is_awaited());
    }

    #[test]
    fn nobody_waits_for_an_event_that_has_come() {
        // Data that arrived between the try and the wait.
        let readiness = Readiness::new();
        let look = readiness.look();
        assert_eq!(readiness.event(0), None);
        assert!(!readiness.enter(look, Toy::new()));
        assert!(readiness.enter(readiness.look(), Toy::new()));
    }

    #[test]
    fn a_closed_descriptor_lets_everybody_go() {
        // A goroutine that waits for a listener which is closed.
        let (readiness, toys) = three();
        let look = readiness.look();
        assert!(toys[1].end(TIMED_OUT));
        assert_eq!(readiness.close().as_slice(), [toys[0], toys[2]]);
        assert!(!readiness.enter(look, Toy::new()));
        assert!(readiness.look().is_closed());
        readiness.stir();
        assert!(readiness.look().is_closed(), "opened again by an event");
    }

    #[test]
    fn an_event_of_another_generation_does_nothing() {
        // The poller's event for a descriptor that was closed reaches the one that has its slot now.
        let readiness = Readiness::new();
        readiness.close();
        readiness.renew(7);
        let look = readiness.look();
        let toy = Toy::new();
        assert!(!look.is_closed());
        assert!(readiness.enter(look, toy));
        assert_eq!(readiness.event(6), None);
        assert_eq!(readiness.event(7), Some(toy));
    }

    #[test]
    fn the_count_wraps_around_within_its_bits() {
        // A count that overflows into the generation: every later event is taken for a stale one.
        let readiness = Readiness::<Toy>::new();
        readiness.word.store(5 << GENERATION | COUNT, Ordering::Relaxed);
        assert_eq!(readiness.event(5), None);
        assert_eq!(readiness.look(), Look(5 << GENERATION));
    }
}

#[cfg(loom)]
mod models {
    use super::*;
    use crate::primitives::cell::UnsafeCell;
    use crate::primitives::sync::Arc;
    use loom::thread;

    /// A descriptor: so many bytes to read, in the kernel, which orders what it is asked.
    struct Descriptor {
        bytes: AtomicU32,
        readiness: Readiness<Toy>,
        /// What a deadline is kept in: written before `stir`.
        deadline: UnsafeCell<u32>,
    }

    // SAFETY: the cell is accessed only as the protocol under test allows; loom reports it otherwise.
    unsafe impl Sync for Descriptor {}
    // SAFETY: as above.
    unsafe impl Send for Descriptor {}

    #[derive(Debug, PartialEq)]
    enum Read {
        Byte,
        Closed,
    }

    fn wake(waiter: Option<Toy>) {
        if let Some(toy) = waiter {
            toy.0.woken.notify();
        }
    }

    fn time_out(toy: Toy) {
        if toy.end(TIMED_OUT) {
            toy.0.woken.notify();
        }
    }

    /// Sleeps until the wait has ended; says how.
    fn wait(toy: Toy) -> u32 {
        loop {
            // ORDERING: Relaxed; elects, as above.
            match toy.0.end.load(Ordering::Relaxed) {
                0 => toy.0.woken.wait(),
                end => return end,
            }
        }
    }

    impl Descriptor {
        fn new() -> Arc<Self> {
            Arc::new(Self { bytes: AtomicU32::new(0), readiness: Readiness::new(), deadline: UnsafeCell::new(0) })
        }

        /// Bytes arrive: one edge, however many there are.
        fn arrive(&self, bytes: u32) {
            // ORDERING: Relaxed; the kernel's state, ordered by the word under test.
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            wake(self.readiness.event(0));
        }

        /// Reads a byte as an operation does; the toy is the wait to use.
        fn read(&self, toys: &[Toy]) -> Read {
            let mut waits = 0;
            let end = loop {
                let look = self.readiness.look();
                if look.is_closed() {
                    break Read::Closed;
                }
                // ORDERING: Relaxed, both; as in `arrive`.
                let taken = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
                if taken.is_ok() {
                    break Read::Byte;
                }
                if self.readiness.enter(look, toys[waits]) {
                    assert_eq!(wait(toys[waits]), WOKEN);
                    waits += 1;
                }
            };
            if waits != 0 {
                wake(self.readiness.pass_on());
            }
            end
        }
    }

    fn toys() -> [Toy; 3] {
        [Toy::new(), Toy::new(), Toy::new()]
    }

    /// Mutations seen to fail here: `enter` that does not compare the count, or marks after it; an event that looks for
    /// the mark before it counts; `look` or the count Relaxed.
    #[test]
    fn an_event_between_the_try_and_the_wait_is_not_lost() {
        loom::model(|| {
            let d = Descriptor::new();
            let reader = {
                let d = d.clone();
                thread::spawn(move || d.read(&toys()))
            };
            d.arrive(1);
            assert_eq!(reader.join().unwrap(), Read::Byte);
            assert!(!d.readiness.is_awaited());
        });
    }

    #[test]
    fn one_event_serves_as_many_as_it_can() {
        // Two bytes, one edge: the second reader would wait for ever.
        loom::model(|| {
            let d = Descriptor::new();
            let readers = [0, 1].map(|_| {
                let d = d.clone();
                thread::spawn(move || d.read(&toys()))
            });
            d.arrive(2);
            for reader in readers {
                assert_eq!(reader.join().unwrap(), Read::Byte);
            }
            assert!(!d.readiness.is_awaited());
        });
    }

    /// Mutations seen to fail here: an event that is content with the first in the queue, claimed or not; without
    /// `pass_on`; a mark that goes with the first of two.
    #[test]
    fn b04_an_event_is_not_spent_on_one_who_timed_out() {
        loom::model(|| {
            let d = Descriptor::new();
            let [hasty, patient, _] = toys();
            let look = d.readiness.look();
            assert!(d.readiness.enter(look, hasty) && d.readiness.enter(look, patient));
            let timer = thread::spawn(move || time_out(hasty));
            let first = {
                let d = d.clone();
                thread::spawn(move || {
                    if wait(hasty) == TIMED_OUT {
                        d.readiness.leave(hasty);
                    } else {
                        // It was too late to read, though: its deadline came before it ran.
                        wake(d.readiness.pass_on());
                    }
                })
            };
            d.arrive(1);
            assert_eq!(wait(patient), WOKEN);
            first.join().unwrap();
            timer.join().unwrap();
            assert!(!d.readiness.is_awaited());
        });
    }

    /// Mutations seen to fail here: a close that wakes nobody.
    #[test]
    fn b05_a_close_reaches_who_waits_and_who_is_about_to() {
        loom::model(|| {
            let d = Descriptor::new();
            let readers = [0, 1].map(|_| {
                let d = d.clone();
                thread::spawn(move || d.read(&toys()))
            });
            d.readiness.close().into_iter().for_each(|toy| wake(Some(toy)));
            for reader in readers {
                assert_eq!(reader.join().unwrap(), Read::Closed);
            }
            assert!(!d.readiness.is_awaited());
        });
    }

    /// Mutations seen to fail here: `stir` that does not count.
    #[test]
    fn b16_a_deadline_that_is_moved_is_seen_by_who_waits() {
        // A reader that goes on waiting for the deadline that it found.
        loom::model(|| {
            let d = Descriptor::new();
            let reader = {
                let d = d.clone();
                thread::spawn(move || {
                    let mut looked = false;
                    for toy in toys() {
                        let look = d.readiness.look();
                        // Only who sees the event reads the cell here: loom finds it if the one came without the other.
                        if look.0 & COUNT != 0 {
                            // SAFETY: written before the event that was seen.
                            looked = d.deadline.with(|deadline| unsafe { *deadline == 9 });
                            break;
                        }
                        if d.readiness.enter(look, toy) {
                            wait(toy);
                        }
                    }
                    looked
                })
            };
            // SAFETY: nobody reads it before the event.
            d.deadline.with_mut(|deadline| unsafe { *deadline = 9 });
            d.readiness.stir().into_iter().for_each(|toy| wake(Some(toy)));
            assert!(reader.join().unwrap(), "it never saw the deadline");
        });
    }

    /// Mutations seen to fail here: an event that does not compare the generation, or compares it before it counts; a
    /// `renew` that only stores.
    #[test]
    fn an_event_of_a_closed_descriptor_does_not_touch_its_successor() {
        loom::model(|| {
            let d = Descriptor::new();
            let poller = {
                let d = d.clone();
                thread::spawn(move || wake(d.readiness.event(0)))
            };
            d.readiness.close();
            d.readiness.renew(1);
            let look = d.readiness.look();
            let toy = Toy::new();
            assert!(d.readiness.enter(look, toy), "touched before");
            poller.join().unwrap();
            assert_eq!(toy.0.end.load(Ordering::Relaxed), 0, "a wake-up of somebody else's");
            assert_eq!(d.readiness.look().0 & COUNT, 0, "an event of somebody else's");
        });
    }
}
