//! Tells a sanitizer, or valgrind, of our stacks and of each switch between them; without one it is nothing at all.
//!
//! AddressSanitizer keeps the bounds of the stack that a thread runs on, and ThreadSanitizer a whole state per fiber;
//! a switch that they do not hear of ends in false reports or crashes. `--cfg gaggle_asan` and `--cfg gaggle_tsan`,
//! which `.ci/sanitizers` sets beside `-Zsanitizer`, put the calls in. In all other builds [`Fiber`] has no size and
//! the functions here are empty. Valgrind needs one instruction sequence per carved slot, which is always there.
//!
//! ```text
//!   swap     leave(save, load)  |  the machine's switch  |  arrive(save), whenever and wherever it is resumed
//!   init     fresh = begin(..)  |  first resumption      |  arrive, entry, leave for good
//!   call_on  cross(..)          |  only AddressSanitizer wants to know: it is the same fiber on another stack
//! ```
//!
//! # Invariants
//! 1. The fiber of a context is touched by whoever may save or resume the context, as the context itself.
//! 2. Between `leave` and `arrive` there is the machine's switch and nothing else.
//! 3. The [`Start`] of a fresh context lies above its first frame and is read once, by the first code on the stack.

pub(super) use imp::{Fiber, arrive, begin, cross, leave};

#[cfg(any(gaggle_asan, gaggle_tsan))]
use start::Start;

#[cfg(not(any(gaggle_asan, gaggle_tsan)))]
mod imp {
    use crate::coroutine::stack::Bounds;
    use crate::coroutine::switch::{Context, Entry};

    /// Nothing.
    #[derive(Debug)]
    pub(in crate::coroutine) struct Fiber;

    impl Fiber {
        pub(in crate::coroutine) const fn new() -> Self {
            Self
        }
    }

    /// The entry itself.
    ///
    /// # Safety
    /// None is needed.
    #[inline(always)]
    pub(in crate::coroutine) unsafe fn begin(
        _ctx: *mut Context,
        _frame: *mut u8,
        _stack: Bounds,
        entry: Entry,
        arg: *mut (),
    ) -> (Entry, *mut ()) {
        (entry, arg)
    }

    /// # Safety
    /// None is needed.
    #[inline(always)]
    pub(in crate::coroutine) unsafe fn leave(_save: *const Context, _load: *const Context) {}

    /// # Safety
    /// None is needed.
    #[inline(always)]
    pub(in crate::coroutine) unsafe fn arrive(_saved: *const Context) {}

    /// `go(f)`.
    #[inline(always)]
    pub(in crate::coroutine) fn cross(_there: Bounds, f: &mut dyn FnMut(), go: impl FnOnce(&mut dyn FnMut())) {
        go(f);
    }
}

/// What the first code on a stack needs to know, when that is not the entry itself.
#[cfg(any(gaggle_asan, gaggle_tsan))]
mod start {
    use crate::coroutine::switch::{Context, Entry};

    #[derive(Clone, Copy)]
    pub(super) struct Start {
        pub(super) ctx: *const Context,
        pub(super) entry: Entry,
        pub(super) arg: *mut (),
    }

    impl Start {
        /// Writes it where nobody else does: above the first frame there are at least 128 bytes.
        ///
        /// # Safety
        /// `frame` is where the first frame of an idle stack of the caller's will start.
        pub(super) unsafe fn write(self, frame: *mut u8) -> *mut () {
            const { assert!(size_of::<Start>() <= 128) };
            // SAFETY: the caller's promise; `first_frame` leaves the room, and aligns it.
            unsafe { frame.cast::<Start>().write(self) };
            frame.cast()
        }
    }
}

#[cfg(gaggle_asan)]
mod imp {
    use super::Start;
    use crate::coroutine::stack::{Bounds, stack_around};
    use crate::coroutine::switch::{Context, Entry, stack_pointer};
    use core::cell::Cell;
    use core::ffi::c_void;
    use core::ptr;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    // `sanitizer/common_interface_defs.h`. Both only touch what the runtime keeps of the calling thread.
    unsafe extern "C" {
        fn __sanitizer_start_switch_fiber(fake_stack: *mut *mut c_void, bottom: *const c_void, size: usize);
        fn __sanitizer_finish_switch_fiber(
            fake_stack: *mut c_void,
            bottom_old: *mut *const c_void,
            size_old: *mut usize,
        );
    }

    /// What AddressSanitizer wants back when a context is resumed.
    #[derive(Debug)]
    pub(in crate::coroutine) struct Fiber {
        /// Where frames live in which use after return is looked for; null while it is not.
        fake_stack: Cell<*mut c_void>,
        /// The stack that the context was suspended on.
        stack: Cell<Bounds>,
    }

    impl Fiber {
        pub(in crate::coroutine) const fn new() -> Self {
            Self { fake_stack: Cell::new(ptr::null_mut()), stack: Cell::new(Bounds { bottom: 0, top: 0 }) }
        }

        /// Notes the stack that the caller runs on; asks for its bounds only when it is another one than last time.
        fn locate(&self) -> Bounds {
            let sp = stack_pointer();
            let last = self.stack.get();
            if !(last.bottom..last.top).contains(&sp) {
                let here = stack_around(sp).expect("neither a thread nor a goroutine runs here");
                self.stack.set(here);
            }
            self.stack.get()
        }
    }

    /// # Safety
    /// The stack at `to` is switched to next. A null `fake_stack` says that the present stack is done with.
    unsafe fn start(fake_stack: *mut *mut c_void, to: Bounds) {
        // SAFETY: the caller's promise.
        unsafe { __sanitizer_start_switch_fiber(fake_stack, to.bottom as *const c_void, to.top - to.bottom) };
    }

    /// # Safety
    /// The switch that `start` announced was just made.
    unsafe fn finish(fake_stack: *mut c_void) {
        // SAFETY: the caller's promise; nobody wants to know where it came from.
        unsafe { __sanitizer_finish_switch_fiber(fake_stack, ptr::null_mut(), ptr::null_mut()) };
    }

    /// Prepares the fiber of a fresh context and returns what its first resumption must call.
    ///
    /// # Safety
    /// As `init`; `frame` is where the stack's first frame will start.
    pub(in crate::coroutine) unsafe fn begin(
        ctx: *mut Context,
        frame: *mut u8,
        stack: Bounds,
        entry: Entry,
        arg: *mut (),
    ) -> (Entry, *mut ()) {
        // SAFETY: the caller's promise.
        unsafe {
            (*ctx).fiber.fake_stack.set(ptr::null_mut());
            (*ctx).fiber.stack.set(stack);
            (first, Start { ctx, entry, arg }.write(frame))
        }
    }

    unsafe extern "C" fn first(start: *mut ()) -> *const Context {
        // SAFETY: `begin` wrote it (I3); the switch to here was announced by `leave`, as is the one away, for good.
        unsafe {
            let Start { ctx, entry, arg } = *start.cast::<Start>();
            arrive(ctx);
            let next = entry(arg);
            self::start(ptr::null_mut(), (*next).fiber.stack.get());
            next
        }
    }

    /// # Safety
    /// As `swap`, which follows at once (I2).
    #[inline(always)]
    pub(in crate::coroutine) unsafe fn leave(save: *const Context, load: *const Context) {
        // SAFETY: both contexts are the caller's (I1).
        unsafe {
            (*save).fiber.locate();
            start((*save).fiber.fake_stack.as_ptr(), (*load).fiber.stack.get());
        }
    }

    /// # Safety
    /// The caller was just resumed from `saved` (I2).
    #[inline(always)]
    pub(in crate::coroutine) unsafe fn arrive(saved: *const Context) {
        // SAFETY: the context is the caller's again (I1).
        unsafe { finish((*saved).fiber.fake_stack.get()) };
    }

    /// Calls `go`, which calls what it is given on the stack at `there` and comes back.
    ///
    /// A panic is carried back by hand and raised anew: the runtime hears of a panic where it starts, and forgets the
    /// frames of that one stack only.
    pub(in crate::coroutine) fn cross(there: Bounds, f: &mut dyn FnMut(), go: impl FnOnce(&mut dyn FnMut())) {
        let here = Fiber::new();
        let back = here.locate();
        let mut outcome = Ok(());
        // SAFETY: `go` switches to `there` and calls the closure, first and last thing there.
        unsafe { start(here.fake_stack.as_ptr(), there) };
        go(&mut || {
            // SAFETY: that was the switch.
            unsafe { finish(ptr::null_mut()) };
            outcome = catch_unwind(AssertUnwindSafe(&mut *f));
            // SAFETY: `go` goes back when we return; no frames are left here.
            unsafe { start(ptr::null_mut(), back) };
        });
        // SAFETY: we are back.
        unsafe { finish(here.fake_stack.get()) };
        if let Err(payload) = outcome {
            resume_unwind(payload);
        }
    }
}

#[cfg(gaggle_tsan)]
mod imp {
    use super::Start;
    use crate::coroutine::stack::Bounds;
    use crate::coroutine::switch::{Context, Entry};
    use core::cell::Cell;
    use core::ffi::{c_uint, c_void};
    use core::ptr;

    /// A switch orders what the one did before it and the other does after it: they share a thread at that moment.
    const SYNCHRONISED: c_uint = 0;

    // `sanitizer/tsan_interface.h`.
    unsafe extern "C" {
        fn __tsan_get_current_fiber() -> *mut c_void;
        fn __tsan_create_fiber(flags: c_uint) -> *mut c_void;
        fn __tsan_destroy_fiber(fiber: *mut c_void);
        fn __tsan_switch_to_fiber(fiber: *mut c_void, flags: c_uint);
        fn __tsan_func_entry(caller: *mut c_void);
    }

    /// What ThreadSanitizer knows a context by.
    #[derive(Debug)]
    pub(in crate::coroutine) struct Fiber {
        handle: Cell<*mut c_void>,
        /// A fiber that ended in the jump to this context, to be destroyed by it.
        ended: Cell<*mut c_void>,
    }

    impl Fiber {
        pub(in crate::coroutine) const fn new() -> Self {
            Self { handle: Cell::new(ptr::null_mut()), ended: Cell::new(ptr::null_mut()) }
        }
    }

    /// Makes the fiber of a fresh context and returns what its first resumption must call.
    ///
    /// # Safety
    /// As `init`; `frame` is where the stack's first frame will start.
    pub(in crate::coroutine) unsafe fn begin(
        ctx: *mut Context,
        frame: *mut u8,
        _stack: Bounds,
        entry: Entry,
        arg: *mut (),
    ) -> (Entry, *mut ()) {
        // SAFETY: the caller's promise; the fiber ends when the entry returns.
        unsafe {
            (*ctx).fiber.handle.set(__tsan_create_fiber(0));
            (*ctx).fiber.ended.set(ptr::null_mut());
            (first, Start { ctx, entry, arg }.write(frame))
        }
    }

    unsafe extern "C" fn first(start: *mut ()) -> *const Context {
        // SAFETY: `begin` wrote it (I3). The next context is ours to resume, so its fiber is ours to write to (I1).
        unsafe {
            let Start { ctx, entry, arg } = *start.cast::<Start>();
            arrive(ctx);
            let next = entry(arg);
            (*next).fiber.ended.set(__tsan_get_current_fiber());
            __tsan_switch_to_fiber((*next).fiber.handle.get(), SYNCHRONISED);
            // The compiler notes the end of this function for the fiber that is current then; it did not start there.
            __tsan_func_entry(ptr::null_mut());
            next
        }
    }

    /// # Safety
    /// As `swap`, which follows at once (I2).
    #[inline(always)]
    pub(in crate::coroutine) unsafe fn leave(save: *const Context, load: *const Context) {
        // SAFETY: both contexts are the caller's (I1).
        unsafe {
            (*save).fiber.handle.set(__tsan_get_current_fiber());
            __tsan_switch_to_fiber((*load).fiber.handle.get(), SYNCHRONISED);
        }
    }

    /// # Safety
    /// The caller was just resumed from `saved` (I2).
    #[inline(always)]
    pub(in crate::coroutine) unsafe fn arrive(saved: *const Context) {
        // SAFETY: the context is the caller's again (I1); the fiber that ended was left for ever.
        unsafe {
            let ended = (*saved).fiber.ended.replace(ptr::null_mut());
            if !ended.is_null() {
                __tsan_destroy_fiber(ended);
            }
        }
    }

    /// `go(f)`.
    pub(in crate::coroutine) fn cross(_there: Bounds, f: &mut dyn FnMut(), go: impl FnOnce(&mut dyn FnMut())) {
        go(f);
    }
}

/// Tells valgrind that a stack lies at `stack`, if the program runs under it.
///
/// Valgrind takes a small change of the stack pointer for a call, and what it passed over for frames, unless it knows
/// the stacks. There is no deregistering, as slots are never unmapped. The processor takes the sequence for four
/// rotations that cancel out; it is run once for each slot, beside a system call.
#[cfg(target_arch = "x86_64")]
pub(super) fn register_stack(stack: super::stack::Bounds) {
    /// `VG_USERREQ__STACK_REGISTER` of `valgrind.h`; it takes the lowest and the highest address.
    const STACK_REGISTER: usize = 0x1501;
    let request = [STACK_REGISTER, stack.bottom, stack.top - 1, 0, 0, 0];
    // SAFETY: rdi is rotated by 128 bits in all, that is not at all; the exchange is of a register with itself.
    // Valgrind reads the request and writes rdx.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") &raw const request,
            inout("rdx") 0_usize => _,
            options(nostack),
        );
    }
}

/// See above; the sequence for this processor was never tried, so it is not there.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn register_stack(_stack: super::stack::Bounds) {}
