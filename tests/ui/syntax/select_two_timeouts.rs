// Of two timeouts the longer could never pass.
use gaggle::{chan, select};
use std::time::Duration;

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        after(Duration::from_secs(1)) => {}
        after(Duration::from_secs(2)) => {}
    }
    drop((tx, rx));
}
