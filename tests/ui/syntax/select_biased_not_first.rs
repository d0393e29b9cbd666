// `biased` speaks of the whole select!.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        <-rx => {}
        biased;
        tx <- 1 => {}
    }
    drop((tx, rx));
}
