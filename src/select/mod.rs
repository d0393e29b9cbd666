//! Waiting on several channels at once: whichever is ready first.
//!
//! `select!` takes arms that are written down, [`Select`] any number of arms collected at run time. Both do the
//! same: they look at all arms; among those that are ready, one is chosen at random and done; if none is, they wait
//! on all of them at once, and the first to become ready is done. Exactly one operation takes place, however many
//! channels become ready at the same time: the others neither lose a value nor gain one.
//!
//! ```
//! use gaggle::{Select, chan};
//!
//! // Merge any number of channels into one stream.
//! let channels: Vec<_> = (0..4).map(|_| chan(1)).collect();
//! let workers: Vec<_> = channels
//!     .iter()
//!     .enumerate()
//!     .map(|(i, (tx, _))| {
//!         let tx = tx.clone();
//!         std::thread::spawn(move || tx.send(i * i).unwrap())
//!     })
//!     .collect();
//!
//! let mut s = Select::new();
//! for (_, rx) in &channels {
//!     s.recv(rx);
//! }
//! let mut sum = 0;
//! for _ in 0..4 {
//!     let op = s.select();
//!     let (_, rx) = &channels[op.index()];
//!     sum += op.recv(rx).unwrap();
//! }
//! assert_eq!(sum, 0 + 1 + 4 + 9);
//! # workers.into_iter().for_each(|w| w.join().unwrap());
//! ```
//!
//! # Blocking
//! A select waits while none of its arms is ready. A channel that is closed is ready: to a receive it says `None`
//! (once drained), to a send that it failed. With a `default` arm, or [`Select::try_select`], it does not wait;
//! with an `after` arm, or [`Select::select_timeout`], no longer than it is told.
//!
//! # Never ready
//! An `Option` of a channel that is `None` is Go's nil channel: its arm never wins. Nor does one whose guard is
//! false. A select without arms waits for ever.
//!
//! # Fairness
//! Among arms that are ready the choice is uniformly random, each time anew, so that no arm starves another. A
//! `biased` select tries them in order instead. On each channel, a waiting select stands in the same queue as plain
//! sends and receives: first come, first served.
//!
//! # Where to read on
//! `run.rs` has the three passes, `cases.rs` what an arm is, `expand.rs` what the macro calls.

mod cases;
mod dynamic;
#[doc(hidden)]
pub mod expand;
mod order;
mod run;
mod timed;

pub use dynamic::{Select, SelectedOperation};
