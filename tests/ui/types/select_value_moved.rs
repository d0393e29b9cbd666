// A value is moved into its arm even if another one is chosen.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<String>(1);
    let text = String::from("x");
    select! {
        tx <- text => {}
        <-rx => println!("{text}"),
    }
}
