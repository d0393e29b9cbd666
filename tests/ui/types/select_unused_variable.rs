// A variable that is not used is a warning as anywhere.
#![deny(warnings)]
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        v = <-rx => {}
        default => {}
    }
    drop((tx, rx));
}
