//! Goroutines, channels, select: what the first hour with Go shows.

use crate::heading;
use gaggle::sync::WaitGroup;
use gaggle::{Receiver, TrySendError, chan, go, select, time};
use std::time::{Duration, Instant};

pub fn goroutines() {
    heading(1, "goroutines", "go greet(name)");
    let greet = |name: &str| format!("hello from {name}");
    let greetings: Vec<_> = ["Ann", "Bob", "Cleo"].map(|name| go!(greet(name))).into();
    // They ran in any order; they are joined in this one.
    for greeting in greetings {
        println!("   {}", greeting.join().expect("a greeting does not panic"));
    }
    let start = Instant::now();
    let all = WaitGroup::new();
    for _ in 0..10_000 {
        all.add(1);
        go!(clone all; all.done());
    }
    all.wait();
    println!("   ten thousand more have come and gone [{:.1?}]", start.elapsed());
}

pub fn rendezvous() {
    heading(2, "rendezvous", "ch := make(chan int)");
    let (tx, rx) = chan(0);
    match tx.try_send(1) {
        Err(TrySendError::Full(_)) => println!("   nobody receives yet, so a send would wait"),
        other => println!("   wrong: {other:?}"),
    }
    let receiver = go!({ rx.recv() });
    tx.send(42).expect("somebody receives");
    println!("   send returned: the receiver has the value");
    println!("   received {:?}", receiver.join().expect("a receive does not panic"));
}

fn talk(name: &'static str) -> Receiver<(&'static str, u32)> {
    let (tx, rx) = chan(0);
    go!({
        for n in 1..=3 {
            tx.send((name, n)).expect("somebody listens");
        }
    });
    rx
}

pub fn fan_in() {
    heading(3, "fan-in", "for { c <- <-input }");
    let (tx, rx) = chan(0);
    for name in ["Ann", "Bob"] {
        go!(clone tx; {
            for message in talk(name) {
                tx.send(message).expect("somebody listens");
            }
        });
    }
    drop(tx);
    let heard: Vec<_> = rx.iter().collect();
    let order: Vec<_> = heard.iter().map(|(name, _)| *name).collect();
    for speaker in ["Ann", "Bob"] {
        let own = heard.iter().filter(|(name, _)| *name == speaker).map(|(_, n)| n.to_string());
        println!("   {speaker} said {}", own.collect::<Vec<_>>().join(" "));
    }
    println!("   both on one channel [{}]", order.join(" "));
}

pub fn select_with_timeout() {
    heading(4, "select, with timeout and default", "select { case v := <-ch: … }");
    let (tx, rx) = chan::<&str>(1);
    let listen = |rx: &Receiver<&'static str>| {
        let start = Instant::now();
        select! {
            word = <-rx => println!("   heard {word:?}"),
            after(Duration::from_millis(20)) => println!("   timed out [{:.0?}]", start.elapsed()),
        }
    };
    listen(&rx);
    tx.send("a word").expect("there is room");
    listen(&rx);
    select! {
        word = <-rx => println!("   wrong: {word:?}"),
        default => println!("   nothing to hear, and no wish to wait"),
    }
    drop(tx);
    listen(&rx);
}

pub fn worker_pool() {
    heading(5, "worker pool", "for j := range jobs { … }");
    let (job, jobs) = chan::<u64>(4);
    let (result, results) = chan(4);
    let start = Instant::now();
    for worker in 0..4 {
        go!(name = format!("worker {worker}"), clone jobs, result; {
            for n in jobs {
                time::sleep(Duration::from_millis(5));
                result.send((worker, n * n)).expect("somebody adds up");
            }
        });
    }
    drop(result);
    go!({ (1..=20).for_each(|n| job.send(n).expect("the workers live")) });
    let mut shares = [0; 4];
    let mut sum = 0;
    for (worker, square) in results {
        shares[worker] += 1;
        sum += square;
    }
    let shares = shares.map(|jobs: u32| jobs.to_string()).join(", ");
    println!("   the squares of 1 to 20 add up to {sum} [{shares} jobs each, in {:.0?}]", start.elapsed());
}

fn without_multiples(prime: u32, numbers: Receiver<u32>) -> Receiver<u32> {
    let (tx, rx) = chan(0);
    go!({ numbers.iter().filter(|n| n % prime != 0).take_while(|&n| tx.send(n).is_ok()).for_each(drop) });
    rx
}

pub fn prime_sieve() {
    heading(6, "prime sieve", "go filter(in, out, prime)");
    let (tx, mut numbers) = chan(0);
    go!({ (2..).take_while(|&n| tx.send(n).is_ok()).for_each(drop) });
    let mut primes = Vec::new();
    while primes.len() < 25 {
        let prime = numbers.recv().expect("there is always another number");
        primes.push(prime.to_string());
        numbers = without_multiples(prime, numbers);
    }
    println!("   {}", primes.join(" "));
}
