//! Pausing in every interleaving: whoever is let go on goes on, and nobody stops inside.

use super::*;
use crate::primitives::atomic::AtomicBool;
use loom::sync::{Arc, Mutex, Notify};
use loom::thread;

struct Shared {
    pause: Pause,
    bell: Notify,
    /// As the lease's `busy`: the owner's own word, which its handler reads.
    inside: AtomicBool,
    /// What an owner holds only inside, and the monitor takes.
    lists: Mutex<()>,
}

impl Shared {
    fn new() -> Arc<Self> {
        let inside = AtomicBool::new(false);
        Arc::new(Self { pause: Pause::new(), bell: Notify::new(), inside, lists: Mutex::new(()) })
    }

    /// The handler, on the owner's thread.
    fn signal(&self) {
        self.pause.stop(self.inside.load(Ordering::Relaxed), || {
            self.bell.wait();
            true
        });
    }

    fn lift(&self) {
        if self.pause.lift() {
            self.bell.notify();
        }
    }
}

/// Mutations seen to fail here: a lift that does not ring; `STOPPED` stored whatever was there.
#[test]
fn who_is_let_go_on_goes_on() {
    // A thread that stands still for ever: its handler came late, or twice, or a ring was for the pause before.
    loom::model(|| {
        let s = Shared::new();
        let owner = {
            let s = s.clone();
            thread::spawn(move || {
                // A signal for each time it is asked; they may come at any time after.
                s.signal();
                s.signal();
            })
        };
        for _ in 0..2 {
            if s.pause.ask() {
                thread::yield_now();
            }
            s.lift();
        }
        owner.join().unwrap();
        assert!(!s.pause.is_asked());
    });
}

/// Mutations seen to fail here: a handler that stops inside; one that does not answer when it refuses.
#[test]
fn nobody_stops_inside() {
    // The monitor waits for a lock whose holder waits for the monitor.
    loom::model(|| {
        let s = Shared::new();
        let owner = {
            let s = s.clone();
            thread::spawn(move || {
                s.inside.store(true, Ordering::Relaxed);
                let lists = s.lists.lock().unwrap();
                s.signal();
                drop(lists);
                s.inside.store(false, Ordering::Relaxed);
            })
        };
        let asked = s.pause.ask();
        assert!(asked);
        drop(s.lists.lock().unwrap());
        owner.join().unwrap();
        // It did not stop: it may be asked again, unless the signal came before the question.
        s.signal_of_the_second_question();
    });
}

impl Shared {
    /// The owner is outside now, and its thread is ours.
    fn signal_of_the_second_question(&self) {
        if !self.pause.is_asked() {
            assert!(self.pause.ask());
        }
        self.lift();
        self.signal();
        assert!(!self.pause.is_asked());
    }
}

/// Mutations seen to fail here: `RUNS` stored when the time is up.
#[test]
fn a_pause_ends_by_itself() {
    // The time is up just as it is let go on, or asked anew: a question that is lost, or a state that nobody ends.
    loom::model(|| {
        let s = Shared::new();
        assert!(s.pause.ask());
        let owner = {
            let s = s.clone();
            thread::spawn(move || s.pause.stop(false, || false))
        };
        let had_stopped = s.pause.lift();
        let again = s.pause.ask();
        assert!(again, "lifted, and nobody else asks");
        owner.join().unwrap();
        // The only signal was answered before: the second question stands.
        assert!(!had_stopped || s.pause.is_asked());
        s.lift();
        assert!(!s.pause.is_asked());
    });
}
