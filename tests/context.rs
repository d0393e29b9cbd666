//! Contexts, from goroutines in both modes and from plain threads. Several follow the tests of Go's `context`.

use gaggle::context::{
    Context, ContextError, after_func, background, cause, with_cancel, with_cancel_cause, with_deadline, with_timeout,
    with_value, without_cancel,
};
use gaggle::sync::WaitGroup;
use gaggle::{RecvTimeoutError, TryRecvError, chan, go, select};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

mod support;
use support::in_both_modes;

const HANG: Duration = Duration::from_secs(300);
const HOUR: Duration = Duration::from_secs(3600);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn in_both_modes_and_on_a_thread(f: impl Fn() + Send + Sync + Copy + 'static) {
    f();
    in_both_modes(f);
}

fn is_open(ctx: &Context) -> bool {
    ctx.err().is_none() && cause(ctx).is_none() && ctx.done().try_recv() == Err(TryRecvError::Empty)
}

fn is_canceled(ctx: &Context) -> bool {
    ctx.err() == Some(ContextError::Canceled) && ctx.done().try_recv() == Err(TryRecvError::Closed)
}

#[test]
fn the_background_is_never_done() {
    // A channel that closes with the handle it came from: a spurious "done".
    in_both_modes_and_on_a_thread(|| {
        let done = background().done();
        let with_a_value = with_value(&background(), 1).done();
        let (ctx, cancel) = with_cancel(&background());
        cancel();
        let without = without_cancel(&ctx).done();
        for done in [done, with_a_value, without] {
            assert_eq!(done.recv_timeout(ms(1)), Err(RecvTimeoutError::Timeout));
        }
        assert!(background().deadline().is_none() && background().err().is_none());
    });
}

#[test]
fn cancelling_reaches_everything_below_and_nothing_else() {
    // A branch of the tree that goes on after its root was cancelled, or a neighbour that does not.
    in_both_modes_and_on_a_thread(|| {
        let (root, cancel_root) = with_cancel(&background());
        let carrying = with_value(&root, "value");
        let (left, cancel_left) = with_cancel(&carrying);
        let (below_left, _c) = with_timeout(&left, HOUR);
        let (right, _d) = with_cancel(&root);
        assert!([&root, &carrying, &left, &below_left, &right].into_iter().all(is_open));
        cancel_left();
        assert!(is_canceled(&left) && is_canceled(&below_left));
        assert!(is_open(&root) && is_open(&carrying) && is_open(&right));
        cancel_root();
        cancel_root();
        assert!(is_canceled(&root) && is_canceled(&carrying) && is_canceled(&right));
        // One that is born to a parent that is done.
        let (late, _e) = with_cancel(&root);
        assert!(is_canceled(&late));
        assert!(is_canceled(&with_timeout(&late, HOUR).0));
    });
}

#[test]
fn all_who_wait_are_woken_and_see_why() {
    // A waiter that sleeps on; or wakes, asks why, and is told that nothing has happened.
    in_both_modes_and_on_a_thread(|| {
        for _ in 0..50 {
            let (ctx, cancel) = with_cancel(&background());
            let wg = WaitGroup::new();
            for n in 0..6 {
                let ctx = if n % 2 == 0 { ctx.clone() } else { with_cancel(&ctx).0 };
                wg.go(move || {
                    assert_eq!(ctx.done().recv(), None);
                    assert_eq!(ctx.err(), Some(ContextError::Canceled));
                });
            }
            go!(clone cancel; cancel());
            cancel();
            assert!(is_canceled(&ctx));
            wg.wait();
        }
    });
}

#[test]
fn an_error_is_seen_when_the_channel_is_closed_and_not_before() {
    // `err` and `done` that contradict each other for a moment.
    in_both_modes(|| {
        for _ in 0..200 {
            let (ctx, cancel) = with_cancel(&background());
            let looker = go!(clone ctx; {
                while ctx.err().is_none() {
                    gaggle::runtime::yield_now();
                }
                assert!(ctx.done().is_closed());
            });
            cancel();
            looker.join().unwrap();
        }
    });
}

#[test]
fn deadlines_fire_and_never_early() {
    // A timeout that does not come, or comes too soon; the reason mixed up with a cancellation.
    in_both_modes_and_on_a_thread(|| {
        let start = Instant::now();
        let (ctx, cancel) = with_timeout(&background(), ms(10));
        let (child, _c) = with_cancel(&ctx);
        assert_eq!(child.done().recv(), None);
        assert!(start.elapsed() >= ms(10));
        assert_eq!(child.err(), Some(ContextError::DeadlineExceeded));
        cancel();
        assert_eq!(ctx.err(), Some(ContextError::DeadlineExceeded), "the first reason counts");
        assert_eq!(cause(&ctx).unwrap().downcast_ref(), Some(&ContextError::DeadlineExceeded));
        let (past, _c) = with_deadline(&background(), start);
        assert_eq!(past.err(), Some(ContextError::DeadlineExceeded), "at once, without a timer");
    });
}

#[test]
fn the_earlier_deadline_wins() {
    // A child that outlives the deadline of its parent, or says so.
    let (parent, _c) = with_timeout(&background(), HOUR);
    let (later, _d) = with_timeout(&parent, HOUR * 2);
    assert_eq!(later.deadline(), parent.deadline());
    let (sooner, _e) = with_timeout(&later, ms(1));
    assert!(sooner.deadline() < parent.deadline());
    assert_eq!(with_cancel(&sooner).0.deadline(), sooner.deadline());
    sooner.done().recv();
    assert!(is_open(&later));
    assert_eq!(without_cancel(&sooner).deadline(), None);
    let (endless, _f) = with_timeout(&background(), Duration::MAX);
    assert!(endless.deadline().is_none() && is_open(&endless));
}

#[test]
fn a_receiver_outlives_its_context() {
    // `with_timeout(…).0.done()`: a channel that closes because the context was dropped, or that never does.
    in_both_modes_and_on_a_thread(|| {
        let start = Instant::now();
        let done = with_timeout(&background(), ms(10)).0.done();
        assert_eq!(done.recv(), None);
        assert!(start.elapsed() >= ms(10));
        let (parent, cancel) = with_cancel(&background());
        let done = with_cancel(&with_cancel(&parent).0).0.done();
        assert_eq!(done.try_recv(), Err(TryRecvError::Empty));
        drop(parent);
        assert_eq!(done.try_recv(), Err(TryRecvError::Empty));
        cancel();
        assert_eq!(done.try_recv(), Err(TryRecvError::Closed));
        let (orphan, _) = with_cancel(&background());
        let done = orphan.done();
        drop(orphan);
        assert_eq!(done.recv_timeout(ms(1)), Err(RecvTimeoutError::Timeout), "nobody can cancel it any more");
    });
}

#[test]
fn causes_come_from_the_first_who_cancels() {
    // The reason lost on the way down, or overwritten by a later one (Go's TestCause).
    let (top, cancel_top) = with_cancel_cause(&background());
    let (middle, cancel_middle) = with_cancel_cause(&top);
    let (low, _c) = with_cancel(&middle);
    cancel_middle("middle".into());
    cancel_top("top".into());
    cancel_middle("again".into());
    let said = |ctx| cause(ctx).unwrap().to_string();
    assert_eq!((said(&top), said(&middle), said(&low)), ("top".into(), "middle".into(), "middle".into()));
    assert!(is_canceled(&low));
    let (born_late, _d) = with_cancel(&low);
    assert_eq!(said(&born_late), "middle");
    let (plain, cancel) = with_cancel(&background());
    cancel();
    assert_eq!(said(&plain), "context canceled");
    let (ctx, cancel) = with_cancel_cause(&background());
    cancel(std::io::Error::from(std::io::ErrorKind::NotFound).into());
    assert!(cause(&ctx).unwrap().is::<std::io::Error>());
}

#[test]
fn values_are_found_by_type_and_the_nearest_hides_the_others() {
    // A value of another type, or of an outer context.
    #[derive(Debug, PartialEq)]
    struct User(u32);
    let one = with_value(&background(), User(1));
    let (two, cancel) = with_cancel(&with_value(&with_value(&one, 7u32), User(2)));
    cancel();
    assert_eq!(one.value::<User>().as_deref(), Some(&User(1)));
    assert_eq!(two.value::<User>().as_deref(), Some(&User(2)));
    assert_eq!(without_cancel(&two).value::<u32>().as_deref(), Some(&7));
    assert!(one.value::<u32>().is_none() && two.value::<&str>().is_none());
}

#[test]
fn functions_run_once_or_were_stopped() {
    // A clean-up that runs twice, never, or although it was taken back (Go's TestAfterFunc…).
    in_both_modes_and_on_a_thread(|| {
        let (ctx, cancel) = with_cancel(&background());
        let (tx, rx) = chan(8);
        let (tx1, tx2) = (tx.clone(), tx.clone());
        let stop = after_func(&ctx, move || tx1.send("run").unwrap());
        let stop_other = after_func(&ctx, move || tx2.send("stopped").unwrap());
        assert!(stop_other() && !stop_other());
        assert!(rx.is_empty());
        cancel();
        assert_eq!(rx.recv_timeout(HANG), Ok("run"));
        assert!(!stop());
        let tx3 = tx.clone();
        let late = after_func(&ctx, move || tx3.send("at once").unwrap());
        assert_eq!(rx.recv_timeout(HANG), Ok("at once"));
        assert!(!late());
        drop(tx);
        assert_eq!(rx.recv(), None, "each closure is dropped, run or not");
    });
}

#[test]
fn stop_and_cancel_at_once_agree() {
    // Both win, or neither.
    in_both_modes(|| {
        for _ in 0..100 {
            let (ctx, cancel) = with_cancel(&background());
            let runs = Arc::new(AtomicUsize::new(0));
            let (tx, rx) = chan::<()>(0);
            let counted = runs.clone();
            let stop = after_func(&ctx, move || {
                let _tx = tx;
                counted.fetch_add(1, Ordering::SeqCst);
            });
            let canceller = go!(cancel());
            let stopped = stop();
            canceller.join().unwrap();
            assert_eq!(rx.recv(), None);
            assert_eq!(runs.load(Ordering::SeqCst), usize::from(!stopped));
        }
    });
}

#[test]
fn functions_start_when_all_is_done() {
    // A clean-up that finds a part of what it cleans up after still at work.
    in_both_modes_and_on_a_thread(|| {
        for _ in 0..5 {
            let (top, cancel) = with_cancel(&background());
            let (tell, told) = chan(1);
            let (give, given) = chan::<Vec<Context>>(1);
            after_func(&top, move || {
                let below = given.recv().unwrap();
                tell.send(below.iter().all(|ctx| ctx.err().is_some())).unwrap();
            });
            let mut below: Vec<_> = (0..1000).map(|_| with_cancel(&top).0).collect();
            below.extend((0..1000).map(|n| with_cancel(&below[n]).0).collect::<Vec<_>>());
            give.send(below).unwrap();
            cancel();
            assert_eq!(told.recv(), Some(true));
        }
    });
}

#[test]
fn a_function_may_use_its_context_and_wait() {
    // Callbacks under a lock, or where the clock is looked at, which others wait for.
    in_both_modes_and_on_a_thread(|| {
        let (ctx, cancel) = with_timeout(&background(), ms(1));
        let (tx, rx) = chan(0);
        let (tx1, inner) = (tx.clone(), ctx.clone());
        after_func(&ctx, move || {
            cancel();
            let (child, _c) = with_cancel(&inner);
            after_func(&inner, move || tx1.send(child.err()).unwrap());
            panic!("expected in this test's output");
        });
        after_func(&ctx, move || {
            gaggle::time::sleep(ms(1));
            tx.send(None).unwrap();
        });
        let said = [rx.recv_timeout(HANG).unwrap(), rx.recv_timeout(HANG).unwrap()];
        assert!(said.contains(&Some(ContextError::DeadlineExceeded)) && said.contains(&None), "{said:?}");
    });
}

#[test]
fn a_function_is_kept_as_long_as_it_may_run() {
    // A function forgotten with the handles of its context, though the parent can still be cancelled.
    let (parent, cancel) = with_cancel(&background());
    let (tx, rx) = chan(1);
    after_func(&with_cancel(&parent).0, move || tx.send(()).unwrap());
    cancel();
    assert_eq!(rx.recv_timeout(HANG), Ok(()));
    // And one that is not: nobody can cancel its context any more.
    let (tx, rx) = chan::<()>(0);
    after_func(&with_cancel(&background()).0, move || drop(tx));
    assert_eq!(rx.recv_timeout(HANG), Err(RecvTimeoutError::Closed));
    let (tx, rx) = chan::<()>(0);
    let stop = after_func(&background(), move || drop(tx));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert!(stop() && !stop());
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn children_come_and_go_while_the_parent_is_cancelled() {
    // A child entered into a parent that has just been cancelled: nobody ever tells it.
    in_both_modes(|| {
        for _ in 0..50 {
            let (parent, cancel) = with_cancel(&background());
            let wg = WaitGroup::new();
            for _ in 0..4 {
                let parent = parent.clone();
                wg.go(move || {
                    loop {
                        let (child, cancel) = with_timeout(&parent, HOUR);
                        let (grandchild, _c) = with_cancel(&child);
                        if parent.err().is_some() {
                            assert_eq!(grandchild.done().recv_timeout(HANG), Err(RecvTimeoutError::Closed));
                            return;
                        }
                        cancel();
                        assert!(is_canceled(&grandchild));
                        gaggle::runtime::yield_now();
                    }
                });
            }
            gaggle::runtime::yield_now();
            cancel();
            wg.wait();
        }
    });
}

#[test]
fn a_context_ends_a_pipeline() {
    // The usual loop: a producer that nobody listens to any more.
    in_both_modes(|| {
        let (ctx, cancel) = with_cancel(&background());
        let (tx, rx) = chan(0);
        let producer = go!({
            let done = ctx.done();
            for n in 0u32.. {
                select! {
                    tx <- n => {},
                    _ = <-done => return n,
                }
            }
            unreachable!()
        });
        assert_eq!(rx.iter().take(5).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        cancel();
        assert_eq!(producer.join().unwrap(), 5);
    });
}
