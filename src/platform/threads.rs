//! What a thread is doing, asked by another one: how much of a CPU it has used, and whether it waits in the kernel.
//!
//! # Invariants
//! 1. Nothing here allocates or locks. Of a thread that has ended the system knows nothing, or it is another one: who acts
//!    on an answer has seen to it that it has not.

use crate::primitives::atomic::{AtomicU32, Ordering};
use core::time::Duration;

/// A thread, as others can ask about it; says nothing until it has introduced itself.
#[derive(Debug)]
pub(crate) struct Probe {
    id: AtomicU32,
    clock: AtomicU32,
}

impl Probe {
    pub(crate) fn new() -> Self {
        Self { id: AtomicU32::new(0), clock: AtomicU32::new(0) }
    }

    /// The system's number for the thread.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "asked on Linux"))]
    pub(crate) fn id(&self) -> Option<u32> {
        // ORDERING: Relaxed; see `introduce`.
        Some(self.id.load(Ordering::Relaxed)).filter(|id| *id != 0)
    }
}

#[cfg(target_os = "linux")]
mod os {
    use super::*;

    impl Probe {
        /// Introduces the calling thread, in place of one that has ended.
        pub(crate) fn introduce(&self) {
            let mut clock = 0;
            // SAFETY: the call fills one word, which lives on this frame.
            let failed = unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut clock) } != 0;
            if failed {
                return;
            }
            // SAFETY: it only returns a number.
            let id = unsafe { libc::gettid() };
            // ORDERING: Relaxed, both; whoever asks before both are there gets no answer, or asks for the right thread.
            self.clock.store(clock as u32, Ordering::Relaxed);
            self.id.store(id as u32, Ordering::Relaxed);
        }

        /// How long the thread has run on a CPU.
        pub(crate) fn cpu_time(&self) -> Option<Duration> {
            // ORDERING: Relaxed; see `introduce`.
            let clock = self.clock.load(Ordering::Relaxed) as libc::clockid_t;
            let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            // SAFETY: the call writes one timespec, which lives on this frame.
            let known = clock != 0 && unsafe { libc::clock_gettime(clock, &raw mut time) } == 0;
            known.then(|| Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
        }

        /// Whether the thread waits for something in the kernel, rather than for a CPU.
        pub(crate) fn waits(&self) -> Option<bool> {
            // ORDERING: Relaxed; see `introduce`.
            let id = self.id.load(Ordering::Relaxed);
            let mut path = [0; 40];
            let mut text = [0; 256];
            let read = (id != 0).then(|| read(file_name(id, &mut path), &mut text))??;
            // `1234 (name) S …`: the name may hold anything.
            let end = read.iter().rposition(|byte| *byte == b')')?;
            Some(!matches!(read.get(end + 2)?, b'R'))
        }
    }

    /// `/proc/self/task/<id>/stat`, with a zero at its end.
    fn file_name(id: u32, room: &mut [u8; 40]) -> &[u8] {
        const HEAD: &[u8] = b"/proc/self/task/";
        const TAIL: &[u8] = b"/stat\0";
        let (mut digits, mut first, mut rest) = ([0; 10], 10, id);
        while rest != 0 || first == 10 {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        let mut len = 0;
        for part in [HEAD, &digits[first..], TAIL] {
            room[len..len + part.len()].copy_from_slice(part);
            len += part.len();
        }
        &room[..len]
    }

    fn read<'a>(path: &[u8], into: &'a mut [u8]) -> Option<&'a [u8]> {
        debug_assert_eq!(path.last(), Some(&0));
        // SAFETY: the path ends with a zero, and the buffer is as long as it says; the descriptor is ours alone.
        let length = unsafe {
            let file = libc::open(path.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC);
            if file < 0 {
                return None;
            }
            let length = libc::read(file, into.as_mut_ptr().cast(), into.len());
            libc::close(file);
            length
        };
        into.get(..usize::try_from(length).ok()?)
    }
}

#[cfg(not(target_os = "linux"))]
mod os {
    use super::*;

    impl Probe {
        /// Not here.
        pub(crate) fn introduce(&self) {
            // ORDERING: Relaxed, both; nobody looks.
            self.id.store(0, Ordering::Relaxed);
            self.clock.store(0, Ordering::Relaxed);
        }

        /// Not known here.
        pub(crate) fn cpu_time(&self) -> Option<Duration> {
            None
        }

        /// Not known here.
        pub(crate) fn waits(&self) -> Option<bool> {
            None
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::primitives::sync::Arc;
    use std::sync::mpsc;

    #[test]
    fn who_waits_and_who_computes() {
        // A thread in a system call that passes for one that computes, or the other way round.
        let probe = Arc::new(Probe::new());
        assert_eq!((probe.cpu_time(), probe.waits()), (None, None));
        let (done, end) = mpsc::channel::<()>();
        let thread = std::thread::spawn({
            let probe = probe.clone();
            move || {
                probe.introduce();
                assert_eq!(probe.waits(), Some(false));
                let _ = end.recv();
            }
        });
        while probe.waits() != Some(true) {
            std::thread::yield_now();
        }
        assert!(probe.cpu_time().is_some());
        drop(done);
        thread.join().unwrap();
    }
}
