//! A search engine in miniature: three kinds of results, several replicas of each server, the first answer of each
//! counts, and no user waits longer than a deadline.
//!
//! The idea is "Google Search 3.0" in Rob Pike's talk "Go Concurrency Patterns" (2012). There a slow replica sleeps;
//! here some replicas are down for good in the second search, so that the deadline is sure to pass.
//!
//! Migrating mode, as a program ported from Go would run: servers touch no thread local.

use gaggle::{Receiver, Select, chan, go, select, time};
use std::time::{Duration, Instant};

#[derive(Clone, Copy)]
struct Server {
    kind: &'static str,
    /// `None`: it is down, and never answers.
    latency: Option<Duration>,
}

impl Server {
    fn search(self, query: &str) -> String {
        match self.latency {
            Some(latency) => time::sleep(latency),
            None => select! {},
        }
        format!("{} result for {query:?}", self.kind)
    }
}

/// Asks all replicas, and yields what the quickest says. The others send into a buffer that nobody reads, and end.
fn first(query: &'static str, replicas: &[Server]) -> Receiver<String> {
    let (tx, rx) = chan(replicas.len());
    for &replica in replicas {
        go!(name = replica.kind, clone tx; {
            // Nobody may be listening any more; that is no fault of a replica that was slower.
            let _ = tx.send(replica.search(query));
        });
    }
    rx
}

/// What has come in before the deadline, and whether that was everything.
fn search(query: &'static str, cluster: &[&[Server]], patience: Duration) -> (Vec<String>, bool) {
    let answers: Vec<_> = cluster.iter().map(|replicas| first(query, replicas)).collect();
    let deadline = time::after(patience);
    let mut results = Vec::new();
    // How many kinds there are is known only here, so this is the dynamic form of `select!`.
    let mut arms = Select::new();
    for answer in &answers {
        arms.recv(answer);
    }
    let timeout = arms.recv(&deadline);
    while results.len() < cluster.len() {
        let chosen = arms.select();
        let arm = chosen.index();
        if arm == timeout {
            chosen.recv(&deadline);
            return (results, false);
        }
        results.push(chosen.recv(&answers[arm]).expect("replicas answer or stay silent"));
        arms.remove(arm);
    }
    (results, true)
}

fn show(title: &str, cluster: &[&[Server]], patience: Duration) {
    let start = Instant::now();
    let (mut results, complete) = search("golang", cluster, patience);
    let took = start.elapsed();
    // They come in any order; a page has a fixed one.
    results.sort_unstable();
    println!("{title} [{took:.0?}]");
    results.iter().for_each(|result| println!("  {result}"));
    if !complete {
        println!("  timed out");
    }
}

#[gaggle::main(unsafe(migrate))]
fn main() {
    let up = |kind, ms| Server { kind, latency: Some(Duration::from_millis(ms)) };
    let down = |kind| Server { kind, latency: None };

    let (web, image) = ([up("web", 9), up("web", 3), down("web")], [up("image", 2), up("image", 7)]);
    let video = [down("video"), up("video", 5)];
    show("one replica of each kind is enough", &[&web, &image, &video], Duration::from_secs(10));

    let video = [down("video"), down("video")];
    show("no video server is up", &[&web, &image, &video], Duration::from_millis(200));
}
