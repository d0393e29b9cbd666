// An arm that does nothing still says so.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        _v = <-rx => ,
        default => {}
    }
    drop((tx, rx));
}
