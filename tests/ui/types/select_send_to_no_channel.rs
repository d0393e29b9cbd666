// The error stands at what is no channel.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        5 <- 6 => {}
        <-rx => {}
    }
    drop((tx, rx));
}
