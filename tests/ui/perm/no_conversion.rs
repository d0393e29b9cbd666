//! Neither end converts to the other: in Go a channel of both directions does.

fn main() {
    let (tx, rx) = gaggle::chan::<i32>(1);
    let _receiver: gaggle::Receiver<i32> = tx;
    let _sender: gaggle::Sender<i32> = rx;
}
