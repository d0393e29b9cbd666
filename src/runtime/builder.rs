//! Settings of the runtime.

use super::check_procs;
use crate::coroutine::stack::{MAX_STACK, class_for};
use crate::go::{self, GoroutinePanic, PanicPolicy};
use crate::io::blocking;
use crate::sched::{self, config::Config};
use core::fmt;

type PanicHook = Box<dyn Fn(&GoroutinePanic<'_>) + Send + Sync>;

/// Starts the runtime with settings of the program's own.
///
/// ```
/// use gaggle::runtime::{Builder, PanicPolicy};
/// Builder::new()
///     .max_procs(2)
///     .stack_size(64 << 10)
///     .panic(PanicPolicy::Isolate)
///     .start()
///     .expect("nothing has started it before");
/// assert_eq!(gaggle::runtime::max_procs(), 2);
/// assert!(Builder::new().start().is_err());
/// ```
#[must_use = "a builder starts nothing until `start`"]
#[derive(Default)]
pub struct Builder {
    procs: Option<usize>,
    stack_size: Option<usize>,
    max_stack: Option<usize>,
    max_blocking: Option<usize>,
    policy: PanicPolicy,
    hook: Option<PanicHook>,
    migrate: bool,
    warn_blocked: Option<bool>,
    strict_procs: Option<bool>,
}

/// The runtime was running already, with the settings that it was started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlreadyStarted;

impl fmt::Display for AlreadyStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("starting a runtime that is already running")
    }
}

impl core::error::Error for AlreadyStarted {}

impl Builder {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many goroutines run at once. Default: `GAGGLE_PROCS`, or the CPUs that this process may use (affinity
    /// and cgroup quota respected).
    ///
    /// # Panics
    /// For 0 and for more than 1024.
    #[track_caller]
    pub fn max_procs(mut self, n: usize) -> Self {
        check_procs(n);
        self.procs = Some(n);
        self
    }

    /// Bytes of a goroutine's first stack segment, rounded up to a class. Default: `GAGGLE_STACK`, or 256 KiB.
    ///
    /// # Panics
    /// For 0 and for more than the largest class.
    #[track_caller]
    pub fn stack_size(mut self, bytes: usize) -> Self {
        assert!(class_for(bytes).is_ok(), "stack_size of {bytes}: expected 1 to {MAX_STACK} bytes");
        self.stack_size = Some(bytes);
        self
    }

    /// The most that one goroutine's stack may grow to, all segments together. Default: 1 GiB. A goroutine that
    /// needs more ends the process with the report of a stack overflow.
    ///
    /// # Compared with Go
    /// `debug.SetMaxStack`
    ///
    /// ```
    /// #[gaggle::growable]
    /// fn count(n: u64) -> u64 {
    ///     if n == 0 { 0 } else { 1 + count(n - 1) }
    /// }
    /// gaggle::runtime::Builder::new().max_stack(64 << 20).start().expect("nothing has started it before");
    /// assert_eq!(gaggle::spawn(|| count(10_000)).join().unwrap(), 10_000);
    /// ```
    pub fn max_stack(mut self, bytes: usize) -> Self {
        self.max_stack = Some(bytes);
        self
    }

    /// How many threads there may be for [`blocking`](crate::runtime::blocking) calls, files and children. Default: 512.
    /// Calls beyond that wait in line.
    ///
    /// # Panics
    /// For 0.
    ///
    /// ```
    /// gaggle::runtime::Builder::new().max_blocking_threads(1).start().expect("nothing has started it before");
    /// let calls = [1, 2].map(|n| gaggle::spawn(move || gaggle::runtime::blocking(|| n)));
    /// assert_eq!(calls.map(|call| call.join().unwrap()), [1, 2]);
    /// ```
    #[track_caller]
    pub fn max_blocking_threads(mut self, n: usize) -> Self {
        assert!(n > 0, "max_blocking_threads of 0: expected at least 1");
        self.max_blocking = Some(n);
        self
    }

    /// What a panic in a goroutine does to the process. Default: [`PanicPolicy::Isolate`].
    pub fn panic(mut self, policy: PanicPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Shows every panic that ends a goroutine to `f`, on the stack of that goroutine.
    ///
    /// ```
    /// let (seen, panics) = gaggle::chan(1);
    /// gaggle::runtime::Builder::new()
    ///     .on_panic(move |panic| {
    ///         let why = panic.payload().downcast_ref::<&str>().copied();
    ///         seen.send((panic.id(), panic.name().map(str::to_owned), why, panic.site().to_string())).unwrap();
    ///     })
    ///     .start()
    ///     .expect("nothing has started it before");
    /// let bad = gaggle::task::Builder::new().name("bad").spawn(|| panic!("oh")).unwrap();
    /// let (id, name, why, site) = panics.recv().unwrap();
    /// assert_eq!((id, name.as_deref(), why), (bad.id(), Some("bad"), Some("oh")));
    /// assert!(site.contains(".rs:"));
    /// ```
    pub fn on_panic(mut self, f: impl Fn(&GoroutinePanic<'_>) + Send + Sync + 'static) -> Self {
        self.hook = Some(Box::new(f));
        self
    }

    /// Whether the runtime says, on standard error, which goroutine keeps its thread for long while others that are at
    /// home there wait: one line, once for each place in the source that starts such goroutines. Default: yes, unless
    /// `GAGGLE_WARN` is 0.
    ///
    /// ```
    /// gaggle::runtime::Builder::new().warn_blocked(false).start().expect("nothing has started it before");
    /// // Keeps its thread for as long as it takes, and says nothing.
    /// gaggle::spawn(|| std::thread::sleep(std::time::Duration::from_millis(1))).join().unwrap();
    /// ```
    pub fn warn_blocked(mut self, yes: bool) -> Self {
        self.warn_blocked = Some(yes);
        self
    }

    /// Whether no more goroutines run than there are processors, those counted that compute for long. Default: no, unless
    /// `GAGGLE_STRICT_PROCS` is 1.
    ///
    /// A goroutine that computes for ten milliseconds while others want its processor loses it, and goes on on its thread;
    /// the system shares the CPUs out among all threads that compute. With this setting such threads are stopped instead,
    /// and take turns of ten milliseconds, by a real-time signal whose handler waits: the highest one below `SIGRTMAX`
    /// that has no handler when the runtime starts. Those that wait in a system call, and those that a goroutine has for
    /// itself ([`lock_os_thread`](crate::runtime::lock_os_thread)), are not stopped. A goroutine that needs a processor
    /// for a moment runs beside them at once; and one of those that rest has a turn at least every 100 milliseconds,
    /// so that at the worst there is a tenth of a goroutine more than processors.
    ///
    /// Whatever a stopped goroutine holds stays held until its next turn: the lock of the heap or of standard output, or a
    /// guard of `std::sync::Mutex`. Who waits for it gives its own turn away, so the program goes on, but late: with n
    /// such goroutines by up to n turns. A system call that is about to block when the signal comes is restarted; where
    /// the system does not do that (`poll`, `nanosleep`) it ends with `EINTR`.
    ///
    /// On Linux. Elsewhere a line on standard error says that the setting has no effect.
    ///
    /// ```
    /// gaggle::runtime::Builder::new().max_procs(1).strict_procs(true).start().expect("nothing has started it before");
    /// let sums = [10, 20].map(|n| gaggle::spawn(move || (0..n).sum::<u64>()));
    /// assert_eq!(sums.map(|sum| sum.join().unwrap()), [45, 190]);
    /// ```
    pub fn strict_procs(mut self, yes: bool) -> Self {
        self.strict_procs = Some(yes);
        self
    }

    /// Makes goroutines that are started from plain threads migrate: Go's scheduler, any goroutine on any thread.
    ///
    /// # Safety
    /// The program promises for all those goroutines, and the ones that they start: no borrow of a thread local and
    /// no value tied to a thread is held across an operation that may park.
    ///
    /// ```
    /// // SAFETY: nothing here knows on which thread it runs.
    /// let builder = unsafe { gaggle::runtime::Builder::new().migrate() };
    /// builder.start().expect("nothing has started it before");
    /// assert_eq!(gaggle::spawn(|| 1 + 1).join().unwrap(), 2);
    /// ```
    pub unsafe fn migrate(mut self) -> Self {
        self.migrate = true;
        self
    }

    /// Starts the runtime.
    ///
    /// # Errors
    /// If it runs already; its settings stay as they were.
    pub fn start(self) -> Result<(), AlreadyStarted> {
        let started = sched::scheduler().start(|| {
            let defaults = Config::from_environment();
            go::set_policy(self.policy);
            if let Some(hook) = self.hook {
                go::set_on_panic(hook);
            }
            if let Some(n) = self.max_blocking {
                blocking::set_max_threads(n);
            }
            Config {
                procs: self.procs.unwrap_or(defaults.procs),
                stack_size: self.stack_size.unwrap_or(defaults.stack_size),
                max_stack: self.max_stack,
                migrate: self.migrate,
                warn_blocked: self.warn_blocked.unwrap_or(defaults.warn_blocked),
                strict_procs: self.strict_procs.unwrap_or(defaults.strict_procs),
            }
        });
        if started { Ok(()) } else { Err(AlreadyStarted) }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("max_procs", &self.procs)
            .field("stack_size", &self.stack_size)
            .field("max_stack", &self.max_stack)
            .field("max_blocking_threads", &self.max_blocking)
            .field("panic", &self.policy)
            .field("migrate", &self.migrate)
            .field("warn_blocked", &self.warn_blocked)
            .field("strict_procs", &self.strict_procs)
            .finish_non_exhaustive()
    }
}
