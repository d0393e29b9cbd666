// Another crate's words for it.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        recv(rx) -> v => println!("{v:?}"),
        default(1) => {}
    }
    drop((tx, rx));
}
