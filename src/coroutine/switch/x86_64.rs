//! The switch for x86_64 with the System V calling convention.
//!
//! ```text
//!   suspended by `swap`                     fresh, after `init`
//!
//!   |  frames of the goroutine  |           |  unused, up to the top    |
//!   |  frame that called swap   |           +---------------------------+ <- Context.sp, 16-aligned
//!   +---------------------------+ <- sp     |  trampoline               |  sp - 8
//!   |  address to go on at      |  sp - 8   |  rbp: the entry           |  sp - 16
//!   |  rbp                      |  sp - 16  |  rbx: its argument        |  sp - 24
//!   |  rbx                      |  sp - 24  +---------------------------+
//!   +---------------------------+
//! ```
//!
//! Both are resumed the same way: load `rsp`, reload `rbx` and `rbp`, jump. It is a jump and not a `ret`, because a
//! `ret` that does not match its call costs 9 ns of mispredicted returns. The compiler saves only what lives across
//! the switch. The control words of SSE and x87 are not switched, as nobody else's are: code that changes the rounding
//! mode must change it back before it blocks.
//!
//! # Invariants
//! 1. The three words below `sp` are in the red zone: nothing writes there while the context is suspended, and on a
//!    running stack the `asm!` block below has them to itself (it is not marked `nostack`).

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
    let (sp, entry, arg) = unsafe { native::start(ctx, state, entry, arg) };
    // SAFETY: the stack is idle, so the words below its first frame are ours, as in the picture.
    unsafe {
        let words = sp.cast::<usize>();
        words.sub(1).write(trampoline as *const () as usize);
        words.sub(2).write(entry as usize);
        words.sub(3).write(arg as usize);
        // ORDERING: Relaxed; whoever resumes it gets it through a queue.
        (*ctx).sp.store(sp, Ordering::Relaxed);
    }
}

/// Suspends the caller into `save` and resumes `load`; returns when somebody resumes `save`.
///
/// # Safety
/// `save` is the caller's alone until it is resumed; `load` was saved or initialised and is not resumed by anybody
/// else (I1 of the parent). Nothing bound to a thread is held across it, unless `save` is resumed on this one.
#[inline(always)]
pub(crate) unsafe fn swap(save: *mut Context, load: *const Context) {
    // SAFETY: the caller's promises. Every register is an operand, a clobber, or saved by hand (rbx and rbp, which
    // cannot be named as clobbers); memory is taken to change; the words below rsp are ours (I1).
    unsafe {
        sanitizer::leave(save, load);
        asm!(
            "lea rax, [rip + 2f]",          // where to go on
            "mov [rsp - 8], rax",
            "mov [rsp - 16], rbp",
            "mov [rsp - 24], rbx",
            "mov [rdi], rsp",               // published: from here on only the successor may tell (I2 of the parent)
            "mov rsp, [rsi]",
            "mov rbx, [rsp - 24]",
            "mov rbp, [rsp - 16]",
            "jmp qword ptr [rsp - 8]",
            "2:",
            inout("rdi") save => _,
            inout("rsi") load => _,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
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
        ".cfi_undefined rip",
        "mov rdi, rbx", // the argument
        "mov rax, rbp", // the entry
        "xor ebp, ebp", // frame pointers end here too
        "call rax",
        "mov rsp, [rax]", // the context to go on with; this stack is nobody's from here on
        "mov rbx, [rsp - 24]",
        "mov rbp, [rsp - 16]",
        "jmp qword ptr [rsp - 8]",
        ".cfi_endproc",
    )
}

/// Calls `f(arg)` with the stack pointer at `top`, then restores it.
///
/// The frame is described by rbp, which `f` preserves: the unwinder finds its way back to the old stack by it.
#[unsafe(naked)]
unsafe extern "C-unwind" fn call_on_stack(arg: *mut c_void, top: *mut u8, f: unsafe extern "C-unwind" fn(*mut c_void)) {
    naked_asm!(
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "mov rsp, rsi", // the other stack; the argument is in rdi already
        "call rdx",
        "mov rsp, rbp", // back
        "pop rbp",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
    )
}

/// Calls `f(arg)` on the caller's stack, in a frame whose caller is, to the unwinder, the suspended `context`.
///
/// From the call on rbx holds the saved stack pointer, and the words that the switch left below it, as the picture
/// shows them, are where a call would have left them: the address to go on at, rbp and rbx.
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
            "push rbx",
            ".cfi_def_cfa_offset 16",
            ".cfi_offset rbx, -16",
            "mov rbx, rsi",
            ".cfi_remember_state",
            ".cfi_def_cfa rbx, 0",
            ".cfi_offset rip, -8",
            ".cfi_offset rbp, -16",
            ".cfi_offset rbx, -24",
            "call rdx", // the argument is in rdi already
            ".cfi_restore_state",
            "pop rbx",
            ".cfi_def_cfa_offset 8",
            ".cfi_restore rbx",
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
    unsafe { asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags)) };
    sp
}
