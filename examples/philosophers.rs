//! Dining philosophers: five at a table with five forks, and each needs two of them to eat.
//!
//! The problem is Dijkstra's (1965), in Hoare's wording. Nobody starves here because everybody reaches for the fork
//! with the lower number first: a ring of philosophers who each wait for the next one cannot form.
//!
//! Pinned mode, the default. The forks are `gaggle::sync::Mutex`es: a philosopher holds them while it sleeps, and one
//! that waits parks its goroutine. A `std::sync::Mutex` would stop the thread, and with it perhaps the very
//! philosopher who holds the fork.

use gaggle::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const NAMES: [&str; 5] = ["Anaximander", "Bolzano", "Carnap", "Diotima", "Epicurus"];
const MEALS: u32 = 20;

struct Table {
    forks: [Mutex<()>; 5],
    eating: [AtomicBool; 5],
}

impl Table {
    fn dine(&self, seat: usize) -> u32 {
        let (left, right) = (seat, (seat + 1) % 5);
        let (low, high) = (left.min(right), left.max(right));
        let mut eaten = 0;
        while eaten < MEALS {
            let _low = self.forks[low].lock().expect("nobody panics at this table");
            let _high = self.forks[high].lock().expect("nobody panics at this table");
            self.eat(seat);
            eaten += 1;
        }
        eaten
    }

    fn eat(&self, seat: usize) {
        self.eating[seat].store(true, Ordering::Relaxed);
        // The locks order these loads: a neighbour's `true` would mean that it holds our fork.
        for neighbour in [(seat + 4) % 5, (seat + 1) % 5] {
            assert!(!self.eating[neighbour].load(Ordering::Relaxed), "two hands on one fork");
        }
        gaggle::time::sleep(Duration::from_micros(200));
        self.eating[seat].store(false, Ordering::Relaxed);
    }
}

#[gaggle::main]
fn main() {
    let table = Table { forks: Default::default(), eating: Default::default() };
    let eaten: Vec<u32> = gaggle::scope(|s| {
        let table = &table;
        let seats: Vec<_> = (0..5).map(|seat| s.go(move || table.dine(seat))).collect();
        seats.into_iter().map(|seat| seat.join().expect("nobody panics at this table")).collect()
    });
    for (name, meals) in NAMES.iter().zip(&eaten) {
        println!("{name} ate {meals} times");
    }
    println!("no two neighbours ever ate at once");
}
