//! The workloads of `../../suite/crowds.rs`.

use super::channels::Channel;
use crate::harness::{Figure, cpu_ms, memory, ms_since, parked_figures, sleep_figures, sleep_ns};
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time;

/// `n` tasks that `wait`, until `close` lets them go on.
async fn wait_together<W: Future<Output = ()> + Send + 'static>(
    n: u64,
    wait: impl Fn() -> W,
    close: impl FnOnce(),
) -> Vec<Figure> {
    let before = memory();
    let start = Instant::now();
    let (started, mut all_started) = mpsc::channel::<()>(1);
    let (finished, mut all_finished) = mpsc::channel::<()>(1);
    for _ in 0..n {
        let (started, finished, wait) = (started.clone(), finished.clone(), wait());
        tokio::spawn(async move {
            drop(started);
            wait.await;
            drop(finished);
        });
    }
    drop((started, finished));
    assert_eq!(all_started.recv().await, None);
    let spawn = ms_since(start);
    let bytes = memory().saturating_sub(before);
    let start = Instant::now();
    close();
    assert_eq!(all_finished.recv().await, None);
    parked_figures(n, bytes, spawn, ms_since(start))
}

pub async fn parked<C: Channel<Rx: Clone + Sync>>(n: u64) -> Vec<Figure> {
    let (gate, closed) = C::chan(0);
    let wait = || {
        let mut closed = closed.clone();
        async move { assert_eq!(C::recv(&mut closed).await, None) }
    };
    wait_together(n, wait, || drop(gate)).await
}

pub async fn parked_on_watch(n: u64) -> Vec<Figure> {
    let (gate, closed) = watch::channel(());
    let wait = || {
        let mut closed = closed.clone();
        async move { assert!(closed.changed().await.is_err()) }
    };
    wait_together(n, wait, || drop(gate)).await
}

pub async fn sleeps(n: u64) -> Vec<Figure> {
    let cpu = cpu_ms();
    let all: Vec<_> = (0..n)
        .map(|i| {
            tokio::spawn(async move {
                let (start, wanted) = (Instant::now(), Duration::from_nanos(sleep_ns(i)));
                time::sleep(wanted).await;
                let slept = start.elapsed();
                assert!(slept >= wanted, "woken too early");
                (slept - wanted).as_nanos() as u64
            })
        })
        .collect();
    let mut late = Vec::new();
    for task in all {
        late.push(task.await.unwrap());
    }
    sleep_figures(late, cpu_ms() - cpu)
}
