//! Time slices: `checkpoint` yields when the calling goroutine has kept its processor for a whole slice.
//!
//! The monitor (`sched::sysmon`) measures the slices, and asks; a goroutine that does not come by loses its processor.

use crate::primitives::atomic::{AtomicBool, Ordering};
use crate::sched::current;

/// Yields if the calling goroutine's time slice is over: a relaxed load otherwise. On a plain thread it does nothing.
///
/// `#[gaggle::preemptible]` puts it at the head of every loop of a function.
///
/// # Compared with Go
/// Go preempts any loop by a signal. No signal handler can switch Rust stacks soundly. A goroutine that does not ask
/// loses its processor to others after a slice of 10 ms, and its thread computes on beside them; in pinned mode those
/// who are at home on that thread wait.
///
/// ```
/// let sum = gaggle::spawn(|| {
///     let mut sum = 0u64;
///     for n in 0..1_000_000 {
///         gaggle::checkpoint();
///         sum += n;
///     }
///     sum
/// });
/// assert_eq!(sum.join().unwrap(), 499_999_500_000);
/// ```
#[inline]
pub fn checkpoint() {
    let Some(due) = current::slice_mark() else {
        return;
    };
    // ORDERING: Relaxed; a mark that is seen a little later is as good.
    if due.load(Ordering::Relaxed) {
        yield_due(due);
    }
}

#[cold]
fn yield_due(due: &AtomicBool) {
    // ORDERING: Relaxed; if the monitor means it, it asks again.
    due.store(false, Ordering::Relaxed);
    super::yield_now();
}
