// A timeout needs to know how long.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        <-rx => {}
        after() => {}
    }
    drop((tx, rx));
}
