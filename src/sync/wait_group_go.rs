//! [`WaitGroup::go`]: a goroutine that counts.

use super::WaitGroup;
use crate::go::{site_here, spawn_at};

/// Counts down when it is dropped: also when the goroutine panics.
struct Done(WaitGroup);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.done();
    }
}

impl WaitGroup {
    /// Adds one, and runs `f` in a new goroutine that counts it down again at its end, also if it panics.
    ///
    /// # Panics
    /// If there is no address space left for a stack.
    ///
    /// # Compared with Go
    /// `WaitGroup.Go` of Go 1.25.
    ///
    /// ```
    /// use gaggle::sync::{Mutex, WaitGroup};
    /// use std::sync::Arc;
    ///
    /// let sum = Arc::new(Mutex::new(0));
    /// let wg = WaitGroup::new();
    /// for n in 1..=3 {
    ///     let sum = sum.clone();
    ///     wg.go(move || *sum.lock().unwrap() += n);
    /// }
    /// wg.wait();
    /// assert_eq!(*sum.lock().unwrap(), 6);
    /// ```
    #[track_caller]
    pub fn go<F: FnOnce() + Send + 'static>(&self, f: F) {
        let site = site_here();
        self.add(1);
        let done = Done(self.clone());
        spawn_at(site, move || {
            let _done = done;
            f();
        });
    }
}
