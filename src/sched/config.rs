//! What the scheduler is started with: the builder's words, else the environment's, else the machine's.

use super::goroutine::flags;
use crate::coroutine::stack::{self, Class, DEFAULT_STACK};
use crate::primitives::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The most processors that can be asked for.
pub(crate) const MAX_PROCS: usize = 1024;

/// See the module's page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub(crate) procs: usize,
    pub(crate) stack_size: usize,
    pub(crate) max_stack: Option<usize>,
    /// Whether goroutines spawned from plain threads migrate.
    pub(crate) migrate: bool,
    /// Whether to say which goroutines keep their threads from others.
    pub(crate) warn_blocked: bool,
    /// Whether goroutines that compute without a processor take turns.
    pub(crate) strict_procs: bool,
}

static MIGRATE: AtomicBool = AtomicBool::new(false);
static WARN_BLOCKED: AtomicBool = AtomicBool::new(true);
static STRICT_PROCS: AtomicBool = AtomicBool::new(false);
/// A class, as the number that `Class::from_index` takes.
static CLASS: AtomicUsize = AtomicUsize::new(Class::DEFAULT.index());

impl Config {
    /// The defaults: `GAGGLE_PROCS` and `GAGGLE_STACK`, or the CPUs that this process may use and 256 KiB.
    ///
    /// A variable that makes no sense ends the process with a line that names it and the accepted range.
    pub(crate) fn from_environment() -> Self {
        Self {
            procs: variable("GAGGLE_PROCS", 1, MAX_PROCS)
                .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get().min(MAX_PROCS))),
            stack_size: variable("GAGGLE_STACK", 1, stack::MAX_STACK).unwrap_or(DEFAULT_STACK),
            max_stack: None,
            migrate: false,
            warn_blocked: variable("GAGGLE_WARN", 0, 1) != Some(0),
            strict_procs: variable("GAGGLE_STRICT_PROCS", 0, 1) == Some(1),
        }
    }

    pub(super) fn apply(&self) {
        // ORDERING: Relaxed; a number, published with the start of the scheduler.
        let class = stack::class_for(self.stack_size).unwrap_or(Class::DEFAULT);
        CLASS.store(class.index(), Ordering::Relaxed);
        MIGRATE.store(self.migrate, Ordering::Relaxed);
        WARN_BLOCKED.store(self.warn_blocked, Ordering::Relaxed);
        STRICT_PROCS.store(self.strict_procs, Ordering::Relaxed);
        if let Some(most) = self.max_stack {
            stack::set_max_stack(most);
        }
    }
}

/// The class of stacks for goroutines that ask for none.
pub(crate) fn default_class() -> Class {
    // ORDERING: Relaxed; a number.
    Class::from_index(CLASS.load(Ordering::Relaxed))
}

/// Whether to say which goroutines keep their threads from others.
pub(super) fn warns_blocked() -> bool {
    // ORDERING: Relaxed; a switch, set once.
    WARN_BLOCKED.load(Ordering::Relaxed)
}

/// Whether goroutines that compute without a processor take turns.
pub(super) fn strict_procs() -> bool {
    // ORDERING: Relaxed; a switch, set once.
    STRICT_PROCS.load(Ordering::Relaxed)
}

/// The flags of goroutines spawned from plain threads.
pub(crate) fn default_flags() -> u8 {
    // ORDERING: Relaxed; a switch, set once.
    if MIGRATE.load(Ordering::Relaxed) { flags::MIGRATING } else { 0 }
}

/// One of several words from the environment: its place among them.
pub(crate) fn choice(name: &str, words: &[&str]) -> Option<usize> {
    let value = std::env::var_os(name)?;
    let found = value.to_str().and_then(|text| words.iter().position(|word| *word == text.trim()));
    if found.is_none() {
        eprintln!("gaggle: {name}={}: expected one of {}", value.display(), words.join(", "));
        std::process::exit(2);
    }
    found
}

/// A whole number from the environment.
pub(crate) fn variable(name: &str, least: usize, most: usize) -> Option<usize> {
    let value = std::env::var_os(name)?;
    let number = value.to_str().and_then(|text| text.trim().parse().ok());
    match number {
        Some(number) if (least..=most).contains(&number) => Some(number),
        _ => {
            eprintln!("gaggle: {name}={}: expected a whole number from {least} to {most}", value.display());
            std::process::exit(2);
        }
    }
}
