//! The operating system behind small contracts: memory, fault signals, the last words of a dying process.
//!
//! | room | contract | on |
//! | --- | --- | --- |
//! | [`memory`] | reserve, guard, protect and discard pages | Linux |
//! | [`signals`] | alternate signal stacks, the fault handler | unix |
//! | [`threads`] | what another thread is doing | Linux; elsewhere it says that it does not know |
//! | [`interrupt`] | runs a function on another thread, in a signal handler | Linux; elsewhere it says no |
//! | [`signal_pipe`] | a thread that is told of other signals | unix |
//! | [`census`] | how many threads there are, and whose | Linux |
//! | [`poller`] | which descriptors are ready, by way of `mio` | everywhere |
//! | [`fatal`] | write a message and abort, without allocating | everywhere |

pub(crate) mod census;
pub(crate) mod clock;
pub(crate) mod fatal;
pub(crate) mod interrupt;
#[cfg(target_os = "linux")]
#[cfg_attr(
    any(gaggle_portable, not(any(target_arch = "x86_64", target_arch = "aarch64"))),
    allow(dead_code, reason = "generators bring stacks and guards of their own")
)]
pub(crate) mod memory;
pub(crate) mod poller;
#[cfg(unix)]
pub(crate) mod signal_pipe;
#[cfg(unix)]
pub(crate) mod signals;
pub(crate) mod threads;
