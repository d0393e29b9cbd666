//! What becomes of values, and of the memory that they lie in.

use crate::on::everywhere;
use gaggle::{Sender, chan, unbounded};
use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Counts drops; may panic in one of them.
struct Bomb {
    dropped: Arc<Mutex<HashMap<u32, u32>>>,
    number: u32,
    armed: bool,
}

impl Drop for Bomb {
    fn drop(&mut self) {
        *self.dropped.lock().unwrap().entry(self.number).or_default() += 1;
        if self.armed {
            std::panic::resume_unwind(Box::new("bomb"));
        }
    }
}

#[test]
fn a_panic_in_a_drop_neither_leaks_nor_repeats() {
    // The values after the one whose drop panics are leaked; or dropped again when the channel goes.
    for unlimited in [false, true] {
        for armed in 0..6 {
            let dropped = Arc::new(Mutex::new(HashMap::new()));
            let (tx, rx) = if unlimited { unbounded() } else { chan(6) };
            let bomb = |number, armed| Bomb { dropped: dropped.clone(), number, armed };
            // Wrapped around the end of the buffer.
            (0..3).for_each(|_| tx.send(bomb(99, false)).unwrap());
            rx.try_iter().for_each(drop);
            (0..6).for_each(|i| tx.send(bomb(i, i == armed)).unwrap());
            let payload = catch_unwind(AssertUnwindSafe(|| drop(rx))).unwrap_err();
            assert_eq!(*payload.downcast::<&str>().unwrap(), "bomb");
            assert!(tx.send(bomb(6, false)).is_err());
            drop(tx);
            let dropped = dropped.lock().unwrap();
            assert!((0..=6).all(|i| dropped[&i] == 1), "{dropped:?}");
        }
    }
}

/// A value that owns a sender of the channel it is sent on, and uses it when it is dropped.
struct Talkative {
    tx: Sender<Talkative>,
    calls: Arc<AtomicUsize>,
}

impl Drop for Talkative {
    fn drop(&mut self) {
        if self.calls.fetch_add(1, Ordering::Relaxed) < 3 {
            assert!(!self.tx.close() && self.tx.is_closed() && self.tx.is_empty());
            let another = Talkative { tx: self.tx.clone(), calls: self.calls.clone() };
            assert!(self.tx.try_send(another).is_err());
        }
    }
}

#[test]
fn b19_destructors_may_use_the_channel() {
    // A value dropped under the channel's lock, whose destructor takes that lock: a deadlock. Values that own a
    // sender of their own channel: a cycle that is never freed.
    everywhere(|on| {
        let calls = Arc::new(AtomicUsize::new(0));
        let (tx, rx) = chan(3);
        (0..3).for_each(|_| tx.send(Talkative { tx: tx.clone(), calls: calls.clone() }).ok().unwrap());
        drop(tx);
        on.go(move || drop(rx)).join();
        assert_eq!(calls.load(Ordering::Relaxed), 6, "three were sent, each tried to send another");
        assert_eq!(Arc::strong_count(&calls), 1);
    });
}

#[test]
fn zero_sized_values_count() {
    // Values without size that are miscounted, leaked, or dropped twice.
    thread_local!(static ALIVE: Cell<isize> = const { Cell::new(0) });
    struct Unit;
    impl Unit {
        fn new() -> Self {
            ALIVE.set(ALIVE.get() + 1);
            Self
        }
    }
    impl Drop for Unit {
        fn drop(&mut self) {
            ALIVE.set(ALIVE.get() - 1);
        }
    }
    for (tx, rx) in [chan(1 << 60), chan(300), unbounded()] {
        (0..300).for_each(|_| tx.send(Unit::new()).unwrap());
        assert_eq!(ALIVE.get(), 300);
        assert_eq!(rx.try_iter().take(100).count(), 100);
        assert_eq!((tx.len(), ALIVE.get()), (200, 200));
        drop(rx);
        assert_eq!(ALIVE.get(), 0);
        assert!(tx.send(Unit::new()).is_err());
    }
    assert_eq!(ALIVE.get(), 0);
    everywhere(|on| {
        let (tx, rx) = chan(0);
        let sender = on.go(move || (0..100).for_each(|_| tx.send(()).unwrap()));
        assert_eq!(rx.iter().count(), 100);
        sender.join();
    });
}

#[test]
fn b20_large_values() {
    // An array of values made on the stack on its way to the heap, or too many copies of one value.
    const MIB: usize = 1 << 20;
    type Large = [u8; MIB];
    fn on_stack<T: Send + 'static>(bytes: usize, f: impl FnOnce() -> T + Send + 'static) -> T {
        std::thread::Builder::new().stack_size(bytes).spawn(f).unwrap().join().unwrap()
    }
    // Making and dropping a channel of them takes no stack to speak of.
    on_stack(MIB / 2, || {
        drop(chan::<Large>(64));
        drop(unbounded::<Large>());
    });
    // Each side has a handful of copies at most, in a build without optimisation.
    for make in [|| chan::<Large>(0), || chan::<Large>(2), unbounded::<Large>] {
        let (tx, rx) = make();
        let sender = std::thread::Builder::new().stack_size(10 * MIB).spawn(move || {
            for i in 1..=4 {
                tx.send([i; MIB]).unwrap();
            }
        });
        let last = on_stack(10 * MIB, move || {
            let mut last = 0;
            while let Some(value) = rx.recv() {
                assert!(value.iter().all(|byte| *byte == value[0]));
                last = value[0];
            }
            last
        });
        assert_eq!(last, 4);
        sender.unwrap().join().unwrap();
    }
}

// ---- memory

mod counting {
    //! An allocator that counts what the calling thread does.
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;

    thread_local! {
        static CALLS: Cell<usize> = const { Cell::new(0) };
        static BYTES: Cell<isize> = const { Cell::new(0) };
    }

    struct Counting;

    // SAFETY: every call is passed on to the system's allocator.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
            let _ = BYTES.try_with(|bytes| bytes.set(bytes.get() + layout.size() as isize));
            // SAFETY: as our caller promises.
            unsafe { System.alloc(layout) }
        }
        unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
            let _ = BYTES.try_with(|bytes| bytes.set(bytes.get() - layout.size() as isize));
            // SAFETY: as our caller promises.
            unsafe { System.dealloc(ptr, layout) }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;

    /// How many allocations `f` makes on this thread, and by how many bytes it leaves it fuller.
    pub fn during(f: impl FnOnce()) -> (usize, isize) {
        let before = (CALLS.get(), BYTES.get());
        f();
        (CALLS.get() - before.0, BYTES.get() - before.1)
    }
}

#[test]
fn b18_operations_allocate_nothing() {
    // A bounded channel that allocates for each message, or for each party that has waited and gone.
    let (tx, rx) = chan(4);
    let (_otx, other) = chan::<[u64; 512]>(0);
    let wait = Duration::from_micros(50);
    // The first timed wait starts the worker that looks at the clock, and this thread's parker.
    let _ = rx.recv_timeout(wait);
    let (calls, bytes) = counting::during(|| {
        for i in 0..1000 {
            tx.send([i; 512]).unwrap();
            assert_eq!(rx.recv(), Some([i; 512]));
            assert!(rx.try_recv().is_err());
            gaggle::select! {
                _ = <-rx => unreachable!(),
                _ = <-other => unreachable!(),
                default => {}
            }
        }
    });
    assert_eq!((calls, bytes), (0, 0));
    let (_, bytes) = counting::during(|| {
        for _ in 0..50 {
            let _ = rx.recv_timeout(wait);
            gaggle::select! {
                _ = <-rx => unreachable!(),
                _ = <-rx => unreachable!(),
                _ = <-other => unreachable!(),
                after(wait) => {}
            }
        }
    });
    assert!(bytes < 4096, "{bytes} bytes are left of waits that are over");
}

#[test]
fn unbounded_memory_is_given_back() {
    // A burst whose memory stays with the channel for ever.
    let (tx, rx) = unbounded();
    let (_, bytes) = counting::during(|| {
        (0..10_000u64).for_each(|i| tx.send(i).unwrap());
        assert!((0..10_000).all(|i| rx.recv() == Some(i)));
    });
    assert!(bytes < 1024, "{bytes} bytes are kept by an empty channel");
    // While it breathes around one size it does not move its values at every breath.
    (0..1000).for_each(|i| tx.send(i).unwrap());
    let (calls, _) = counting::during(|| {
        for i in 0..10_000 {
            tx.send(i).unwrap();
            rx.recv().unwrap();
        }
    });
    assert!(calls < 10, "{calls} allocations for 10,000 values");
}
