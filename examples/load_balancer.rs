//! A load balancer: requesters ask one balancer, which gives each request to the worker with the least to do.
//!
//! The idea is the heap of workers in Rob Pike's talk "Concurrency Is Not Parallelism" (2012). There it runs for
//! ever; here each requester makes a number of requests, and everything ends when all have their answers.
//!
//! Migrating mode, as a program ported from Go would run: nobody here touches a thread local, and a worker that has
//! been given work should not have to wait for one particular thread.

use gaggle::{Receiver, Sender, chan, go, select};

const WORKERS: usize = 8;
const REQUESTERS: u64 = 50;
const EACH: u64 = 40;

/// What to work out, and where to send the answer.
struct Request {
    number: u64,
    answer: Sender<u64>,
}

struct Worker {
    id: usize,
    requests: Sender<Request>,
    pending: usize,
    served: u64,
}

/// The workers as a binary heap by what they have to do, with the place of each: a plain priority queue could not
/// move a worker up when it has finished something.
struct Pool {
    heap: Vec<Worker>,
    place: Vec<usize>,
}

impl Pool {
    fn less(&self, a: usize, b: usize) -> bool {
        let key = |at: usize| (self.heap[at].pending, self.heap[at].served);
        key(a) < key(b)
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        self.place[self.heap[a].id] = a;
        self.place[self.heap[b].id] = b;
    }

    fn up(&mut self, mut at: usize) {
        while at > 0 && self.less(at, (at - 1) / 2) {
            self.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    fn down(&mut self, mut at: usize) {
        loop {
            let children = (2 * at + 1)..self.heap.len().min(2 * at + 3);
            let Some(child) = children.reduce(|a, b| if self.less(b, a) { b } else { a }) else { return };
            if !self.less(child, at) {
                return;
            }
            self.swap(at, child);
            at = child;
        }
    }

    fn dispatch(&mut self, request: Request) {
        let idlest = &mut self.heap[0];
        idlest.requests.send(request).expect("a worker listens as long as we do");
        idlest.pending += 1;
        idlest.served += 1;
        self.down(0);
    }

    fn completed(&mut self, id: usize) {
        let at = self.place[id];
        self.heap[at].pending -= 1;
        self.up(at);
    }
}

fn work(id: usize, requests: Receiver<Request>, done: Sender<usize>) {
    for Request { number, answer } in requests {
        answer.send((1..=number).sum()).expect("the requester waits for it");
        if done.send(id).is_err() {
            return;
        }
    }
}

/// Gives out requests until there will be no more, then waits for what is still being done.
fn balance(requests: Receiver<Request>) -> Vec<u64> {
    let (done, completed) = chan(0);
    let start = |id| {
        // Room for one request of each requester: the balancer never waits for a worker that waits for it.
        let (tx, rx) = chan(REQUESTERS as usize);
        go!(name = format!("worker {id}"), clone done; work(id, rx, done));
        Worker { id, requests: tx, pending: 0, served: 0 }
    };
    let mut pool = Pool { heap: (0..WORKERS).map(start).collect(), place: (0..WORKERS).collect() };
    loop {
        select! {
            request = <-requests => match request {
                Some(request) => pool.dispatch(request),
                None => break,
            },
            id = <-completed => pool.completed(id.expect("we hold a sender ourselves")),
        }
    }
    while pool.heap.iter().any(|worker| worker.pending > 0) {
        pool.completed(completed.recv().expect("we hold a sender ourselves"));
    }
    pool.heap.iter().map(|worker| worker.served).collect()
}

fn request(work: Sender<Request>) -> u64 {
    let (answer, answers) = chan(0);
    let ask = |number| {
        let request = Request { number, answer: answer.clone() };
        work.send(request).expect("the balancer listens as long as we ask");
        answers.recv().expect("we hold a sender ourselves")
    };
    (1..=EACH).map(ask).sum()
}

#[gaggle::main(unsafe(migrate))]
fn main() {
    let (work, requests) = chan(0);
    let balancer = go!(name = "balancer"; balance(requests));
    let requesters: Vec<_> = (0..REQUESTERS).map(|_| go!(clone work; request(work))).collect();
    drop(work);

    let total: u64 = requesters.into_iter().map(|r| r.join().expect("a requester does not panic")).sum();
    let served = balancer.join().expect("the balancer does not panic");
    println!("{} requests, {} served", REQUESTERS * EACH, served.iter().sum::<u64>());
    println!("sum of the answers: {total}");
    println!("every worker had a share: {} {served:?}", served.iter().all(|&share| share > 0));
}
