//! Single flights: sharing, forgetting, panics.

use super::*;
use gaggle::runtime::{Exited, exit};
use gaggle::sync::SingleFlight;

/// Starts `n` callers of one key whose closure waits on `gate`, and returns once the closure runs.
fn callers(n: usize, flights: &Arc<SingleFlight<&'static str, u32>>, gate: &gaggle::Receiver<u32>) -> Vec<Caller> {
    let (started, has_started) = chan(n);
    let call = |flights: &Arc<SingleFlight<_, _>>| {
        let (flights, gate, started) = (flights.clone(), gate.clone(), started.clone());
        spawn(move || {
            flights.work("key", || {
                let _ = started.send(()); // Only the first one is listened to.
                gate.recv().expect("expected in this test's output")
            })
        })
    };
    let first = call(flights);
    has_started.recv().unwrap();
    std::iter::once(first).chain((1..n).map(|_| call(flights))).collect()
}

type Caller = gaggle::JoinHandle<(u32, bool)>;

#[test]
fn those_who_ask_meanwhile_share_one_run() {
    // Two runs at once, or a caller that is given nothing.
    in_both_modes(|| {
        let (tx, rx) = chan(0);
        let flights = Arc::new(SingleFlight::new());
        let callers = callers(4, &flights, &rx);
        let sender = spawn(move || (1..).take_while(|n| tx.send(*n).is_ok()).count());
        let mut results: Vec<_> = callers.into_iter().map(|caller| caller.join().unwrap().0).collect();
        drop(rx);
        let runs = sender.join().unwrap();
        // Those who came late have started anew; each run is of all who have its number.
        results.sort_unstable();
        results.dedup();
        assert_eq!(results, (1..=runs as u32).collect::<Vec<_>>());
        assert_eq!(flights.work("key", || 77), (77, false), "nothing is remembered");
        assert_eq!(flights.work("other", || 78), (78, false));
    });
}

/// A key that tells when it was found in the table: that is when it is compared.
#[derive(Clone)]
struct Tells(Arc<AtomicUsize>);

impl PartialEq for Tells {
    fn eq(&self, _: &Self) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst);
        true
    }
}

impl Eq for Tells {}

impl std::hash::Hash for Tells {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

#[test]
fn a_shared_run_says_so() {
    // A result that went to two, of which both, or the first, say that it was theirs alone.
    in_both_modes(|| {
        let (flights, found) = (Arc::new(SingleFlight::new()), Arc::new(AtomicUsize::new(0)));
        let (inner, key) = (flights.clone(), Tells(found.clone()));
        let mut joined = None;
        let (result, shared) = flights.work(key.clone(), || {
            joined = Some(spawn(move || inner.work(key, || 6)));
            while found.load(Ordering::SeqCst) == 0 {
                yield_now();
            }
            5
        });
        assert_eq!((result, shared), (5, true));
        assert_eq!(joined.unwrap().join().unwrap(), (5, true));
    });
}

#[test]
fn a_panic_reaches_all() {
    // Waiters that are left behind, or a key that is blocked for ever.
    in_both_modes(|| {
        let (tx, rx) = chan(0);
        let flights = Arc::new(SingleFlight::new());
        let callers = callers(4, &flights, &rx);
        tx.close();
        for caller in callers {
            let payload = caller.join().unwrap_err();
            assert!(panics_with("expected in this test's output", || std::panic::resume_unwind(payload)));
        }
        assert_eq!(flights.work("key", || 1), (1, false));
    });
}

#[test]
fn an_exit_reaches_all_and_is_no_panic() {
    // Waiters that panic, which may end the process, for a caller that has only ended its own goroutine.
    in_both_modes(|| {
        let (flights, found) = (Arc::new(SingleFlight::new()), Arc::new(AtomicUsize::new(0)));
        let (key, (tx, rx)) = (Tells(found.clone()), chan(1));
        let first = go!(clone flights, key; {
            flights.work(key.clone(), || -> u32 {
                let inner = flights.clone();
                tx.send(spawn(move || inner.work(key, || 6))).unwrap();
                while found.load(Ordering::SeqCst) == 0 {
                    yield_now();
                }
                exit()
            })
        });
        let second = rx.recv().unwrap();
        assert!(first.join().unwrap_err().is::<Exited>());
        assert!(second.join().unwrap_err().is::<Exited>());
        assert_eq!(flights.work(key, || 7), (7, false));
    });
}

#[test]
fn a_forgotten_key_starts_anew_and_its_run_is_left_alone() {
    // A forgotten run that takes its successor out of the table when it ends.
    in_both_modes(|| {
        let (tx, rx) = chan(0);
        let flights = Arc::new(SingleFlight::new());
        let mut old = callers(1, &flights, &rx);
        flights.forget(&"key");
        let (tx2, rx2) = chan(0);
        let mut new = callers(1, &flights, &rx2);
        tx.send(1).unwrap();
        assert_eq!(old.remove(0).join().unwrap(), (1, false));
        let joined = go!(clone flights; flights.work("key", || 3));
        tx2.send(2).unwrap();
        assert_eq!(new.remove(0).join().unwrap().0, 2);
        assert!([2, 3].contains(&joined.join().unwrap().0));
    });
}
