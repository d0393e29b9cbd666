// An arm that ends where `=>` should stand.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        _v = <-rx,
        default => {}
    }
    drop((tx, rx));
}
