//! Contexts under loom. A model names the mutations that it was seen to catch.

use super::{ContextError, after_func, background, with_cancel};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// Mutations seen to fail here: `adopt` looking at `ended` before it locks; `end` closing the channel before it sets
/// `ended`.
#[test]
fn a_child_of_a_parent_that_is_being_cancelled_is_told() {
    // A child that enters while its parent's children are taken: it waits for ever.
    loom::model(|| {
        let (parent, cancel) = with_cancel(&background());
        let canceller = thread::spawn(move || cancel());
        let (child, _cancel) = with_cancel(&parent);
        assert_eq!(child.done().recv(), None);
        assert_eq!(child.err(), Some(ContextError::Canceled));
        canceller.join().unwrap();
    });
}

/// Mutations seen to fail here: `error` returning what it sees without a look at the channel.
#[test]
fn an_error_is_seen_when_the_channel_is_closed_and_not_before() {
    // `err` and `done` that contradict each other for a moment.
    loom::model(|| {
        let (ctx, cancel) = with_cancel(&background());
        let canceller = thread::spawn(move || cancel());
        while ctx.err().is_none() {
            thread::yield_now();
        }
        assert!(ctx.done().is_closed());
        canceller.join().unwrap();
    });
}

#[test]
fn stopping_a_function_and_starting_it_exclude_each_other() {
    // A function that runs although it was taken back, or is lost between the two.
    loom::model(|| {
        let (ctx, cancel) = with_cancel(&background());
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = runs.clone();
        let (tx, rx) = crate::chan::chan::<()>(0);
        let stop = after_func(&ctx, move || {
            let _tx = tx;
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let canceller = thread::spawn(move || cancel());
        let stopped = stop();
        assert_eq!(rx.recv(), None);
        canceller.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), usize::from(!stopped));
    });
}
