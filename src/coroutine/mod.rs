//! Stacks and switches: memory to run a goroutine on, and the jump from one to another.
//!
//! See `README.md` in this folder for pictures of a slot, of a suspended stack and of a chain of segments.

pub(crate) mod borrow;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(gaggle_portable)))]
mod sanitizer;
pub(crate) mod stack;
pub(crate) mod switch;

#[cfg(all(any(gaggle_asan, gaggle_tsan), gaggle_portable))]
compile_error!("the generator crate tells no sanitizer of its switches: gaggle_portable cannot be sanitized");
