// Two arms in a row, where the first has no block.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        v = <-rx => println!("{v:?}")
        tx <- 1 => {}
    }
    drop((tx, rx));
}
