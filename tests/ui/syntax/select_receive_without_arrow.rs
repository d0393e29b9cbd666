// A `let` is no receive.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        v = rx => println!("{v:?}"),
    }
    drop((tx, rx));
}
