//! The smallest program: a goroutine sends, `main` receives or gives up after a second.
//!
//! It runs in the default mode, pinned: nothing here needs more.

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
