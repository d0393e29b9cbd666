//! The smallest program.
use gaggle::{chan, go, select};
use std::time::Duration;

#[gaggle::main]
fn main() {
    let (tx, rx) = chan::<String>(0);
    go!(clone tx; { tx.send("hello".into()).unwrap() });
    select! {
        v = <-rx => println!("{}", v.unwrap()),
        after(Duration::from_secs(1)) => println!("timed out"),
    }
}
