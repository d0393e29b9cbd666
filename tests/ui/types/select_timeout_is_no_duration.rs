// The error stands in the timeout.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        <-rx => {}
        after(1000) => {}
    }
    drop((tx, rx));
}
