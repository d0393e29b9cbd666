// The error stands inside the arm, at the expression.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        v = <-rx => {
            let text: String = v.unwrap();
            println!("{text}");
        }
    }
    drop((tx, rx));
}
