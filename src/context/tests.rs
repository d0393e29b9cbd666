//! What is left in a parent that lives long.

use super::{after_func, background, with_cancel, with_timeout};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_long_lived_parent_forgets() {
    // A server's context that grows with every request: cancelled, or dropped, or with only a receiver left.
    let (parent, _cancel) = with_cancel(&background());
    let children = || parent.scope.as_ref().unwrap().children();
    for _ in 0..100 {
        let (child, cancel) = with_cancel(&parent);
        assert_eq!(children(), 1);
        cancel();
        assert_eq!(children(), 0, "a cancelled child, still held: {child:?}");
    }
    for _ in 0..100 {
        drop(with_timeout(&parent, HOUR));
        let (child, _) = with_cancel(&parent);
        let (grandchild, _) = with_timeout(&child, HOUR);
        drop((child, grandchild));
    }
    assert_eq!(children(), 0, "children that were dropped");
    for _ in 0..1000 {
        let (child, _) = with_timeout(&parent, HOUR);
        let done = child.done();
        drop(child);
        assert!(done.try_recv().unwrap_err().is_empty(), "not done, only dropped");
    }
    assert!(children() < 100, "{} children that nobody waits for", children());
    for _ in 0..100 {
        let stop = after_func(&parent, || ());
        assert!(stop());
    }
    assert!(children() < 100);
}

#[test]
fn what_has_ended_keeps_no_timer() {
    // A context that its timer holds until the deadline, long after it was cancelled.
    for n in 0..3 {
        let (parent, cancel_parent) = with_cancel(&background());
        let (ctx, cancel) = with_timeout(&parent, HOUR);
        let node = Arc::downgrade(ctx.scope.as_ref().unwrap().node());
        match n {
            0 => cancel(),
            1 => cancel_parent(),
            _ => {}
        }
        assert_eq!(ctx.err().is_some(), n < 2);
        drop((ctx, cancel, parent, cancel_parent));
        assert!(node.upgrade().is_none(), "{n}");
    }
}

#[test]
fn generations_go_one_after_the_other() {
    // A destructor that calls itself once per generation, and runs out of stack.
    let mut ctx = background();
    for n in 0..20_000u32 {
        ctx = super::with_value(&with_cancel(&ctx).0, n);
    }
    drop(ctx);
    let (top, cancel) = with_cancel(&background());
    let mut last = top;
    for _ in 0..20_000 {
        last = with_cancel(&last).0;
    }
    cancel();
    assert!(last.err().is_some());
}

#[test]
fn generations_that_are_only_waited_for_go_one_after_the_other() {
    // The way down: a destructor that calls itself once per generation, for whom nobody but a function, or a receiver, of
    // the last one is left.
    for keep_a_function in [true, false] {
        let mut last = background();
        for _ in 0..20_000 {
            last = with_cancel(&last).0;
        }
        let done = last.done();
        let stop = keep_a_function.then(|| after_func(&last, || ()));
        drop((last, stop));
        assert!(done.try_recv().unwrap_err().is_empty(), "not done, only dropped");
    }
}
