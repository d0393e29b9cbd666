// `biased` is no arm.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        biased,
        <-rx => {}
    }
    drop((tx, rx));
}
