//! The three kinds of channels behind one trait, resolved at compile time.

use std::future::Future;

pub trait Channel: Send + 'static {
    type Tx: Clone + Send + Sync + 'static;
    type Rx: Send + 'static;
    /// Without a buffer where there is such a thing; with the least one otherwise.
    fn chan(capacity: usize) -> (Self::Tx, Self::Rx);
    /// Whether it was taken.
    fn send(tx: &Self::Tx, v: u64) -> impl Future<Output = bool> + Send;
    /// Nothing when all senders are gone and nothing is left.
    fn recv(rx: &mut Self::Rx) -> impl Future<Output = Option<u64>> + Send;
    fn is_empty(rx: &mut Self::Rx) -> bool;
    fn copies(rx: Self::Rx, n: usize) -> Vec<Self::Rx>;
}

pub struct Tokio;

impl Channel for Tokio {
    type Tx = tokio::sync::mpsc::Sender<u64>;
    type Rx = tokio::sync::mpsc::Receiver<u64>;
    fn chan(capacity: usize) -> (Self::Tx, Self::Rx) {
        tokio::sync::mpsc::channel(capacity.max(1))
    }
    async fn send(tx: &Self::Tx, v: u64) -> bool {
        tx.send(v).await.is_ok()
    }
    fn recv(rx: &mut Self::Rx) -> impl Future<Output = Option<u64>> + Send {
        rx.recv()
    }
    fn is_empty(rx: &mut Self::Rx) -> bool {
        rx.try_recv().is_err()
    }
    fn copies(rx: Self::Rx, n: usize) -> Vec<Self::Rx> {
        assert_eq!(n, 1, "one consumer");
        vec![rx]
    }
}

pub struct Flume;

impl Channel for Flume {
    type Tx = flume::Sender<u64>;
    type Rx = flume::Receiver<u64>;
    fn chan(capacity: usize) -> (Self::Tx, Self::Rx) {
        flume::bounded(capacity)
    }
    async fn send(tx: &Self::Tx, v: u64) -> bool {
        tx.send_async(v).await.is_ok()
    }
    async fn recv(rx: &mut Self::Rx) -> Option<u64> {
        rx.recv_async().await.ok()
    }
    fn is_empty(rx: &mut Self::Rx) -> bool {
        rx.try_recv().is_err()
    }
    fn copies(rx: Self::Rx, n: usize) -> Vec<Self::Rx> {
        vec![rx; n]
    }
}

pub struct Kanal;

impl Channel for Kanal {
    type Tx = kanal::AsyncSender<u64>;
    type Rx = kanal::AsyncReceiver<u64>;
    fn chan(capacity: usize) -> (Self::Tx, Self::Rx) {
        kanal::bounded_async(capacity)
    }
    async fn send(tx: &Self::Tx, v: u64) -> bool {
        tx.send(v).await.is_ok()
    }
    async fn recv(rx: &mut Self::Rx) -> Option<u64> {
        rx.recv().await.ok()
    }
    fn is_empty(rx: &mut Self::Rx) -> bool {
        matches!(rx.try_recv(), Ok(None))
    }
    fn copies(rx: Self::Rx, n: usize) -> Vec<Self::Rx> {
        vec![rx; n]
    }
}
