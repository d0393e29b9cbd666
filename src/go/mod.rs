//! Starting goroutines.
//!
//! [`spawn`] starts one, `go!` is the same with Go's conveniences, [`Builder`] has options, and [`scope`] lets
//! goroutines borrow from the frame that starts them. All of them work from any thread: outside a running runtime
//! they start the process-wide one with its defaults.
//!
//! ```
//! let (tx, rx) = gaggle::chan(0);
//! for n in 1..=3 {
//!     let tx = tx.clone();
//!     gaggle::spawn(move || tx.send(n * n).unwrap());
//! }
//! drop(tx);
//! assert_eq!(rx.iter().sum::<i32>(), 14);
//! ```

mod join;
#[cfg(all(test, loom))]
mod models;
mod panic;
mod scope;
pub(crate) mod task;

mod builder;
#[cfg(not(loom))]
mod local;

pub use crate::sched::site::Site;
pub use builder::Builder;
pub use join::{Id, JoinHandle};
#[cfg(not(loom))]
pub(crate) use local::serial as locals_serial;
#[cfg(not(loom))]
pub use local::{AccessError, LocalKey};
pub(crate) use panic::panic_is_kept;
pub use panic::{Exited, exit};
#[cfg(not(loom))]
pub use panic::{GoroutinePanic, PanicPolicy};
#[cfg(not(loom))]
pub(crate) use panic::{panics_abort, set_on_panic, set_policy};
pub use scope::{Scope, ScopedJoinHandle, scope};

use crate::park::{self, SpawnOptions, Spawned};
use panic::Plain;
use task::{Around, TaskCell};

/// Runs `f` in a new goroutine.
///
/// The goroutine is not waited for when `main` ends; [`JoinHandle::join`] waits for it and hands over its result.
///
/// # Panics
/// If there is no address space left for its stack; [`Builder::spawn`] returns an error instead.
///
/// # Compared with Go
/// `go f()`. The closure owns what it uses; `go!` evaluates a call's arguments first, as Go does.
///
/// ```
/// let answer = gaggle::spawn(|| 6 * 7);
/// assert_eq!(answer.join().unwrap(), 42);
/// ```
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    spawn_at(site_here(), f)
}

/// The quick path of `go!`: no options.
#[doc(hidden)]
#[track_caller]
#[inline]
pub fn spawn_at<F, T>(site: &'static Site, f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    // SAFETY: everything is `'static`.
    match unsafe { spawn_unchecked(SpawnOptions::new(site), f, Plain) } {
        Ok(spawned) => JoinHandle::new(spawned),
        Err(error) => cannot_spawn(&error),
    }
}

#[cold]
#[track_caller]
fn cannot_spawn(error: &std::io::Error) -> ! {
    panic!("cannot start a goroutine: {error}")
}

/// # Safety
/// The goroutine ends, or the process does, before anything that `f`, `around` and `T` borrow goes away.
#[inline]
unsafe fn spawn_unchecked<F, A, T>(options: SpawnOptions, f: F, around: A) -> std::io::Result<Spawned>
where
    F: FnOnce() -> T + Send,
    A: Around,
    T: Send,
{
    let spawned = park::prepare(options)?;
    let cell = spawned.payload().cast::<TaskCell>();
    // SAFETY: the payload is unused so far, and large enough (checked below).
    unsafe { cell.write(TaskCell::new(f, around)) };
    // SAFETY: the payload holds the cell for these types, and is run once.
    unsafe { spawned.start(|payload| TaskCell::run::<F, A, T>(payload.cast())) };
    Ok(spawned)
}

const _: () = assert!(size_of::<TaskCell>() <= size_of::<park::Payload>());
const _: () = assert!(align_of::<TaskCell>() <= align_of::<park::Payload>());

/// The record of the place that called a `#[track_caller]` function: one per place, kept for ever.
#[track_caller]
pub(crate) fn site_here() -> &'static Site {
    Site::of(core::panic::Location::caller())
}
