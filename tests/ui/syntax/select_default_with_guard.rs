// A guard on `default` would leave nothing to do.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        <-rx => {}
        default if rx.is_empty() => {}
    }
    drop((tx, rx));
}
