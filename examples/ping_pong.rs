//! Two players and one ball: the table is an unbuffered channel, and whoever holds the ball may hit it.
//!
//! The idea is the opening of Sameer Ajmani's talk "Advanced Go Concurrency Patterns" (2013). There the match ends
//! after a second; here it ends after a number of hits, by closing the table.
//!
//! Migrating mode, as a program ported from Go would run. Players that are pinned may have begun on two threads, and
//! then each hit wakes the other thread; here the thread that hits the ball goes on with the player who gets it. The
//! promise behind the `unsafe` is easy to keep: a player holds nothing that a thread owns.

use gaggle::{JoinHandle, Receiver, Sender, chan, go};
use std::time::{Duration, Instant};

struct Ball {
    hits: u32,
}

/// Hits every ball that comes, until `last` hits have been made or the table is closed. Says how often it hit.
fn play(name: &str, serve: &Sender<Ball>, table: &Receiver<Ball>, last: u32, aloud: bool) -> u32 {
    let mut own = 0;
    for mut ball in table {
        ball.hits += 1;
        own += 1;
        if aloud {
            println!("{name} {}", ball.hits);
            gaggle::time::sleep(Duration::from_millis(1));
        }
        if ball.hits == last {
            serve.close();
        } else if serve.send(ball).is_err() {
            break;
        }
    }
    own
}

fn start(name: &'static str, table: &(Sender<Ball>, Receiver<Ball>), last: u32, aloud: bool) -> JoinHandle<u32> {
    let (serve, balls) = table.clone();
    go!(name = name; move || play(name, &serve, &balls, last, aloud))
}

fn game(last: u32, aloud: bool) -> (u32, u32) {
    let table = chan(0);
    let ping = start("ping", &table, last, aloud);
    // Only ping is at the table yet, so ping takes the first ball.
    table.0.send(Ball { hits: 0 }).expect("ping waits for it");
    let pong = start("pong", &table, last, aloud);
    (ping.join().expect("ping plays to the end"), pong.join().expect("pong plays to the end"))
}

#[gaggle::main(unsafe(migrate))]
fn main() {
    let (ping, pong) = game(8, true);
    println!("ping hit {ping} times, pong {pong}");

    let hits = 100_000;
    let start = Instant::now();
    let (ping, pong) = game(hits, false);
    let each = start.elapsed().as_nanos() / u128::from(hits);
    println!("a long match: {} hits [{each} ns each]", ping + pong);
}
