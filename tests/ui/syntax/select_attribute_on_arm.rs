// `#[cfg]` on an arm would have to be understood before it is expanded.
use gaggle::{chan, select};

fn main() {
    let (tx, rx) = chan::<i32>(1);
    select! {
        #[cfg(unix)]
        <-rx => {}
    }
    drop((tx, rx));
}
