// The error stands at the arm that differs.
use gaggle::{chan, select};

fn main() {
    let (_tx, rx) = chan::<i32>(1);
    let value = select! {
        v = <-rx => v == Some(1),
        default => "nothing",
    };
    println!("{value}");
}
