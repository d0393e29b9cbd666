//! The only thread locals of the crate: who runs on this thread.
use super::status::ParkWord;
use crate::primitives::rand::Rng;
use core::cell::RefCell;
use core::ptr::NonNull;

thread_local! {
    static RNG: RefCell<Rng> = RefCell::new(Rng::new(crate::primitives::sequence()));
}
pub(crate) fn park_word() -> Option<NonNull<ParkWord>> {
    None
}
#[inline(never)]
pub(crate) fn rand_below(n: u32) -> u32 {
    RNG.with_borrow_mut(|rng| rng.below(n))
}
