//! Standard input, without keeping a thread of the scheduler; and pipes in memory.
//!
//! [`pipe`] joins what writes to what reads, without a buffer in between.
//!
//! A goroutine that reads [`stdin`] parks until there is something to read. Files are in [`fs`](crate::fs), children and
//! their pipes in [`process`](crate::process); whatever else blocks goes into
//! [`runtime::blocking`](crate::runtime::blocking).

#[cfg(not(loom))]
pub(crate) mod blocking;
#[cfg_attr(all(loom, not(test)), allow(dead_code, reason = "a plain data structure, compiled for its models"))]
mod crew;
#[cfg(not(loom))]
mod pipe;
#[cfg(not(loom))]
mod stdin;

#[cfg(not(loom))]
pub use pipe::{PipeReader, PipeWriter, pipe};
#[cfg(not(loom))]
pub use stdin::{Lines, Stdin, StdinLock, stdin};
