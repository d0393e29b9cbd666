//! Go's `for _ = range` and `close` of what is no channel, and values of another type.

fn main() {
    let (tx, rx) = gaggle::chan::<i32>(1);
    tx.send("no number");
    let _text: Option<String> = rx.recv();
    7.close();
}
