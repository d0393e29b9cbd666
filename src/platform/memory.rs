//! Pages of the operating system: reserve address space, guard pages, give memory back.
//!
//! # Invariants
//! 1. A [`Range`] handed to this module lies in a mapping that the caller owns, private and anonymous; nothing in
//!    it is referenced by Rust code while the call runs, except through raw pointers that expect zeroes afterwards.
//! 2. A reservation is never unmapped: fault handlers and free lists refer to it by address for ever.
//!
//! # Kernels
//! `MADV_GUARD_INSTALL` came with Linux 6.13; `process_madvise` takes any advice on the caller's own memory since
//! then, and knows the caller as `PIDFD_SELF` since 6.14. Each is tried once; what the kernel refuses for being
//! unknown is not asked again. A forked child inherits guards and answers alike.

use crate::primitives::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::io;

const MADV_GUARD_INSTALL: libc::c_int = 102;
/// `PIDFD_SELF_THREAD_GROUP` of `linux/pidfd.h`.
const PIDFD_SELF: libc::c_int = -10001;
/// `UIO_MAXIOV`: what one `process_madvise` call takes.
const BATCH: usize = 1024;

/// A run of whole pages. Laid out as `struct iovec`, so that a slice of them is what the kernel reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Range {
    pub(crate) start: usize,
    pub(crate) len: usize,
}

/// The size of a page; asked of the system once.
#[inline]
pub(crate) fn page_size() -> usize {
    static SIZE: AtomicUsize = AtomicUsize::new(0);
    // ORDERING: Relaxed; every thread computes the same number, nothing else rides on it.
    match SIZE.load(Ordering::Relaxed) {
        0 => {
            // SAFETY: sysconf only reads a constant of the system.
            let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
            SIZE.store(size, Ordering::Relaxed);
            size
        }
        size => size,
    }
}

/// Reserves `len` bytes of zeroes that are committed page by page at first touch, never as huge pages.
///
/// # Errors
/// The system's, when address space (or strict accounting) runs out.
pub(crate) fn reserve(len: usize) -> io::Result<Range> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh anonymous mapping at an address of the kernel's choice disturbs nobody.
    let base = unsafe { libc::mmap(core::ptr::null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    if base == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // A kernel without transparent huge pages answers EINVAL, which is just as well.
    // SAFETY: the mapping was made above and is ours.
    unsafe { libc::madvise(base, len, libc::MADV_NOHUGEPAGE) };
    Ok(Range { start: base as usize, len })
}

/// Gives back a reservation that was never cut up.
///
/// # Safety
/// `range` is a whole reservation to which nothing refers.
pub(crate) unsafe fn release(range: Range) {
    // SAFETY: the caller's promise.
    unsafe { libc::munmap(range.start as *mut libc::c_void, range.len) };
}

/// Makes each range fault on any access without splitting its mapping; their contents are dropped.
///
/// # Errors
/// `EINVAL` when the kernel does not know guards, or the memory is locked; `ENOMEM` without memory for page tables.
///
/// # Safety
/// Invariant 1 for each range.
pub(crate) unsafe fn install_guards(ranges: &[Range]) -> io::Result<()> {
    // SAFETY: the caller's promise.
    unsafe { advise(ranges, MADV_GUARD_INSTALL) }
}

/// Whether the byte at `address` can be read, found out without reading it.
///
/// The kernel copies the new mask from there before it looks at the senseless request, so it answers EFAULT or EINVAL.
pub(crate) fn is_readable(address: usize) -> bool {
    const SENSELESS: libc::c_int = -1;
    let mask = address as *const u64;
    // SAFETY: with a request that does not exist no mask is changed; the kernel checks the pointer itself.
    let answer = unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, SENSELESS, mask, core::ptr::null_mut::<u64>(), size_of::<u64>())
    };
    answer == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::EFAULT)
}

/// Whether the page at `address` holds memory.
pub(crate) fn is_resident(address: usize) -> bool {
    let mut page = 0_u8;
    let start = (address & !(page_size() - 1)) as *mut libc::c_void;
    // SAFETY: the kernel writes one byte for the one page; it checks the address itself.
    unsafe { libc::mincore(start, page_size(), &mut page) == 0 && page & 1 != 0 }
}

/// How many of the bytes in `range` hold memory; 0 if the system does not tell.
pub(crate) fn resident_bytes(range: Range) -> usize {
    let mut pages = vec![0_u8; range.len.div_ceil(page_size())];
    // SAFETY: the vector has one byte for each page of the range; the kernel checks the range itself.
    match unsafe { libc::mincore(range.start as *mut libc::c_void, range.len, pages.as_mut_ptr()) } {
        0 => pages.iter().filter(|page| **page & 1 != 0).count() * page_size(),
        _ => 0,
    }
}

/// Drops the contents of each range; the next touch finds zeroes. Guards stay.
///
/// # Safety
/// Invariant 1 for each range.
pub(crate) unsafe fn discard(ranges: &[Range]) {
    // SAFETY: the caller's promise. Failing means the memory stays resident: a pity, and no error (locked memory).
    let _ = unsafe { advise(ranges, libc::MADV_DONTNEED) };
}

/// Makes a range fault on any access, at the price of splitting its mapping.
///
/// # Errors
/// `ENOMEM` when the process has as many mappings as the system allows (`vm.max_map_count`).
///
/// # Safety
/// Invariant 1 for `range`.
pub(crate) unsafe fn protect(range: Range) -> io::Result<()> {
    // SAFETY: the caller's promise: nobody refers to the pages.
    match unsafe { libc::mprotect(range.start as *mut libc::c_void, range.len, libc::PROT_NONE) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// # Safety
/// Invariant 1 for each range; the advice drops contents.
unsafe fn advise(ranges: &[Range], advice: libc::c_int) -> io::Result<()> {
    let mut rest = ranges;
    if rest.len() > 1 {
        // SAFETY: the caller's promise.
        rest = unsafe { advise_batched(rest, advice) };
    }
    for range in rest {
        // SAFETY: the caller's promise.
        if unsafe { libc::madvise(range.start as *mut libc::c_void, range.len, advice) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Advises as many ranges as the kernel takes in bulk and returns those that remain.
///
/// # Safety
/// As [`advise`].
unsafe fn advise_batched(ranges: &[Range], advice: libc::c_int) -> &[Range] {
    const REFUSED: u8 = 1;
    static BULK: AtomicU8 = AtomicU8::new(0);

    let mut rest = ranges;
    // ORDERING: Relaxed; a hint that saves useless calls, nothing rides on it.
    while !rest.is_empty() && BULK.load(Ordering::Relaxed) != REFUSED {
        let batch = &rest[..rest.len().min(BATCH)];
        // SAFETY: `Range` is laid out as iovec and the slice is live; the advice is the caller's promise.
        let done =
            unsafe { libc::syscall(libc::SYS_process_madvise, PIDFD_SELF, batch.as_ptr(), batch.len(), advice, 0_u32) };
        if done < 0 {
            let error = io::Error::last_os_error().raw_os_error();
            if matches!(error, Some(libc::ENOSYS | libc::EBADF | libc::EPERM)) {
                BULK.store(REFUSED, Ordering::Relaxed);
            }
            break;
        }
        // A partial answer counts bytes: whole ranges first, then part of the next, which is then done again.
        let mut bytes = done as usize;
        let mut whole = 0;
        while whole < batch.len() && bytes >= batch[whole].len {
            bytes -= batch[whole].len;
            whole += 1;
        }
        if whole == 0 {
            break;
        }
        rest = &rest[whole..];
    }
    rest
}

/// The usable bounds of the calling thread's own stack, when the system tells: lowest address and one past the highest.
pub(crate) fn thread_stack() -> Option<(usize, usize)> {
    // SAFETY: an attribute object is plain data, filled by the next call.
    let mut attr: libc::pthread_attr_t = unsafe { core::mem::zeroed() };
    // SAFETY: pthread_getattr_np fills `attr` for the calling thread.
    if unsafe { libc::pthread_getattr_np(libc::pthread_self(), &mut attr) } != 0 {
        return None;
    }
    let (mut bottom, mut size, mut guard) = (core::ptr::null_mut(), 0, 0);
    // SAFETY: `attr` was filled above and is destroyed once, after its last use.
    unsafe {
        libc::pthread_attr_getstack(&attr, &mut bottom, &mut size);
        libc::pthread_attr_getguardsize(&attr, &mut guard);
        libc::pthread_attr_destroy(&mut attr);
    }
    let bottom = bottom as usize;
    // glibc before 2.27 and musl count the guard differently: leaving it out twice is safe, leaving it in is not.
    (size > guard).then_some((bottom + guard, bottom + size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resident(range: Range) -> usize {
        let mut pages = vec![0_u8; range.len / page_size()];
        // SAFETY: the vector has one byte for each page of the range.
        let answer = unsafe { libc::mincore(range.start as *mut libc::c_void, range.len, pages.as_mut_ptr()) };
        assert_eq!(answer, 0);
        pages.iter().filter(|page| **page & 1 != 0).count()
    }

    #[test]
    fn discard_gives_every_range_of_a_batch_back() {
        // A batch longer than the kernel takes at once must not leave its tail resident.
        let page = page_size();
        let count = BATCH + 7;
        let whole = reserve(2 * count * page).unwrap();
        let ranges: Vec<_> = (0..count).map(|i| Range { start: whole.start + 2 * i * page, len: page }).collect();
        for i in 0..2 * count {
            // SAFETY: the page is part of the reservation made above.
            unsafe { ((whole.start + i * page) as *mut u8).write(1) };
        }
        assert_eq!(resident(whole), 2 * count);
        // SAFETY: nothing refers to the pages.
        unsafe { discard(&ranges) };
        assert_eq!(resident(whole), count);
        // SAFETY: nothing refers to the reservation any more.
        unsafe { release(whole) };
    }

    #[test]
    fn a_protected_page_is_known_to_be_unreadable() {
        // A guard that the kernel only pretends to install must be found out before a stack relies on it.
        let range = reserve(2 * page_size()).unwrap();
        assert!(is_readable(range.start));
        // SAFETY: the page was reserved above, nothing refers to it.
        unsafe { protect(Range { start: range.start, len: page_size() }).unwrap() };
        assert!(!is_readable(range.start));
        assert!(is_readable(range.start + page_size()));
        // SAFETY: nothing refers to the reservation any more.
        unsafe { release(range) };
    }

    #[test]
    fn an_impossible_reservation_is_an_error() {
        // Running out of address space must be reported, not crash.
        assert!(reserve(1 << 62).is_err());
    }

    #[test]
    fn the_threads_stack_holds_its_locals() {
        // Wrong bounds would make growth on plain threads a no-op, or a crash.
        let local = 0_u8;
        let (bottom, top) = thread_stack().unwrap();
        let here = &raw const local as usize;
        assert!(bottom < here && here < top);
    }
}
