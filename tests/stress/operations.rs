//! What a goroutine of the stress test may do. Each operation ends by itself, whatever the others do.

use crate::support::{thread_number, yields};
use crate::world::{Dice, Done, World};
use gaggle::runtime::{exit, lock_os_thread, set_max_procs, yield_now};
use gaggle::{Select, SendTimeoutError, TrySendError, chan, select, spawn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

const SOON: Duration = Duration::from_micros(50);

/// Does `many` operations; `depth` generations of goroutines may follow.
pub fn act(world: &Arc<World>, mut dice: Dice, many: u64, depth: u32) {
    for _ in 0..many {
        match dice.below(100) {
            0..20 => yield_now(),
            20..35 => send(world, &mut dice),
            35..50 => receive(world, &mut dice),
            50..58 => select_of_two(world, &mut dice),
            58..64 => select_of_many(world, &mut dice),
            64..70 => settle_account(world, &mut dice),
            70..76 => exchange(&mut dice),
            76..80 => borrow_in_a_scope(&mut dice),
            80..84 => hold_the_thread(&mut dice),
            84..88 => recurse(&mut dice),
            88..90 => gaggle::time::sleep(Duration::from_micros(dice.below(100))),
            90..92 => drop(set_max_procs(1 + dice.below(8) as usize)),
            92..94 => catch_your_own(world, &mut dice),
            _ if depth > 0 => start(world, &mut dice, depth - 1),
            _ => yield_now(),
        }
    }
}

fn send(world: &World, dice: &mut Dice) {
    let (tx, _) = dice.pick(&world.lanes);
    let value = dice.below(1000);
    let coin = world.coin(value);
    // Had another value come back, the books would not balance.
    let sent = match dice.below(3) {
        0 => match tx.try_send(coin) {
            Ok(()) => true,
            Err(TrySendError::Full(back)) => back.1 != value,
            Err(TrySendError::Closed(_)) => unreachable!("nobody closes a lane"),
        },
        _ => match tx.send_timeout(coin, SOON) {
            Ok(()) => true,
            Err(SendTimeoutError::Timeout(back)) => back.1 != value,
            Err(SendTimeoutError::Closed(_)) => unreachable!("nobody closes a lane"),
        },
    };
    if sent {
        world.booked_sent(value);
    }
}

fn receive(world: &World, dice: &mut Dice) {
    let (_, rx) = dice.pick(&world.lanes);
    let coin = if dice.below(3) == 0 { rx.try_recv().ok() } else { rx.recv_timeout(SOON).ok() };
    coin.into_iter().for_each(|coin| world.book_received(coin));
}

fn select_of_two(world: &World, dice: &mut Dice) {
    let ((tx, _), (_, rx)) = (dice.pick(&world.lanes), dice.pick(&world.lanes));
    let value = dice.below(1000);
    let at_once = dice.below(2) == 0;
    if at_once {
        select! {
            coin = <-rx => world.book_received(coin.unwrap()),
            tx <- world.coin(value) => world.booked_sent(value),
            default => {},
        }
    } else {
        select! {
            coin = <-rx => world.book_received(coin.unwrap()),
            tx <- world.coin(value) => world.booked_sent(value),
            after(SOON) => {},
        }
    }
}

fn select_of_many(world: &World, dice: &mut Dice) {
    let mut select = Select::new();
    let arms: Vec<_> = (0..1 + dice.below(6)).map(|_| dice.pick(&world.lanes)).collect();
    let values: Vec<_> = arms.iter().map(|_| dice.below(2) * (1 + dice.below(999))).collect();
    for ((tx, rx), value) in arms.iter().zip(&values) {
        if *value == 0 {
            select.recv(rx)
        } else {
            select.send(tx, world.coin(*value))
        };
    }
    let Some(op) = select.select_timeout(SOON) else { return };
    let (arm, value) = (op.index(), values[op.index()]);
    if value == 0 {
        world.book_received(op.recv(&arms[arm].1).unwrap());
    } else {
        op.send(&arms[arm].0).unwrap();
        world.booked_sent(value);
    }
}

fn settle_account(world: &World, dice: &mut Dice) {
    let mut account = world.account();
    account.0 += 1;
    yields(dice.below(3) as usize);
    account.1 += 1;
    assert_eq!(account.0, account.1, "two held the lock");
}

/// A conversation with somebody started for it, on channels of its own, without timeouts.
fn exchange(dice: &mut Dice) {
    let (there, here) = chan::<u64>(dice.below(3) as usize);
    let (back, home) = chan::<u64>(dice.below(3) as usize);
    let rounds = dice.below(20);
    let partner = spawn(move || here.iter().map(|v| (back.send(v + 1).unwrap(), v).1).sum::<u64>());
    for n in 0..rounds {
        there.send(n).unwrap();
        assert_eq!(home.recv(), Some(n + 1));
    }
    if dice.below(2) == 0 {
        assert!(there.close());
    } else {
        drop(there);
    }
    assert_eq!(partner.join().unwrap(), (0..rounds).sum());
}

fn borrow_in_a_scope(dice: &mut Dice) {
    let mut slots = [0u64; 4];
    let turns = dice.below(4) as usize;
    gaggle::scope(|s| {
        for slot in &mut slots {
            s.go(move || {
                yields(turns);
                *slot += 1;
            });
        }
    });
    assert_eq!(slots, [1; 4]);
}

fn hold_the_thread(dice: &mut Dice) {
    let _guard = lock_os_thread();
    let here = thread_number();
    yields(dice.below(4) as usize);
    exchange(dice);
    assert_eq!(thread_number(), here);
}

fn recurse(dice: &mut Dice) {
    #[gaggle::growable]
    fn down(depth: u64, mark: &mut u64) -> u64 {
        let frame = std::hint::black_box([depth; 32]);
        *mark += 1;
        if depth % 64 == 1 {
            yield_now();
        }
        let below = if depth == 0 { 0 } else { down(depth - 1, mark) };
        below + frame[depth as usize % 32]
    }
    let (depth, mut mark) = (dice.below(1500), 0);
    assert_eq!(down(depth, &mut mark), depth * (depth + 1) / 2);
    assert_eq!(mark, depth + 1);
}

/// Receives when it is dropped, unwinding or not.
struct ReceivesOnDrop(gaggle::Receiver<u64>);

impl Drop for ReceivesOnDrop {
    fn drop(&mut self) {
        assert!(self.0.recv().is_some());
        yield_now();
    }
}

fn end_badly(dice: &mut Dice) {
    let (tx, rx) = chan(0);
    let _waits = ReceivesOnDrop(rx);
    spawn(move || tx.send(1).unwrap());
    match dice.below(3) {
        0 => resume_unwind(Box::new("a bad end")),
        1 => exit(),
        _ => {}
    }
}

fn catch_your_own(world: &Arc<World>, dice: &mut Dice) {
    // What is caught here is caught, `exit` too; the goroutine goes on.
    _ = catch_unwind(AssertUnwindSafe(|| end_badly(dice)));
    send(world, dice);
}

/// A goroutine that is joined, or not, and may come to a bad end.
fn start(world: &Arc<World>, dice: &mut Dice, depth: u32) {
    let (inside, mut fork, bad) = (world.clone(), dice.fork(), dice.below(4) == 0);
    world.members.add(1);
    let body = move || {
        let done = Done(inside);
        act(&done.0, fork.fork(), 5, depth);
        if bad {
            end_badly(&mut fork);
        }
    };
    let handle = match dice.below(4) {
        0 => gaggle::task::Builder::new().name("child").stack_size(64 << 10).pinned().spawn(body).unwrap(),
        _ => spawn(body),
    };
    if dice.below(2) == 0 {
        let ended = handle.join();
        assert!(bad || ended.is_ok(), "a good goroutine came to a bad end");
    }
}
