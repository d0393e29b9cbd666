//! Work that would keep a thread of the scheduler: a pool thread does it while the goroutine parks.
//!
//! # Invariants
//! 1. A [`Call`] lives in the frame of a goroutine that neither returns nor unwinds before the call was run and the
//!    wait has ended: what the closure borrows stays good, and the result has a place.
//! 2. Between the opening of the wait and its end nobody but the one that runs the call touches it. It is run once.
//! 3. The thread that ran a call touches nothing of it after its wake.
//! 4. What says that work is under way (`External`) goes with the job, and ends after the wake: there is no moment at
//!    which the goroutine is neither runnable nor expected.
//!
//! Which thread gets which job is decided in `crew`.

use super::crew::{Crew, Failed, Submitted};
use crate::park::{self, External, Outcome, Ticket, WaitReason, begin_wait};
use crate::platform::fatal::FatalWriter;
use crate::primitives::Event;
use crate::primitives::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::primitives::sync::Arc;
use core::fmt::Write;
use core::ptr::NonNull;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

/// How many threads there are at most, unless the builder says otherwise.
const MOST_THREADS: usize = 512;
/// How long a thread without work stays.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

static LIMIT: AtomicUsize = AtomicUsize::new(MOST_THREADS);
static POOL: Pool = Pool { crew: Crew::new(), keep_alive: KEEP_ALIVE };

pub(crate) fn set_max_threads(n: usize) {
    // ORDERING: Relaxed; a setting, read anew with each call.
    LIMIT.store(n, Ordering::Relaxed);
}

/// Runs `f` on a thread that may block, while the calling goroutine parks: for long system calls, foreign code and
/// computations that must not keep a thread of the scheduler.
///
/// `f` may borrow. It runs on *another* thread: [`id`](crate::runtime::id) says `None` there, `goroutine_local!` and
/// `thread_local!` values are those of that thread, the thread of [`lock_os_thread`](crate::runtime::lock_os_thread)
/// is not used, and goroutines that `f` starts have the mode of those started from plain threads. Operations of this
/// crate that `f` calls block that thread. On a plain thread `blocking` just calls `f`.
///
/// The threads are started as they are needed, up to `runtime::Builder::max_blocking_threads`, and end when they had
/// nothing to do for ten seconds. Beyond that number calls wait in line: calls that wait for each other need as many
/// threads. If the system has no thread at all to give, `f` runs where it was called.
///
/// # Blocking
/// Until `f` has returned.
///
/// # Panics
/// With the panic of `f`.
///
/// # Compared with Go
/// Go hands the processor of a goroutine in a system call to another thread. Here that is asked for, since only the
/// program knows which of its calls take long; in turn it works for computations and foreign code too.
///
/// ```
/// let mut lines = Vec::new();
/// let count = gaggle::run(|| {
///     gaggle::runtime::blocking(|| {
///         std::thread::sleep(std::time::Duration::from_millis(1)); // keeps nobody
///         lines.push("borrowed");
///         lines.len()
///     })
/// });
/// assert_eq!(count, 1);
/// ```
pub fn blocking<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    blocking_for(WaitReason::Blocking, f)
}

/// As [`blocking`], with a reason of its own for dumps.
pub(crate) fn blocking_for<F, T>(reason: WaitReason, f: F) -> T
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    // ORDERING: Relaxed; a setting.
    POOL.run(LIMIT.load(Ordering::Relaxed), reason, f)
}

/// Makes a call again as long as a signal interrupts it, whose handler did not ask for that (no `SA_RESTART`).
pub(crate) fn uninterrupted<T>(mut f: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match f() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// What a pool thread needs to know of a [`Call`], whatever its types.
struct Header {
    ticket: Ticket,
    /// Runs the body and stores the result; does not unwind.
    run: unsafe fn(NonNull<Header>),
}

#[repr(C)]
struct Call<F, T> {
    header: Header,
    body: Option<F>,
    result: Option<std::thread::Result<T>>,
}

impl<F: FnOnce() -> T, T> Call<F, T> {
    /// # Safety
    /// The header is that of a `Call<F, T>`, and the caller's alone (I2).
    unsafe fn run(header: NonNull<Header>) {
        // SAFETY: the caller's promise; the header comes first.
        let call = unsafe { header.cast::<Self>().as_mut() };
        if let Some(body) = call.body.take() {
            call.result = Some(catch_unwind(AssertUnwindSafe(body)));
        }
    }
}

/// A call on its way to the thread that runs it.
struct Job {
    header: NonNull<Header>,
    _external: External,
}

// SAFETY: body and result of the call are `Send`, and it is the job's alone until it was run (I2).
unsafe impl Send for Job {}

impl Job {
    /// Runs the call and wakes its goroutine.
    fn run(self) {
        // SAFETY: the call is there and ours (I1, I2), and this is the one time that it is run.
        let ticket = unsafe {
            let ticket = self.header.as_ref().ticket;
            (self.header.as_ref().run)(self.header);
            ticket
        };
        // False when it was run in place: then nobody waits.
        if ticket.claim(Outcome::selected(0)) {
            ticket.wake();
        }
        // Nothing of the call is touched from here on (I3); `_external` ends now (I4).
    }
}

struct Pool {
    crew: Crew<Job, Arc<Event>>,
    keep_alive: Duration,
}

impl Pool {
    fn run<F, T>(&'static self, limit: usize, reason: WaitReason, f: F) -> T
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        if !park::in_goroutine() {
            return f();
        }
        let ticket = begin_wait();
        let header = Header { ticket, run: Call::<F, T>::run };
        let mut call = Call { header, body: Some(f), result: None };
        let call = NonNull::from(&mut call);
        let job = Job { header: call.cast(), _external: External::begin() };
        match self.submit(limit, job) {
            None => {
                ticket.wait(reason);
            }
            // The wait is ended first: what the jobs do may wait too.
            Some(jobs) if ticket.cancel() => jobs.into_iter().for_each(Job::run),
            Some(_) => crate::platform::fatal::runtime_bug!("blocking: somebody claimed a call that was not run"),
        }
        // SAFETY: it was run, and nobody else has it any more (I2, I3).
        match unsafe { (*call.as_ptr()).result.take() } {
            Some(Ok(value)) => value,
            Some(Err(payload)) => resume_unwind(payload),
            None => unreachable!("a call that was run has a result"),
        }
    }

    /// Sees to it that the job is run; gives back what the caller must run itself, when there are no threads. Does not
    /// unwind: the caller's wait is open.
    fn submit(&'static self, limit: usize, job: Job) -> Option<impl IntoIterator<Item = Job>> {
        let seat = match self.crew.submit(job, limit) {
            Submitted::Ring(bell) => {
                bell.set();
                return None;
            }
            Submitted::Queued => {
                say_once(limit);
                return None;
            }
            Submitted::Start(seat) => seat,
        };
        let thread = std::thread::Builder::new().name("gaggle-blocking".into());
        let work = move || {
            let _own = park::own_thread();
            self.work(seat);
        };
        if thread.spawn(work).is_ok() {
            return None;
        }
        match self.crew.start_failed(seat) {
            Failed::Left(bell) => {
                if let Some(bell) = bell {
                    bell.set();
                }
                None
            }
            Failed::RunThese(jobs) => Some(jobs),
        }
    }

    /// The life of a pool thread.
    fn work(&self, seat: usize) {
        let bell = Arc::new(Event::new());
        let mut job = self.crew.given(seat);
        while let Some(next) = job {
            next.run();
            job = self.crew.next(seat, &bell).or_else(|| self.wait(seat, &bell));
        }
    }

    /// Waits for a job; none after a while without work, and then the seat is given up.
    fn wait(&self, seat: usize, bell: &Event) -> Option<Job> {
        let end = Instant::now() + self.keep_alive;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return self.crew.leave(seat);
            }
            // Whether it was rung or not: the seat tells.
            let _ = bell.wait_for(Some(left));
            if let Some(job) = self.crew.given(seat) {
                return Some(job);
            }
        }
    }
}

#[cold]
fn say_once(limit: usize) {
    static SAID: AtomicBool = AtomicBool::new(false);
    // ORDERING: Relaxed; it elects who says it.
    if !SAID.swap(true, Ordering::Relaxed) {
        // Not `eprintln!`, which may unwind; the writer never fails.
        let _ = writeln!(
            FatalWriter::new(),
            "gaggle: all {limit} threads for blocking calls are busy, further calls wait \
             (runtime::Builder::max_blocking_threads; said once)"
        );
    }
}

#[cfg(test)]
#[path = "blocking_tests.rs"]
mod tests;
