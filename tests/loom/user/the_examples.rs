//! The examples, as they stand there.

use super::{fails, passes, says};
use gaggle::testing::FailureKind;

#[path = "../../../examples/model_select_face_to_face.rs"]
#[allow(dead_code, reason = "its main is for the terminal")]
mod face_to_face;
#[path = "../../../examples/model_leaked_goroutine.rs"]
#[allow(dead_code, reason = "its main is for the terminal")]
mod leaked;
#[path = "../../../examples/model_lost_update.rs"]
#[allow(dead_code, reason = "its main is for the terminal")]
mod lost;

#[test]
fn lost_update() {
    // The one bug that every introduction to model checking finds.
    let report = fails(FailureKind::Panic, lost::bug);
    says(&report, &["model: a panic", "goroutine 1 [panicked]:", "goroutine 2 \"clerk\" [ended]:"]);
    says(&report, &["assertion `left == right` failed: a payment is lost", "  left: 1", " right: 2"]);
    assert!(passes(lost::fix).is_complete());
}

#[test]
fn select_face_to_face() {
    // Two who speak at once and nobody who listens; with selects, whoever is first.
    let report = fails(FailureKind::Deadlock, face_to_face::bug);
    says(&report, &["model: all goroutines are asleep - deadlock!"]);
    says(&report, &["goroutine 1 [chan send]:", "goroutine 2 \"she\" [chan send]:"]);
    let explored = passes(face_to_face::fix);
    assert!(explored.is_complete() && explored.rounds() == 4, "{explored}");
}

#[test]
fn leaked_goroutine() {
    // A goroutine that nobody can wake any more, after main has returned.
    let report = fails(FailureKind::Leak, leaked::bug);
    says(&report, &["model: a goroutine leaked: main has returned, and it waits for ever"]);
    says(&report, &["goroutine 1 [ended]:", "goroutine 2 \"server\" [chan receive]:"]);
    assert!(passes(leaked::fix).is_complete());
}
