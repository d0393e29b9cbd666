//! The scheduler: goroutines on processors on threads.

#[cfg(not(loom))]
pub(crate) mod current;
pub(crate) mod status;

/// Makes a parked goroutine runnable.
///
/// # Safety
/// The goroutine's park word told the caller to (status, I3).
#[cfg(not(loom))]
pub(crate) unsafe fn ready(_word: core::ptr::NonNull<status::ParkWord>) {
    unreachable!("no goroutines yet")
}
#[cfg(not(loom))]
pub(crate) fn park_current(_reason: u8) {
    unreachable!("no goroutines yet")
}
#[cfg(not(loom))]
pub(crate) fn yield_now() {
    std::thread::yield_now();
}
