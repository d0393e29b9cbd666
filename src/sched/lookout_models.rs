//! The lookout under loom: nobody sleeps through what it is there for. Each model names the mutations that it was seen to
//! catch.

use super::*;
use crate::primitives::atomic::AtomicBool;
use crate::primitives::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// A worker, as far as these models know it.
struct Toy {
    bell: AtomicBool,
    /// The poller's wait was ended.
    interrupted: AtomicBool,
}

struct Scene {
    lookout: Lookout<Toy>,
    toys: [Toy; 2],
    /// There is a poller, and somebody polls.
    poller: AtomicBool,
    busy: AtomicBool,
    /// A processor is idle.
    idle: AtomicBool,
    /// What only the holder may touch.
    holders: UnsafeCell<u32>,
}

// SAFETY: loom reports two holders at once as a race on `holders`.
unsafe impl Sync for Scene {}

fn scene() -> Arc<Scene> {
    let toy = || Toy { bell: AtomicBool::new(false), interrupted: AtomicBool::new(false) };
    Arc::new(Scene {
        lookout: Lookout::new(),
        toys: [toy(), toy()],
        poller: AtomicBool::new(false),
        busy: AtomicBool::new(false),
        idle: AtomicBool::new(false),
        holders: UnsafeCell::new(0),
    })
}

// ORDERING: Relaxed, everywhere here; F5 has to do.
const RELAXED: Ordering = Ordering::Relaxed;

/// As `vigil::ring`.
fn ring(scene: &Scene, toy: *mut Toy) {
    // SAFETY: null, or of this scene, which lives on.
    let Some(toy) = (unsafe { toy.as_ref() }) else { return };
    toy.bell.store(true, RELAXED);
    if scene.lookout.is_kept_by(toy) {
        // ORDERING: Release: the kernel's lock orders it after the ring, for whoever takes it.
        toy.interrupted.swap(true, Ordering::AcqRel);
    }
}

/// Sets a deadline for 5, the first of all.
fn a_setter(scene: &Arc<Scene>) -> thread::JoinHandle<()> {
    let scene = scene.clone();
    thread::spawn(move || {
        scene.lookout.set_first(5);
        let toy = scene.lookout.sooner(5);
        ring(&scene, toy);
    })
}

/// Seen to fail without F5 on either side, with `until` written before its look at `first`, and with `sooner` comparing
/// the other way round.
#[test]
fn b14_an_earlier_deadline_reaches_the_holder() {
    // The holder sleeps until a later deadline, or for ever, and is not told.
    loom::model(|| {
        let scene = scene();
        scene.lookout.set_first(9);
        let setter = a_setter(&scene);
        assert!(scene.lookout.take(&scene.toys[0]));
        let until = scene.lookout.until();
        setter.join().unwrap();
        assert!(until == 5 || scene.toys[0].bell.load(RELAXED), "asleep until {until}, and not rung for");
    });
}

/// Seen to fail with `sooner` that leaves deadlines within the rest to whoever sleeps, for how long it may be.
#[test]
fn b14_a_rest_delays_nobody_beyond_its_end() {
    // The holder sleeps until a later deadline, and the rest, which began meanwhile, hides an earlier one from it.
    loom::model(|| {
        let scene = scene();
        scene.lookout.set_first(9);
        let passer_by = {
            let scene = scene.clone();
            thread::spawn(move || scene.lookout.rest_until(7))
        };
        let setter = a_setter(&scene);
        assert!(scene.lookout.take(&scene.toys[0]));
        let until = scene.lookout.until();
        setter.join().unwrap();
        passer_by.join().unwrap();
        assert!(until <= 7 || scene.toys[0].bell.load(RELAXED), "asleep until {until}, and not rung for");
    });
}

/// Seen to fail without F5 on either side.
#[test]
fn b14_a_ring_reaches_the_holder_in_the_poller() {
    // The ring comes before the worker is the holder, which then waits in the poller, where no bell is heard.
    loom::model(|| {
        let scene = scene();
        let ringer = {
            let scene = scene.clone();
            thread::spawn(move || ring(&scene, to_ptr(&scene.toys[0])))
        };
        assert!(scene.lookout.take(&scene.toys[0]));
        let heard = scene.toys[0].bell.load(RELAXED);
        ringer.join().unwrap();
        assert!(heard || scene.toys[0].interrupted.load(RELAXED));
    });
}

/// Seen to fail with the look at the bell before `busy`, and with the Acquire or the Release of `busy` weakened.
#[test]
fn b14_an_interruption_that_another_one_takes_is_made_good_by_the_bell() {
    // A worker at work polls for a moment, and takes the interruption that was meant for the holder, who then waits with
    // a processor that was handed to it, and perhaps the right to search, on which all others rely.
    loom::model(|| {
        let scene = scene();
        let ringer = {
            let scene = scene.clone();
            thread::spawn(move || ring(&scene, to_ptr(&scene.toys[0])))
        };
        let passer_by = {
            let scene = scene.clone();
            thread::spawn(move || {
                // ORDERING: as in `Poller::poll`; what the kernel says of an interruption, it says after what came before.
                if !scene.busy.swap(true, Ordering::Acquire) {
                    scene.toys[0].interrupted.swap(false, Ordering::AcqRel);
                    scene.busy.store(false, Ordering::Release);
                }
            })
        };
        assert!(scene.lookout.take(&scene.toys[0]));
        // ORDERING: as above.
        let polls = !scene.busy.swap(true, Ordering::Acquire);
        let heard = scene.toys[0].bell.load(RELAXED);
        // From here on it waits, and nobody else polls.
        ringer.join().unwrap();
        passer_by.join().unwrap();
        assert!(!polls || heard || scene.toys[0].interrupted.load(RELAXED));
    });
}

/// Seen to fail without F5 on either side.
#[test]
fn b14_a_new_poller_is_seen_by_the_holder() {
    // The holder waits for its bell, and nobody for the first descriptor.
    loom::model(|| {
        let scene = scene();
        let starter = {
            let scene = scene.clone();
            thread::spawn(move || {
                scene.poller.store(true, RELAXED);
                let toy = scene.lookout.to_be_told();
                ring(&scene, toy);
            })
        };
        assert!(scene.lookout.take(&scene.toys[0]));
        let polls = scene.poller.load(RELAXED);
        starter.join().unwrap();
        assert!(polls || scene.toys[0].bell.load(RELAXED));
    });
}

/// Seen to fail without the fence in `leave`.
#[test]
fn b14_who_gets_up_sees_who_relied_on_it() {
    // The last one at work lies down and relies on the holder; that one, called by its bell for nothing, believes that
    // somebody is at work, and relies on that one.
    loom::model(|| {
        let scene = scene();
        assert!(scene.lookout.take(&scene.toys[0]));
        let lies_down = {
            let scene = scene.clone();
            thread::spawn(move || {
                scene.idle.store(true, RELAXED);
                // ORDERING: F2 (idle): the processor that was let go before the look at the lookout; pairs with `leave`.
                fence(Ordering::SeqCst);
                scene.lookout.take(&scene.toys[1])
            })
        };
        scene.lookout.leave();
        let ours = scene.idle.load(RELAXED) && scene.lookout.take(&scene.toys[0]);
        let theirs = lies_down.join().unwrap();
        assert!(ours != theirs, "nobody keeps the lookout, or two do");
    });
}

/// Seen to fail with `take` that does not look whether there is a holder, and with its Acquire or the Release of `vacate`
/// weakened.
#[test]
fn one_holder_at_a_time() {
    // Two in the poller: one of them is told of nothing.
    loom::model(|| {
        let scene = scene();
        let hold = |scene: &Scene, which: usize| {
            let taken = scene.lookout.take(&scene.toys[which]);
            if taken {
                // SAFETY: the holder's alone, which is what the model is about.
                scene.holders.with_mut(|holders| unsafe { *holders += 1 });
                scene.lookout.vacate();
            }
            taken
        };
        let other = {
            let scene = scene.clone();
            thread::spawn(move || hold(&scene, 1))
        };
        let ours = hold(&scene, 0);
        let theirs = other.join().unwrap();
        assert!(ours || theirs, "nobody keeps it");
        assert!(scene.lookout.is_vacant());
    });
}
