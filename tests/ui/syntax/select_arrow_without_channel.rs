// `<-` with nothing to receive from.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        v = <- => println!("{v:?}"),
        <-rx => {}
    }
    drop((tx, rx));
}
