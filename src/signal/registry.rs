//! Who is notified of which signals, and what each signal did before.
//!
//! # Invariants
//! 1. While an entry has a signal in its mask the signal's effect is `Told`, and our listener is in force; when no entry has
//!    it any more, what was before is put back, under the same hold of the lock.
//! 2. A signal goes from one effect to the next in one step: in between, the usual effect may be the end of the process.
//! 3. An entry whose receivers are gone is found out at the latest by its next signal. If that was the last entry for it,
//!    the signal is sent again, to have its effect: it is not swallowed by a program that has stopped listening. One that
//!    was on its way when `stop`, `reset` or `ignore` came is dropped instead.
//!
//! # Locking
//! `REGISTRY`: its lock (rank Time: it is held while a signal is put into the channels, which never blocks). Senders are
//! dropped after unlocking, as that closes channels.

use super::Signal;
use crate::chan::{Sender, TrySendError};
use crate::park::External;
use crate::platform::signal_pipe::{self, Listener};
use crate::primitives::{Lock, LockRank};
use std::io;

/// Signals are numbered from 1 to 64.
const MOST: usize = 64;

/// What a signal does.
#[derive(Clone, Copy)]
enum Effect {
    /// Whatever it did before.
    Usual,
    /// It is told to channels; the listener of the crate's own, if it had one, comes back afterwards.
    Told(Option<Listener>),
    /// Nothing; as above, and the action to be put back.
    Ignored(Option<Listener>, libc::sigaction),
}

struct Entry {
    signals: u64,
    channel: Sender<Signal>,
    /// A goroutine that waits for a signal is not asleep for ever.
    _external: External,
}

struct Registry {
    entries: Vec<Entry>,
    effects: [Effect; MOST],
}

// SAFETY: plain data and senders; the pointers in a `sigaction` are functions.
unsafe impl Send for Registry {}

static REGISTRY: Lock<Registry> =
    Lock::new(LockRank::Time, Registry { entries: Vec::new(), effects: [Effect::Usual; MOST] });

/// # Errors
/// For what is no signal.
fn place(signal: Signal) -> io::Result<usize> {
    let number = usize::try_from(signal.as_raw()).ok().filter(|n| (1..=MOST).contains(n));
    number.map(|n| n - 1).ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))
}

/// The signals as bits; none means all.
///
/// # Errors
/// For what is no signal.
fn mask(signals: &[Signal]) -> io::Result<u64> {
    if signals.is_empty() {
        return Signal::all().try_fold(0, |mask, signal| Ok(mask | 1 << place(signal)?));
    }
    signals.iter().try_fold(0, |mask, signal| Ok(mask | 1 << place(*signal)?))
}

fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let at = (mask != 0).then(|| mask.trailing_zeros() as usize)?;
        mask &= mask - 1;
        Some(at)
    })
}

/// Tells `channel` of these signals.
pub(super) fn add(signals: &[Signal], channel: Sender<Signal>) -> io::Result<()> {
    let signals = mask(signals)?;
    let mut registry = REGISTRY.lock();
    let gone = registry.sweep(|_| false);
    let result = bits(signals).try_for_each(|at| registry.tell(at));
    if result.is_ok() {
        registry.entries.push(Entry { signals, channel, _external: External::begin() });
    }
    registry.settle();
    drop(registry);
    drop(gone);
    result
}

/// Ends the entries that `which` names.
pub(super) fn remove(which: impl Fn(&Sender<Signal>) -> bool) {
    let mut registry = REGISTRY.lock();
    let gone = registry.sweep(which);
    registry.settle();
    drop(registry);
    drop(gone);
}

pub(super) fn ignore(signals: &[Signal]) -> io::Result<()> {
    let mask = mask(signals)?;
    let mut registry = REGISTRY.lock();
    let gone = registry.withdraw(mask);
    let result = bits(mask).try_for_each(|at| registry.ignore(at));
    registry.settle();
    drop(registry);
    drop(gone);
    result
}

pub(super) fn reset(signals: &[Signal]) {
    let mask = if signals.is_empty() { u64::MAX } else { bits_of(signals) };
    let mut registry = REGISTRY.lock();
    let gone = registry.withdraw(mask);
    bits(mask).for_each(|at| registry.restore(at));
    drop(registry);
    drop(gone);
}

/// The bits of those that are signals.
fn bits_of(signals: &[Signal]) -> u64 {
    signals.iter().filter_map(|signal| place(*signal).ok()).fold(0, |mask, at| mask | 1 << at)
}

/// A signal has come: on the listening thread.
fn deliver(number: libc::c_int) {
    let signal = Signal::from_raw(number);
    let Ok(at) = place(signal) else { return };
    let mut registry = REGISTRY.lock();
    let (mut told, mut wanted) = (false, false);
    for entry in registry.entries.iter().filter(|entry| entry.signals & 1 << at != 0) {
        wanted = true;
        // A full channel is told too: it has more than it takes.
        told |= !matches!(entry.channel.try_send(signal), Err(TrySendError::Closed(_)));
    }
    let gone = if told { Vec::new() } else { registry.sweep(|_| false) };
    registry.settle();
    drop(registry);
    drop(gone);
    if wanted && !told {
        // SAFETY: to this process, for which the signal was (I3).
        unsafe { libc::kill(libc::getpid(), number) };
    }
}

impl Registry {
    /// Takes out the entries that `which` names, and those without receivers.
    fn sweep(&mut self, which: impl Fn(&Sender<Signal>) -> bool) -> Vec<Entry> {
        self.entries.extract_if(.., |entry| entry.channel.is_closed() || which(&entry.channel)).collect()
    }

    /// Takes the signals out of all entries; returns those that are left with none.
    fn withdraw(&mut self, signals: u64) -> Vec<Entry> {
        self.entries.iter_mut().for_each(|entry| entry.signals &= !signals);
        self.entries.extract_if(.., |entry| entry.signals == 0).collect()
    }

    /// Puts the usual effect of all signals back that nobody wants any more (I1).
    fn settle(&mut self) {
        let wanted = self.entries.iter().fold(0, |wanted, entry| wanted | entry.signals);
        for at in bits(!wanted) {
            if matches!(self.effects[at], Effect::Told(_)) {
                self.restore(at);
            }
        }
    }

    fn tell(&mut self, at: usize) -> io::Result<()> {
        let before = match self.effects[at] {
            Effect::Told(_) => return Ok(()),
            Effect::Usual => signal_pipe::listen(number(at), deliver)?,
            Effect::Ignored(listener, action) => {
                // SAFETY: the action was in force before the signal was ignored.
                unsafe { signal_pipe::listen_again(number(at), deliver, action)? };
                listener
            }
        };
        self.effects[at] = Effect::Told(before);
        Ok(())
    }

    fn ignore(&mut self, at: usize) -> io::Result<()> {
        if matches!(self.effects[at], Effect::Ignored(..)) {
            return Ok(());
        }
        let (listener, action) = signal_pipe::ignore(number(at))?;
        let before = match self.effects[at] {
            Effect::Told(before) => before,
            _ => listener,
        };
        self.effects[at] = Effect::Ignored(before, action);
        Ok(())
    }

    /// What the signal did before it was told or ignored. Errors cannot come: it was caught before.
    fn restore(&mut self, at: usize) {
        let number = number(at);
        let _ = match core::mem::replace(&mut self.effects[at], Effect::Usual) {
            Effect::Usual => Ok(()),
            Effect::Told(Some(listener)) => signal_pipe::listen(number, listener).map(drop),
            Effect::Told(None) => signal_pipe::silence(number).map(drop),
            // SAFETY: the action was in force before the signal was ignored.
            Effect::Ignored(Some(listener), action) => unsafe { signal_pipe::listen_again(number, listener, action) },
            // SAFETY: as above.
            Effect::Ignored(None, action) => unsafe { signal_pipe::put_back(number, &action) },
        };
    }
}

fn number(at: usize) -> libc::c_int {
    at as libc::c_int + 1
}
