//! What loom does not choose: the winners of selects.

use super::{fails, outcomes, says};
use gaggle::testing::{FailureKind, Model, choose};
use gaggle::{Select, chan, go, select};

/// Which of `arms` ready channels a select picks.
fn winner_of_two() -> u32 {
    let ((atx, arx), (btx, brx)) = (chan(1), chan(1));
    atx.send(1).unwrap();
    btx.send(2).unwrap();
    select! {
        v = <-arx => v.unwrap(),
        v = <-brx => v.unwrap(),
    }
}

#[test]
fn both_ready_arms_win() {
    // A choice that is fixed hides every bug that needs the other winner.
    let (seen, explored) = outcomes(winner_of_two);
    assert!(seen.into_iter().eq([1, 2]));
    assert_eq!((explored.rounds(), explored.executions(), explored.is_complete()), (2, 2, true));
}

#[test]
fn a_bug_that_needs_one_winner_is_found() {
    // As above, from the side of the user.
    let report = fails(FailureKind::Panic, || assert_ne!(winner_of_two(), 2, "the second one won"));
    says(&report, &["    goroutine 1 (main) chooses 1 of 0..2"]);
    assert!(report.ends_with("found in execution 2, with choice 2 of selects' arms"), "{report}");
}

#[test]
fn biased_chooses_nothing() {
    // An exploration of orders that cannot be.
    let (seen, explored) = outcomes(|| {
        let ((atx, arx), (btx, brx)) = (chan(1), chan(1));
        atx.send(1).unwrap();
        btx.send(2).unwrap();
        select! { biased; v = <-arx => v, v = <-brx => v, default => None }
    });
    assert!(seen.into_iter().eq([Some(1)]));
    assert_eq!(explored.rounds(), 1);
}

#[test]
fn every_combination_of_several_selects() {
    // One select after the other: the second has a choice of its own, in each case of the first.
    let (seen, explored) = outcomes(|| (winner_of_two(), winner_of_two()));
    assert!(seen.into_iter().eq([(1, 1), (1, 2), (2, 1), (2, 2)]));
    assert_eq!(explored.rounds(), 4);
    let (seen, _) = outcomes(|| {
        let other = go!(winner_of_two());
        (winner_of_two(), other.join().unwrap())
    });
    assert_eq!(seen.len(), 4);
}

#[test]
fn many_arms_sends_and_the_dynamic_form() {
    // A form of select, or an arm, that was forgotten.
    let (seen, explored) = outcomes(|| {
        let channels: Vec<_> = (0..4).map(|i| (i, chan::<usize>(1))).collect();
        let mut s = Select::new();
        for (i, (tx, rx)) in &channels {
            if i % 2 == 0 {
                tx.send(*i).unwrap();
                s.recv(rx);
            } else {
                s.send(tx, *i);
            }
        }
        let op = s.try_select().expect("all are ready");
        let index = op.index();
        match index % 2 {
            0 => assert_eq!(op.recv(&channels[index].1.1), Some(index)),
            _ => op.send(&channels[index].1.0).unwrap(),
        }
        index
    });
    assert!(seen.into_iter().eq(0..4));
    assert_eq!(explored.rounds(), 4);
}

#[test]
fn default_only_when_nothing_is_ready() {
    // A default that runs although an arm was ready all the time; or one that never does.
    let (seen, _) = outcomes(|| {
        let (tx, rx) = chan(1);
        let sender = go!(tx.send(1));
        let seen = select! {
            v = <-rx => v,
            default => None,
        };
        sender.join().unwrap().unwrap();
        seen
    });
    assert!(seen.into_iter().eq([None, Some(1)]));
}

#[test]
fn choices_of_the_program() {
    // What the world decides is explored as what a select decides.
    let (seen, explored) = outcomes(|| (choose(3), choose(1), choose(2)));
    assert_eq!((seen.len(), explored.rounds()), (6, 6));
    assert!(seen.contains(&(2, 0, 1)));
}

#[test]
fn too_many_choices_are_not_concealed() {
    // An exploration that stops short and claims to be complete.
    let explored = Model::new().choices(2).explore(|| (0..3).for_each(|_| assert!(choose(2) < 2))).unwrap();
    assert_eq!((explored.rounds(), explored.is_complete()), (4, false));
    assert_eq!(explored.to_string(), "4 executions in 4 rounds; not all choices were tried");
}
