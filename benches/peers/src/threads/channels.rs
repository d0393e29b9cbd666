//! The four libraries behind one pair of traits, resolved at compile time.

/// A channel of numbers between two threads.
pub trait Channel {
    type Tx: Send + 'static;
    type Rx: Send + 'static;
    fn chan(capacity: usize) -> (Self::Tx, Self::Rx);
    fn send(tx: &Self::Tx, v: u64);
    /// Nothing when all senders are gone and nothing is left.
    fn recv(rx: &Self::Rx) -> Option<u64>;
    fn is_empty(rx: &Self::Rx) -> bool;
}

/// One for more threads than two.
pub trait Shared: Channel<Tx: Clone> {
    fn copies(rx: Self::Rx, n: usize) -> Vec<Self::Rx>;
}

macro_rules! channel {
    ($name:ident, $tx:ty, $rx:ty, $make:expr, |$r:ident| $empty:expr) => {
        pub struct $name;
        impl Channel for $name {
            type Tx = $tx;
            type Rx = $rx;
            fn chan(capacity: usize) -> ($tx, $rx) {
                $make(capacity)
            }
            fn send(tx: &$tx, v: u64) {
                tx.send(v).unwrap();
            }
            fn recv(rx: &$rx) -> Option<u64> {
                rx.recv().ok()
            }
            fn is_empty($r: &$rx) -> bool {
                $empty
            }
        }
    };
}

macro_rules! shared {
    ($name:ident) => {
        impl Shared for $name {
            fn copies(rx: Self::Rx, n: usize) -> Vec<Self::Rx> {
                vec![rx; n]
            }
        }
    };
}

type Array<T> = crossfire::mpmc::Array<T>;
type SpscArray<T> = crossfire::spsc::Array<T>;
type MpscArray<T> = crossfire::mpsc::Array<T>;

channel!(
    Crossbeam,
    crossbeam_channel::Sender<u64>,
    crossbeam_channel::Receiver<u64>,
    crossbeam_channel::bounded,
    |rx| rx.try_recv().is_err()
);
shared!(Crossbeam);
channel!(Flume, flume::Sender<u64>, flume::Receiver<u64>, flume::bounded, |rx| rx.try_recv().is_err());
shared!(Flume);
channel!(Kanal, kanal::Sender<u64>, kanal::Receiver<u64>, kanal::bounded, |rx| matches!(rx.try_recv(), Ok(None)));
shared!(Kanal);
channel!(
    CrossfireSpsc,
    crossfire::Tx<SpscArray<u64>>,
    crossfire::Rx<SpscArray<u64>>,
    crossfire::spsc::bounded_blocking,
    |rx| rx.try_recv().is_err()
);
channel!(
    CrossfireMpsc,
    crossfire::MTx<MpscArray<u64>>,
    crossfire::Rx<MpscArray<u64>>,
    crossfire::mpsc::bounded_blocking,
    |rx| rx.try_recv().is_err()
);
channel!(
    CrossfireMpmc,
    crossfire::MTx<Array<u64>>,
    crossfire::MRx<Array<u64>>,
    crossfire::mpmc::bounded_blocking,
    |rx| rx.try_recv().is_err()
);
shared!(CrossfireMpmc);

impl Shared for CrossfireMpsc {
    fn copies(rx: Self::Rx, n: usize) -> Vec<Self::Rx> {
        assert_eq!(n, 1, "one consumer");
        vec![rx]
    }
}
