// A receive also gives `None`; the body still knows `v`.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        Some(v) = <-rx => println!("{v}"),
        Ok(()) = tx <- 1 => {}
    }
    drop((tx, rx));
}
