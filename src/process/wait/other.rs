//! The end of a child, waited for by a pool thread.

use crate::io::blocking::blocking_for;
use crate::park::WaitReason;
use std::io;
use std::process::{Child, ExitStatus};

pub(super) fn wait(child: &mut Child) -> io::Result<ExitStatus> {
    if let Some(status) = child.try_wait()? {
        return Ok(status);
    }
    blocking_for(WaitReason::ChildWait, || child.wait())
}
