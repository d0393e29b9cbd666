// A block after the channel looks like an arm, but `=>` is missing.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        v = <-rx { println!("{v:?}") }
        default => {}
    }
    drop((tx, rx));
}
