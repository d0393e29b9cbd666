// The channel knows the type.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        v: Option<i32> = <-rx => println!("{v:?}"),
    }
    drop((tx, rx));
}
