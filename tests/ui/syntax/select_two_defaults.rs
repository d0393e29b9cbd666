// Only one arm can be taken when nothing is ready.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        default => {}
        <-rx => {}
        default => {}
    }
    drop((tx, rx));
}
