// A main whose body ends early by `?` and by `return` must still compile and end well.
#![deny(warnings)]
#![forbid(unsafe_code)]

use gaggle::{chan, go, select};

/// Documented, and with a lint attribute that must reach the body.
#[gaggle::main(procs = 2, stack = 1 << 20)]
#[allow(unused_variables)]
fn main() -> Result<(), std::num::ParseIntError> {
    let unused = 1;
    let (tx, rx) = chan(0);
    go!(name = "sender", clone tx; tx.send("12"));
    let number: i32 = select! { v = <-rx => v.unwrap().parse()? };
    if number == 12 {
        return Ok(());
    }
    "not reached".parse::<i32>().map(drop)
}
