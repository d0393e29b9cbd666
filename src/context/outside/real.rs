//! What contexts need of the world, in real programs: deadlines, goroutines, channels that never close.

use super::ContextError;
use super::tree::{End, Func, Node, cancel};
use crate::go::Builder;
use crate::park::OnTime;
use crate::park::deadline::{self, TimerHandle};
use crate::primitives::sync::Arc;
use crate::primitives::{Lock, LockRank};
use std::time::{Duration, Instant};

pub(super) use crate::time::{keep_open, never};

/// How long to wait before trying again when there is no room for a goroutine.
const RETRY: Duration = Duration::from_millis(10);

/// A deadline that was set, to be stopped.
pub(super) struct Timer(TimerHandle);

impl Timer {
    pub(super) fn start(when: Instant, node: Arc<Node>) -> Timer {
        Timer(deadline::start(when, Arc::new(Shot(node))))
    }

    pub(super) fn stop(self) {
        self.0.stop();
    }
}

/// Cancels when its time has come.
struct Shot(Arc<Node>);

impl OnTime for Shot {
    fn due(&self, _now: Instant) {
        cancel(self.0.clone(), &End { error: ContextError::DeadlineExceeded, cause: None });
    }
}

/// A function that found no room for its goroutine.
struct Again(Lock<Option<Func>>);

impl OnTime for Again {
    fn due(&self, _now: Instant) {
        let func = self.0.lock().take();
        if let Some(func) = func {
            start(func);
        }
    }
}

/// Runs `func` in a goroutine of its own: soon, if there is no room for one now. It neither blocks nor panics, as the
/// worker that looks at the clock calls it too.
pub(super) fn start(func: Func) {
    let site = func.site;
    let parcel = Arc::new(Again(Lock::new(LockRank::Leaf, Some(func))));
    let contents = parcel.clone();
    let started = Builder::__at(site).spawn(move || {
        let func = contents.0.lock().take();
        if let Some(func) = func {
            (func.run)();
        }
    });
    if started.is_err() {
        deadline::start(Instant::now() + RETRY, parcel);
    }
}
