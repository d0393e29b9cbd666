// The error stands at what is no channel, all of it.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    struct Pair {
        numbers: Vec<i32>,
    }
    let pair = Pair { numbers: vec![1] };
    select! {
        v = <-pair.numbers => println!("{v:?}"),
        <-rx => {}
    }
    drop((tx, rx));
}
