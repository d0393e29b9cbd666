// Go's words for it.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        case v := <-rx => println!("{v:?}"),
        else => {}
    }
    drop((tx, rx));
}
