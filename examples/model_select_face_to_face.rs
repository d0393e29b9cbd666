//! Two neighbours greet each other, and each may speak first: a deadlock that needs bad luck, found by exploring every
//! interleaving; and its fix, two selects face to face.
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo run --profile loom --target-dir target/loom --example model_select_face_to_face
//! ```

use gaggle::testing::Model;
use gaggle::{Receiver, Sender, chan, go, select};

type Neighbour = fn(Sender<&'static str>, Receiver<&'static str>, &'static str) -> Option<&'static str>;

/// Looks whether the other one has spoken, then speaks. Both may look before either speaks; then both speak, and nobody
/// listens.
fn look_then_speak(out: Sender<&'static str>, ear: Receiver<&'static str>, mine: &'static str) -> Option<&'static str> {
    let heard = select! {
        theirs = <-ear => theirs,
        default => None,
    };
    out.send(mine).ok()?;
    heard.or_else(|| ear.recv())
}

/// Speaks or listens, whichever is possible first, then does the other.
fn speak_or_listen(out: Sender<&'static str>, ear: Receiver<&'static str>, mine: &'static str) -> Option<&'static str> {
    select! {
        out <- mine => ear.recv(),
        theirs = <-ear => {
            out.send(mine).ok()?;
            theirs
        }
    }
}

fn meet(neighbour: Neighbour) {
    let (to_her, her_ear) = chan(0);
    let (to_him, his_ear) = chan(0);
    let she = go!(name = "she"; neighbour(to_him, her_ear, "good day"));
    assert_eq!(neighbour(to_her, his_ear, "hello"), Some("good day"));
    assert_eq!(she.join().unwrap(), Some("hello"));
}

pub fn bug() {
    meet(look_then_speak);
}

pub fn fix() {
    meet(speak_or_listen);
}

fn main() {
    if cfg!(loom) {
        let failure = Model::new().explore(bug).expect_err("both speak in some interleaving");
        println!("the bug:\n\n{failure}\n");
    } else {
        println!("this build only tries its luck; to explore every interleaving:");
        println!(
            "RUSTFLAGS=\"--cfg loom\" cargo run --profile loom --target-dir target/loom \
             --example model_select_face_to_face"
        );
    }
    let explored = Model::new().preemptions(2).explore(fix).expect("whoever speaks first, both hear");
    println!("the fix: {explored}");
}
