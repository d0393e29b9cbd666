//! What contexts need of the world, in a model, which has no clock.

use super::tree::Func;
use crate::chan::{Receiver, Sender, chan};
use crate::go::spawn_at;

/// There is no deadline to stop.
pub(super) enum Timer {}

impl Timer {
    pub(super) fn stop(self) {
        match self {}
    }
}

pub(super) fn start(func: Func) {
    spawn_at(func.site, func.run);
}

pub(super) fn never() -> Receiver<()> {
    let (sender, receiver) = chan(0);
    keep_open(sender);
    receiver
}

/// A model is over before its memory is.
pub(super) fn keep_open(sender: Sender<()>) {
    core::mem::forget(sender);
}
