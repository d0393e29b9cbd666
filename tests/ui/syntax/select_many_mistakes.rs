// All of them are told, and what is sound causes no further errors.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        v = rx => println!("{v:?}"),
        w = <-rx { println!("{w:?}") }
        tx <- => {}
        x = <-rx => println!("{x:?}"),
        after() => {}
    }
    drop((tx, rx));
}
