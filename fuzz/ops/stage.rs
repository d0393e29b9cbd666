//! Where the parties of a script with several of them run: goroutines of either mode, threads, or both.

use gaggle::__private::Attr;
use std::process::ExitCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Pinned,
    Migrating,
    /// Every other party is a plain thread.
    Mixed,
}

pub enum Party<T> {
    Goroutine(gaggle::JoinHandle<T>),
    Thread(std::thread::JoinHandle<T>),
}

impl<T> Party<T> {
    /// What the party came back with; its panic is the script's.
    pub fn join(self) -> T {
        match self {
            Self::Goroutine(party) => party.join(),
            Self::Thread(party) => party.join(),
        }
        .unwrap_or_else(|payload| std::panic::resume_unwind(payload))
    }
}

impl Stage {
    pub fn new(number: u8) -> Self {
        [Self::Pinned, Self::Migrating, Self::Mixed][usize::from(number % 3)]
    }

    /// Runs `f`, which starts the parties and joins them, where it may do so: a goroutine's mode is inherited by those
    /// that it starts, and who joins a thread keeps its own thread from everybody else.
    pub fn play(self, f: impl FnOnce() + Send + 'static) {
        match self {
            Self::Pinned => gaggle::run(f),
            Self::Mixed => f(),
            // No script keeps a borrow of a thread local, or a value tied to a thread, while it waits.
            Self::Migrating => {
                let attr = Attr { migrate: true, ..Attr::default() };
                gaggle::__private::test(attr, move || {
                    f();
                    ExitCode::SUCCESS
                });
            }
        }
    }

    /// Starts party `number`.
    pub fn start<T: Send + 'static>(self, number: usize, f: impl FnOnce() -> T + Send + 'static) -> Party<T> {
        if self == Self::Mixed && number % 2 == 1 {
            Party::Thread(std::thread::spawn(f))
        } else {
            Party::Goroutine(gaggle::spawn(f))
        }
    }
}

/// Lets others run `times` times.
pub fn dawdle(times: usize) {
    for _ in 0..times {
        gaggle::runtime::yield_now();
    }
}
