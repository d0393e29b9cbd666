//! What bounds an exploration, and what it costs.

use gaggle::testing::{FailureKind, Model, choose};
use gaggle::{chan, go};
use std::time::Duration;

fn busy() {
    let (tx, rx) = chan(1);
    for n in 0..2 {
        go!(clone tx; { tx.send(n) });
    }
    drop(tx);
    assert_eq!(rx.iter().count(), 2);
}

#[test]
fn executions() {
    // A limit that is one off, or is passed over, or hides that something is left.
    for most in [0, 1, 2, 50] {
        let explored = Model::new().executions(most).explore(busy).unwrap();
        assert_eq!((explored.executions(), explored.is_complete()), (most, false));
    }
    let explored = Model::new().executions(3).explore(|| (0..2).for_each(|_| assert!(choose(2) < 2))).unwrap();
    assert_eq!((explored.executions(), explored.rounds()), (3, 3));
    assert_eq!(explored.to_string(), "3 executions in 3 rounds; not all schedules were tried");
}

#[test]
fn time() {
    // A model that runs all night.
    let explored = Model::new().duration(Duration::ZERO).explore(busy).unwrap();
    assert!(!explored.is_complete() && explored.executions() <= 1, "{explored}");
}

#[test]
fn preemptions() {
    // A bound that does not arrive at loom: then these would be as many.
    let count = |bound| Model::new().preemptions(bound).explore(busy).unwrap().executions();
    assert!(count(0) < count(1) && count(1) < count(2));
}

#[test]
fn branches() {
    // As above, for the length of an execution.
    let failure = Model::new().branches(10).explore(busy).unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Loom);
    assert!(failure.to_string().contains("Model exceeded maximum number of branches"), "{failure}");
}

/// Bytes of this process in memory.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
#[cfg(target_os = "linux")]
fn memory_of_a_hundred_thousand_executions() {
    // What each goroutine leaks, a hundred thousand times. In a process of its own: the memory of the tests beside it
    // counts too.
    const ALONE: &str = "GAGGLE_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "user::bounds::memory_of_a_hundred_thousand_executions"]).env(ALONE, "1");
        let out = child.output().unwrap();
        let said = String::from_utf8_lossy(&out.stdout);
        assert!(out.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&out.stderr));
        return;
    }
    let work = || {
        Model::new().executions(50_000).explore(busy).unwrap();
    };
    work();
    let before = resident();
    work();
    let grown = resident().saturating_sub(before);
    assert!(grown < 32 << 20, "{grown} bytes more after 50,000 executions");
}
