// The wrong end of a channel.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        <-tx => {}
        <-rx => {}
    }
    drop((tx, rx));
}
