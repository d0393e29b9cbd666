// Tokens that went through another macro come in invisible groups, which must be looked through.
#![deny(warnings)]
#![forbid(unsafe_code)]

use gaggle::{chan, go, select};

macro_rules! start {
    ($call:expr) => {
        go!($call)
    };
    ($name:expr, $body:block) => {
        go!(name = $name; $body)
    };
}

macro_rules! receive {
    ($pat:pat, $rx:expr, $guard:expr => $body:expr) => {
        select! { $pat = <-$rx if $guard => $body, default => unreachable!() }
    };
}

macro_rules! offer {
    ($tx:expr, $value:expr, $($rest:tt)*) => {
        select! { r = $tx <- $value => r.is_ok(), $($rest)* }
    };
}

fn double(n: i32) -> i32 {
    n * 2
}

#[gaggle::main]
fn main() {
    let (tx, rx) = chan::<i32>(2);
    assert!(offer!(tx, 1 + 1, default => false));
    assert_eq!(receive!(Some(2) | _, rx, true => 5), 5);
    assert_eq!(start!(double(4)).join().unwrap(), 8);
    assert_eq!(start!("n", { 3 }).join().unwrap(), 3);
    let text = String::from("abc");
    assert_eq!(start!(text.len()).join().unwrap(), 3);
    assert_eq!(start!(|| 4).join().unwrap(), 4);
    assert_eq!(start!({ 5 }).join().unwrap(), 5);
}
