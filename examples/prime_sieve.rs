//! Primes from a chain of goroutines: a generator counts, and each prime found adds a filter that drops its multiples.
//!
//! The idea is Doug McIlroy's, by way of Hoare's CSP paper (1978); Go programmers know it from the language's first
//! tutorials.
//!
//! Migrating mode, as a program ported from Go would run: a filter is woken on whichever thread is free, so that the
//! chain spreads over all of them. The promise behind the `unsafe` is easy to keep: no filter touches a thread local.

use gaggle::{Receiver, chan, go};

/// 2, 3, 4, … until nobody listens.
fn count() -> Receiver<u32> {
    let (tx, rx) = chan(0);
    go!({ (2..).take_while(|&n| tx.send(n).is_ok()).for_each(drop) });
    rx
}

/// What comes in, less the multiples of `prime`.
fn without_multiples(prime: u32, numbers: Receiver<u32>) -> Receiver<u32> {
    let (tx, rx) = chan(0);
    go!({
        for n in numbers {
            if n % prime != 0 && tx.send(n).is_err() {
                // Dropping `numbers` ends the filter before this one, and so on back to the generator.
                return;
            }
        }
    });
    rx
}

#[gaggle::main(unsafe(migrate))]
fn main() {
    let mut numbers = count();
    for _ in 0..100 {
        let prime = numbers.recv().expect("there is always another number");
        println!("{prime}");
        numbers = without_multiples(prime, numbers);
    }
}
