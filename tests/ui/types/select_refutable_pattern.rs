// What only the types can tell; the error stands at the pattern.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        v @ Some(_) = <-rx => println!("{v:?}"),
    }
    drop((tx, rx));
}
