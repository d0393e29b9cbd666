//! The reader-writer lock without a value: Go's algorithm, which prefers a waiting writer to new readers, and the
//! readers that waited meanwhile to the next writer.
//!
//! ```text
//!   63          62                                0
//!  +--------+--------------------------------------+
//!  | WRITER | readers: those inside, and those who |     WRITER: one is inside, or waits for readers to leave
//!  |        | wait for the writer                  |
//!  +--------+--------------------------------------+
//! ```
//!
//! # Invariants
//! 1. Only the holder of `writers` sets and clears WRITER, so there is one writer at a time.
//! 2. A reader counts itself before it looks at WRITER. If it was clear the reader is inside; else it waits until it
//!    is admitted. The writer that sets WRITER learns in the same step how many are inside: it waits for as many to
//!    leave. The one that clears it learns how many wait, and admits as many.
//! 3. `departing` is the number of readers the writer waits for, less those who have left since it set WRITER. It is
//!    negative when readers leave before the writer has come to count them in.
//! 4. `admitted` are admissions granted before their readers came to queue; they go to whoever comes first, as one
//!    reader is as good as another. The count of those inside is right all the same.
//!
//! # Locking
//! `inner`: guarded by its lock (rank Sync). Waiters are woken after it is released. `writers` is taken before.

use super::raw_mutex::RawMutex;
use super::wake_list::WakeList;
use crate::park::{Outcome, Ticket, WaitNode, WaitQueue, WaitReason, begin_wait};
use crate::primitives::atomic::{AtomicU64, Ordering};
use crate::primitives::{Lock, LockRank};
use core::ptr;

const WRITER: u64 = 1 << 63;
const READERS: u64 = WRITER - 1;
const DONE: Outcome = Outcome::selected(0);

#[derive(Debug)]
struct Inner {
    admitted: u64,
    departing: i64,
    writer: Option<Ticket>,
    readers: WaitQueue,
}

/// See the module's page.
#[derive(Debug)]
pub(super) struct RawRwLock {
    word: AtomicU64,
    writers: RawMutex,
    inner: Lock<Inner>,
}

impl RawRwLock {
    const_unless_loom! {
        pub(super) const fn new() -> Self {
            let inner = Inner { admitted: 0, departing: 0, writer: None, readers: WaitQueue::new() };
            Self { word: AtomicU64::new(0), writers: RawMutex::new(), inner: Lock::new(LockRank::Sync, inner) }
        }
    }

    #[inline]
    pub(super) fn read(&self) {
        // ORDERING: Acquire pairs with the Release in `write_unlock`.
        if self.word.fetch_add(1, Ordering::Acquire) & WRITER != 0 {
            self.read_contended();
        }
    }

    #[inline]
    pub(super) fn try_read(&self) -> bool {
        // ORDERING: Relaxed; only the compare-and-swap decides.
        let mut seen = self.word.load(Ordering::Relaxed);
        while seen & WRITER == 0 {
            // ORDERING: Acquire pairs with the Release in `write_unlock`.
            match self.word.compare_exchange_weak(seen, seen + 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    /// # Safety
    /// The caller is a reader inside.
    #[inline]
    pub(super) unsafe fn read_unlock(&self) {
        // ORDERING: Release pairs with the Acquire of the next writer, in `write` or `try_write`.
        let before = self.word.fetch_sub(1, Ordering::Release);
        debug_assert!(before & READERS != 0, "runtime bug: a reader left that was not inside");
        if before & WRITER != 0 {
            self.read_unlock_contended();
        }
    }

    #[inline]
    pub(super) fn write(&self) {
        self.writers.lock(WaitReason::RwLockWrite);
        // ORDERING: Acquire pairs with the Release of readers that have left, and of the writer before.
        let inside = self.word.fetch_add(WRITER, Ordering::Acquire);
        if inside != 0 {
            self.write_contended(inside);
        }
    }

    #[inline]
    pub(super) fn try_write(&self) -> bool {
        if !self.writers.try_lock() {
            return false;
        }
        // ORDERING: Acquire pairs with the Release of readers that have left, and of the writer before.
        if self.word.compare_exchange(0, WRITER, Ordering::Acquire, Ordering::Relaxed).is_ok() {
            return true;
        }
        // SAFETY: we have just locked it.
        unsafe { self.writers.unlock() };
        false
    }

    /// # Safety
    /// The caller is the writer inside.
    #[inline]
    pub(super) unsafe fn write_unlock(&self) {
        // SAFETY: as our contract.
        unsafe { self.leave(WRITER) };
    }

    /// The writer inside becomes a reader inside; no writer gets in between.
    ///
    /// # Safety
    /// The caller is the writer inside.
    pub(super) unsafe fn downgrade(&self) {
        // SAFETY: as our contract. WRITER goes and one reader comes in the same step.
        unsafe { self.leave(WRITER - 1) };
    }

    /// # Safety
    /// The caller is the writer inside, and leaves.
    #[inline]
    unsafe fn leave(&self, difference: u64) {
        // ORDERING: Release pairs with the Acquire of readers, and of the next writer.
        let before = self.word.fetch_sub(difference, Ordering::Release);
        debug_assert!(before & WRITER != 0, "runtime bug: a writer left that was not inside");
        let waiting = before & READERS;
        if waiting != 0 {
            self.admit(waiting);
        }
        // SAFETY: the writer holds `writers` (I1).
        unsafe { self.writers.unlock() };
    }

    #[cold]
    fn read_contended(&self) {
        let mut inner = self.inner.lock();
        if inner.admitted > 0 {
            inner.admitted -= 1;
            return;
        }
        let ticket = begin_wait();
        let mut node = WaitNode::new(ticket, 0, ptr::null_mut());
        // SAFETY: the lock is held, and the node lives on this frame until `admit` has unlinked it.
        unsafe { inner.readers.push_back(&raw mut node) };
        drop(inner);
        ticket.wait(WaitReason::RwLockRead);
    }

    #[cold]
    fn read_unlock_contended(&self) {
        let mut inner = self.inner.lock();
        inner.departing -= 1;
        let writer = if inner.departing == 0 { inner.writer.take() } else { None };
        drop(inner);
        if let Some(writer) = writer.filter(|writer| writer.claim(DONE)) {
            writer.wake();
        }
    }

    #[cold]
    fn write_contended(&self, inside: u64) {
        let mut inner = self.inner.lock();
        inner.departing += inside as i64;
        if inner.departing == 0 {
            return;
        }
        let ticket = begin_wait();
        inner.writer = Some(ticket);
        drop(inner);
        ticket.wait(WaitReason::RwLockWrite);
    }

    /// Lets `count` readers in: those in the queue, and those who are still on their way there.
    #[cold]
    fn admit(&self, count: u64) {
        let mut woken = WakeList::new();
        let mut inner = self.inner.lock();
        let mut left = count;
        // SAFETY: the lock is held.
        while left > 0 && unsafe { woken.claim_front(&mut inner.readers, DONE) } {
            left -= 1;
        }
        inner.admitted += left;
        // Wake after unlocking: `woken` is dropped last.
        drop(inner);
    }
}
