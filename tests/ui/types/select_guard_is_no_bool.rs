// The error stands in the guard.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        <-rx if rx.len() => {}
        default => {}
    }
    drop((tx, rx));
}
