//! Groups: errors, limits, contexts, panics.

use super::*;
use gaggle::context::{ContextError, background, with_cancel};
use gaggle::sync::Group;

#[test]
fn the_first_error_is_told_and_all_are_waited_for() {
    // A wait that returns at the first error while others still run; or the last error in place of the first.
    in_both_modes(|| {
        let (group, ctx) = Group::with_context(&background());
        let ended = Arc::new(AtomicUsize::new(0));
        for n in 0..8 {
            let (ctx, ended) = (ctx.clone(), ended.clone());
            group.go(move || {
                if n != 3 {
                    ctx.done().recv();
                    yield_now();
                }
                ended.fetch_add(1, Ordering::SeqCst);
                Err(n)
            });
        }
        assert_eq!(group.wait(), Err(3));
        assert_eq!(ended.load(Ordering::SeqCst), 8);
        assert_eq!(ctx.err(), Some(ContextError::Canceled));
        assert_eq!(group.wait(), Ok(()), "the error is handed out once");
    });
}

#[test]
fn a_context_ends_with_its_parent_and_with_the_wait() {
    // A context that outlives its group, or a group that does not hear its parent.
    in_both_modes(|| {
        let (parent, cancel) = with_cancel(&background());
        let (group, ctx) = Group::with_context(&parent);
        let inner = ctx.clone();
        group.go(move || {
            inner.done().recv();
            inner.err().map_or(Ok(()), Err)
        });
        cancel();
        assert_eq!(group.wait(), Err(ContextError::Canceled));
        let (group, ctx) = Group::<()>::with_context(&background());
        group.go(|| Ok(()));
        assert_eq!((group.wait(), ctx.err()), (Ok(()), Some(ContextError::Canceled)));
    });
}

#[test]
fn a_limit_holds_and_waiters_go_on() {
    // More members at once than allowed; or one who waits for room and is not told of it.
    in_both_modes(|| {
        let group = Group::<()>::new();
        group.set_limit(3);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        for _ in 0..50 {
            let (running, most) = (running.clone(), most.clone());
            group.go(move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            });
        }
        group.wait().unwrap();
        assert!((1..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
        let (tx, rx) = chan::<()>(0);
        for _ in 0..3 {
            let rx = rx.clone();
            assert!(group.try_go(move || rx.recv().map_or(Ok(()), |()| Err(()))));
        }
        assert!(!group.try_go(|| Ok(())));
        assert!(panics_with("modify limit while 3 goroutines in the group are still active", || group.set_limit(9)));
        tx.close();
        group.wait().unwrap();
        assert!(group.try_go(|| Ok(())));
        group.wait().unwrap();
    });
}

#[test]
fn a_panic_reaches_whoever_waits() {
    // A panic that is lost, that leaves the waiter for ever, or that leaves the other members without a word.
    in_both_modes(|| {
        let (group, ctx) = Group::<()>::with_context(&background());
        group.go(move || {
            ctx.done().recv();
            Err(())
        });
        group.go(|| panic!("expected in this test's output"));
        assert!(panics_with("expected in this test's output", || group.wait()));
        assert_eq!(group.wait(), Ok(()));
    });
}

#[test]
fn a_member_that_exits_ends_nobody_else() {
    // The payload of an exit, kept as that of a panic: whoever waits is ended by it, without a word.
    in_both_modes(|| {
        let (group, ctx) = Group::<()>::with_context(&background());
        group.go(|| gaggle::runtime::exit());
        let other = ctx.clone();
        group.go(move || {
            yield_now();
            assert_eq!(other.err(), None, "it has not failed");
            Ok(())
        });
        let waiter = go!({ group.wait() });
        assert_eq!(waiter.join().expect("the waiter was ended"), Ok(()));
    });
}

#[test]
fn members_may_add_members() {
    // A wait that ends between a member and the ones that it has added.
    in_both_modes(|| {
        fn grow(group: &Group<()>, depth: u32, count: Arc<AtomicUsize>) {
            let inner = group.clone();
            group.go(move || {
                count.fetch_add(1, Ordering::SeqCst);
                for _ in 0..if depth > 0 { 3 } else { 0 } {
                    grow(&inner, depth - 1, count.clone());
                }
                Ok(())
            });
        }
        let (group, count) = (Group::new(), Arc::new(AtomicUsize::new(0)));
        grow(&group, 3, count.clone());
        group.wait().unwrap();
        assert_eq!(count.load(Ordering::SeqCst), 1 + 3 + 9 + 27);
    });
}
