// The error stands at the value.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        tx <- "five" => {}
        <-rx => {}
    }
    drop((tx, rx));
}
