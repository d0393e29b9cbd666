//! A server that is told to stop, and sometimes does not hear it: a leaked goroutine, found by exploring every
//! interleaving, and its fix.
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo run --profile loom --target-dir target/loom --example model_leaked_goroutine
//! ```

use gaggle::sync::Mutex;
use gaggle::testing::Model;
use gaggle::{Sender, chan, go};
use std::sync::Arc;

/// A server in the background. It holds itself, as servers do, so its channel does not close by being dropped.
struct Server {
    stop: Sender<()>,
    requests: Mutex<u32>,
}

fn start() -> Arc<Server> {
    let (stop, stopped) = chan(0);
    let server = Arc::new(Server { stop, requests: Mutex::new(0) });
    go!(name = "server", clone server; {
        *server.requests.lock().unwrap() += 1;
        stopped.recv();
    });
    server
}

/// Whoever stops the server must not wait for it; but if it does not listen at this moment, it is not told.
pub fn bug() {
    let server = start();
    let _ = server.stop.try_send(());
}

/// Closing does not wait either, and is remembered.
pub fn fix() {
    let server = start();
    server.stop.close();
}

fn main() {
    if cfg!(loom) {
        let failure = Model::new().explore(bug).expect_err("the server does not hear it in some interleaving");
        println!("the bug:\n\n{failure}\n");
    } else {
        println!("this build only tries its luck; to explore every interleaving:");
        println!(
            "RUSTFLAGS=\"--cfg loom\" cargo run --profile loom --target-dir target/loom --example model_leaked_goroutine"
        );
    }
    let explored = Model::new().explore(fix).expect("the server stops");
    println!("the fix: {explored}");
}
