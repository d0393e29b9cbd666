// A guard is a `bool`.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        <-rx if let Some(1) = Some(1) => {}
    }
    drop((tx, rx));
}
