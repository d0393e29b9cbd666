//! How a goroutine ends other than by returning: a panic, or `exit`.

use super::task::{Around, PanicPayload};

/// The payload of a goroutine that called [`exit`]: what [`JoinHandle::join`](super::JoinHandle::join) returns as its
/// error.
#[derive(Debug)]
pub struct Exited(());

/// Ends the calling goroutine: its destructors run, then it is over. Go's `runtime.Goexit`.
///
/// It unwinds without running the panic hook; a lock whose guard is dropped by it is poisoned. Called by the goroutine of
/// `main`, the others go on; when none is left the process ends with status 2, and says that there are `no goroutines
/// (main called runtime.Goexit)`.
///
/// # Panics
/// On a plain thread, which has no goroutine to end.
///
/// ```
/// let gone = gaggle::spawn(|| { gaggle::runtime::exit(); });
/// assert!(gone.join().unwrap_err().is::<gaggle::go::Exited>());
/// ```
#[track_caller]
pub fn exit() -> ! {
    assert!(crate::park::in_goroutine(), "exit: this thread is no goroutine");
    std::panic::resume_unwind(Box::new(Exited(())))
}

/// What surrounds the body of an ordinary goroutine.
pub(super) struct Plain;

impl Around for Plain {
    #[inline]
    fn before_end(&self, panic: Option<&PanicPayload>) {
        ending(panic);
    }

    #[inline]
    fn after_end(self, _unhandled: bool) {}
}

/// What every end of a body does, on the goroutine's own stack.
pub(super) fn ending(panic: Option<&PanicPayload>) {
    if let Some(payload) = panic.filter(|payload| !payload.is::<Exited>()) {
        tell(payload);
    }
    crate::park::end_goroutine();
}

/// A panic of the calling goroutine that is kept for another one, in which it will go on: whoever is told of panics
/// hears of it now. A model hears of it there.
pub(crate) fn panic_is_kept(payload: &PanicPayload) {
    if cfg!(not(loom)) {
        tell(payload);
    }
}

#[cfg(loom)]
fn tell(payload: &PanicPayload) {
    crate::park::model::end_by_panic(&**payload);
}

#[cfg(not(loom))]
use hooks::tell;
#[cfg(not(loom))]
pub use hooks::{GoroutinePanic, PanicPolicy};
#[cfg(not(loom))]
pub(crate) use hooks::{panics_abort, set_on_panic, set_policy};

#[cfg(not(loom))]
mod hooks {
    use super::super::Id;
    use super::PanicPayload;
    use crate::park::Myself;
    use crate::primitives::atomic::{AtomicBool, Ordering};
    use core::any::Any;
    use core::fmt;
    use std::sync::OnceLock;

    /// What a panic in a goroutine does to the process.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub enum PanicPolicy {
        /// It ends that goroutine only, as a panic ends a thread in Rust. The default.
        #[default]
        Isolate,
        /// It ends the process with exit status 2: Go's rule.
        Abort,
    }

    /// What [`Builder::on_panic`](crate::runtime::Builder::on_panic) sees of a goroutine that panicked; the example is
    /// there.
    pub struct GoroutinePanic<'a> {
        me: &'a Myself,
        payload: &'a PanicPayload,
    }

    impl GoroutinePanic<'_> {
        /// The goroutine's number.
        pub fn id(&self) -> Id {
            Id(self.me.id())
        }

        /// Its name, if it was given one.
        pub fn name(&self) -> Option<&str> {
            self.me.name()
        }

        /// Where it was started: `file:line:column`.
        pub fn site(&self) -> &(dyn fmt::Display + 'static) {
            self.me.site()
        }

        /// What it panicked with.
        pub fn payload(&self) -> &(dyn Any + Send) {
            &**self.payload
        }
    }

    impl fmt::Debug for GoroutinePanic<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("GoroutinePanic")
                .field("id", &self.id())
                .field("name", &self.name())
                .field("site", &format_args!("{}", self.site()))
                .finish_non_exhaustive()
        }
    }

    type Hook = Box<dyn Fn(&GoroutinePanic<'_>) + Send + Sync>;

    static HOOK: OnceLock<Hook> = OnceLock::new();
    static ABORT: AtomicBool = AtomicBool::new(false);

    pub(crate) fn set_policy(policy: PanicPolicy) {
        // ORDERING: Relaxed; a switch, set before the first goroutine starts.
        ABORT.store(policy == PanicPolicy::Abort, Ordering::Relaxed);
    }

    /// Whether a panic ends the process.
    pub(crate) fn panics_abort() -> bool {
        // ORDERING: Relaxed; see `set_policy`.
        ABORT.load(Ordering::Relaxed)
    }

    pub(crate) fn set_on_panic(hook: Hook) {
        // Set once, by the one successful start of the runtime.
        let _ = HOOK.set(hook);
    }

    #[cold]
    pub(super) fn tell(payload: &PanicPayload) {
        let Some(me) = Myself::get() else { return };
        if let Some(hook) = HOOK.get() {
            let seen = GoroutinePanic { me: &me, payload };
            // A hook that panics itself has printed so; the goroutine ends all the same.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hook(&seen)));
        }
        if panics_abort() {
            (crate::HOOKS.aborting)();
            std::process::exit(2);
        }
    }
}
