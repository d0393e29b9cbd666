//! The lost update: a bug of two lines, found by exploring every interleaving, and its fix.
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo run --profile loom --target-dir target/loom --example model_lost_update
//! ```

use gaggle::go;
use gaggle::sync::Mutex;
use gaggle::testing::Model;
use std::sync::Arc;

/// Two clerks book one payment each. Both lock the account, twice: between the look and the change it is open.
pub fn bug() {
    let account = Arc::new(Mutex::new(0));
    let book = |account: &Mutex<i32>| {
        let seen = *account.lock().unwrap();
        *account.lock().unwrap() = seen + 1;
    };
    let theirs = account.clone();
    let clerk = go!(name = "clerk"; { book(&theirs) });
    book(&account);
    clerk.join().unwrap();
    assert_eq!(*account.lock().unwrap(), 2, "a payment is lost");
}

/// The look and the change are one critical section.
pub fn fix() {
    let account = Arc::new(Mutex::new(0));
    let book = |account: &Mutex<i32>| *account.lock().unwrap() += 1;
    let theirs = account.clone();
    let clerk = go!(name = "clerk"; { book(&theirs) });
    book(&account);
    clerk.join().unwrap();
    assert_eq!(*account.lock().unwrap(), 2, "a payment is lost");
}

fn main() {
    if cfg!(loom) {
        let failure = Model::new().explore(bug).expect_err("a payment is lost in some interleaving");
        println!("the bug:\n\n{failure}\n");
    } else {
        println!("this build only tries its luck; to explore every interleaving:");
        println!(
            "RUSTFLAGS=\"--cfg loom\" cargo run --profile loom --target-dir target/loom --example model_lost_update"
        );
    }
    let explored = Model::new().explore(fix).expect("nothing is lost");
    println!("the fix: {explored}");
}
