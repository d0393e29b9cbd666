//! A goroutine that panics, and its neighbours.

use crate::heading;
use gaggle::{chan, go};

pub fn isolated() {
    heading(9, "a panic ends one goroutine", "(there, it ends the process)");
    let (tx, rx) = chan(0);
    let unlucky = go!(name = "unlucky", clone tx; {
        let numbers = [1, 2, 3];
        let index = tx.capacity().expect("it is bounded") + numbers.len();
        numbers[index]
    });
    let neighbours: Vec<_> = (1..=3).map(|n| go!(clone tx; tx.send(n * 100))).collect();
    drop(tx);

    println!("   the neighbours add up to {}", rx.iter().sum::<i32>());
    for neighbour in neighbours {
        neighbour.join().expect("neighbours don't care").expect("and were heard");
    }
    let payload = unlucky.join().expect_err("it panicked");
    let message = payload.downcast_ref::<String>().map_or("(no text)", |text| text);
    println!("   joining it hands over the panic: {message}");
}
