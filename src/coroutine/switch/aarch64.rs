//! The switch for aarch64 with the AAPCS64 calling convention.
//!
//! ```text
//!   suspended by `swap`                     fresh, after `init`
//!
//!   |  frames of the goroutine  |           |  unused, up to the top    |
//!   |  frame that called swap   |           +---------------------------+ <- sp + 32, 16-aligned
//!   +---------------------------+           |  unused                   |  sp + 24
//!   |  unused                   |  sp + 24  |  trampoline               |  sp + 16
//!   |  address to go on at      |  sp + 16  |  x29: the entry           |  sp + 8
//!   |  x29                      |  sp + 8   |  x19: its argument        |  sp
//!   |  x19                      |  sp       +---------------------------+ <- Context.sp
//!   +---------------------------+ <- Context.sp
//! ```
//!
//! Both are resumed the same way: load `sp`, reload x19 and x29, branch. There is no red zone in this convention, so
//! the words lie above `sp`. The compiler saves only what lives across the switch; x19 and x29 are those it does not
//! let us name. The control register of floating point is not switched, as nobody else's is.
//!
//! # Invariants
//! 1. The 32 bytes at `sp` of a suspended context are the switch's own until it is resumed, which pops them.

use super::Entry;
use crate::coroutine::sanitizer;
use crate::coroutine::stack::StackState;
use crate::primitives::atomic::Ordering;
use core::arch::{asm, naked_asm};
use core::ffi::c_void;

#[path = "native.rs"]
mod native;
pub(crate) use native::{Context, call_on};

/// Prepares `ctx` so that the first swap into it calls `entry(arg)` on the stack bound to `state`.
///
/// When `entry` returns, its stack is left for ever and the returned context is resumed; nothing is saved.
///
/// # Safety
/// The stack holds no frames and stays bound until the context is done; `ctx` and `state` are the caller's alone;
/// `entry(arg)` may be called, never unwinds, and returns a context that may be resumed (I1 of the parent).
pub(crate) unsafe fn init(ctx: *mut Context, state: *mut StackState, entry: Entry, arg: *mut ()) {
    // SAFETY: the caller's promises.
    let (frame, entry, arg) = unsafe { native::start(ctx, state, entry, arg) };
    // SAFETY: the stack is idle, so the words below its first frame are ours, as in the picture.
    unsafe {
        let sp = frame.cast::<usize>().sub(4);
        sp.write(arg as usize);
        sp.add(1).write(entry as usize);
        sp.add(2).write(trampoline as *const () as usize);
        // ORDERING: Relaxed; whoever resumes it gets it through a queue.
        (*ctx).sp.store(sp.cast(), Ordering::Relaxed);
    }
}

/// Suspends the caller into `save` and resumes `load`; returns when somebody resumes `save`.
///
/// # Safety
/// `save` is the caller's alone until it is resumed; `load` was saved or initialised and is not resumed by anybody
/// else (I1 of the parent). Nothing bound to a thread is held across it, unless `save` is resumed on this one.
#[inline(always)]
pub(crate) unsafe fn swap(save: *mut Context, load: *const Context) {
    // SAFETY: the caller's promises. Every register is an operand, a clobber, or saved by hand (x19 and x29, which
    // cannot be named as clobbers); memory is taken to change; the words pushed are popped at resumption (I1).
    unsafe {
        sanitizer::leave(save, load);
        asm!(
            "adr x9, 2f",                   // where to go on
            "stp x19, x29, [sp, #-32]!",
            "str x9, [sp, #16]",
            "mov x10, sp",
            "str x10, [x0]",                // published: from here on only the successor may tell (I2 of the parent)
            "ldr x10, [x1]",
            "mov sp, x10",
            "ldr x9, [sp, #16]",
            "ldp x19, x29, [sp], #32",
            "br x9",
            "2:",
            "hint #36",                     // bti j: a branch target, where that is enforced
            inout("x0") save => _,
            inout("x1") load => _,
            out("x20") _, out("x21") _, out("x22") _, out("x23") _, out("x24") _,
            out("x25") _, out("x26") _, out("x27") _, out("x28") _,
            clobber_abi("C"),
        );
        sanitizer::arrive(save);
    }
}

/// The first code on a fresh stack: calls the entry, then leaves for the context it returned.
///
/// Its return address is undefined, so that backtraces end here.
#[unsafe(naked)]
unsafe extern "C" fn trampoline() -> ! {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30",
        "hint #36",
        "mov x0, x19",  // the argument
        "mov x9, x29",  // the entry
        "mov x29, xzr", // frame pointers end here too
        "blr x9",
        "ldr x10, [x0]", // the context to go on with; this stack is nobody's from here on
        "mov sp, x10",
        "ldr x9, [sp, #16]",
        "ldp x19, x29, [sp], #32",
        "br x9",
        ".cfi_endproc",
    )
}

/// Calls `f(arg)` with the stack pointer at `top`, then restores it.
///
/// The frame is described by x29, which `f` preserves: the unwinder finds its way back to the old stack by it.
#[unsafe(naked)]
unsafe extern "C-unwind" fn call_on_stack(arg: *mut c_void, top: *mut u8, f: unsafe extern "C-unwind" fn(*mut c_void)) {
    naked_asm!(
        ".cfi_startproc",
        "stp x29, x30, [sp, #-16]!",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset x30, -8",
        ".cfi_offset x29, -16",
        "mov x29, sp",
        ".cfi_def_cfa x29, 16",
        "mov sp, x1", // the other stack; the argument is in x0 already
        "blr x2",
        "mov sp, x29", // back
        ".cfi_def_cfa sp, 16",
        "ldp x29, x30, [sp], #16",
        ".cfi_def_cfa_offset 0",
        ".cfi_restore x30",
        ".cfi_restore x29",
        "ret",
        ".cfi_endproc",
    )
}

/// Calls `f(arg)` on the caller's stack, in a frame whose caller is, to the unwinder, the suspended `context`.
///
/// From the call on x19 holds the saved stack pointer, and the words that the switch left there, as the picture shows
/// them, are where a call would have left them: the address to go on at, x29 and x19.
///
/// # Safety
/// `context` was saved by `swap` and stays as it is meanwhile; `f(arg)` may be called, and does not unwind.
#[inline]
pub(in crate::coroutine) unsafe fn call_as_if_from(
    context: *const Context,
    arg: *mut c_void,
    f: extern "C" fn(*mut c_void),
) {
    #[unsafe(naked)]
    unsafe extern "C" fn call(arg: *mut c_void, sp: *mut u8, f: extern "C" fn(*mut c_void)) {
        naked_asm!(
            ".cfi_startproc",
            "stp x29, x30, [sp, #-32]!",
            ".cfi_def_cfa_offset 32",
            ".cfi_offset x30, -24",
            ".cfi_offset x29, -32",
            "str x19, [sp, #16]",
            ".cfi_offset x19, -16",
            "mov x19, x1",
            ".cfi_remember_state",
            ".cfi_def_cfa x19, 32",
            ".cfi_offset x30, -16",
            ".cfi_offset x29, -24",
            ".cfi_offset x19, -32",
            "blr x2", // the argument is in x0 already
            ".cfi_restore_state",
            "ldr x19, [sp, #16]",
            "ldp x29, x30, [sp], #32",
            ".cfi_def_cfa_offset 0",
            ".cfi_restore x30",
            ".cfi_restore x29",
            ".cfi_restore x19",
            "ret",
            ".cfi_endproc",
        )
    }
    // ORDERING: Relaxed; it is suspended, and stays so.
    // SAFETY: the caller's promises.
    unsafe { call(arg, (*context).sp.load(Ordering::Relaxed), f) }
}

/// Where the caller's frame is.
#[inline(always)]
pub(crate) fn stack_pointer() -> usize {
    let sp: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, sp", out(reg) sp, options(nomem, nostack, preserves_flags)) };
    sp
}
