//! What all sides share: the table of workloads, the options, the clock, and what the system says about the process.
//!
//! Used by the suite of gaggle and, as the same file, by `benches/peers`. Each figure is one line on standard output:
//! workload, figure (empty if there is only one), value, unit, remark, separated by tabs. The value `-` means that the
//! side lacks the workload; the remark then says why.

use std::time::Instant;

/// Workload, operations, and the unit of its time: `ns` per operation, or `ms` for all of them.
///
/// `../go/main.go` repeats this table.
const TABLE: [(&str, u64, &str); 20] = [
    ("yield", 4_000_000, "ns"),
    ("ping-pong", 1_000_000, "ns"),
    ("spsc unbuffered", 1_000_000, "ns"),
    ("spsc 128", 5_000_000, "ns"),
    ("mpmc 4x4 128", 2_000_000, "ns"),
    ("mpsc 1000x1 1024", 2_000_000, "ns"),
    ("select over 2", 1_000_000, "ns"),
    ("select default", 20_000_000, "ns"),
    ("fan-in of 8", 500_000, "ns"),
    ("ring of 503", 2_000_000, "ns"),
    ("prime sieve 1500", 1500, "ms"),
    ("skynet", 1_000_000, "ms"),
    ("spawn and join", 300_000, "ns"),
    ("spawn 100k", 500_000, "ns"),
    ("parked", 1_000_000, ""),
    ("sleeps", 100_000, ""),
    ("mutex 8", 8_000_000, "ns"),
    ("recursion 10k", 500_000, "ns"),
    ("tcp echo 64", 200_000, "ns"),
    ("tcp idle", 10_000, ""),
];

/// How one side does one workload; the number is that of operations.
#[allow(dead_code, reason = "no side lacks each kind, but each side lacks some")]
pub enum Run {
    /// Timed as a whole, after a tenth of it has warmed up what is to be warmed up.
    Timed(fn(u64)),
    /// The same without the warm-up: what is measured is the first time.
    First(fn(u64)),
    /// Takes its own figures.
    Figures(fn(u64) -> Vec<Figure>),
    /// As the other says, but it is not quite the same: the difference.
    But(&'static str, Box<Run>),
    /// The same, with so many times fewer operations: the side is slow.
    Less(u64, Box<Run>),
    /// The side has no such thing: the reason.
    Missing(&'static str),
}

pub struct Figure {
    pub name: &'static str,
    pub value: f64,
    pub unit: &'static str,
}

pub struct Options {
    /// Names of workloads, or parts of names; none of them: all.
    wanted: Vec<String>,
    /// Each workload does so many times less.
    divide: u64,
    /// How many are parked at once.
    parked: u64,
    list: bool,
}

impl Options {
    /// `[--divide N] [--parked N] [--list] [WORKLOAD ...]`
    pub fn from(words: impl Iterator<Item = String>) -> Self {
        let mut options = Self { wanted: Vec::new(), divide: 1, parked: 0, list: false };
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            let mut number = || {
                let value = words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
                value.unwrap_or_else(|| panic!("{word} wants a positive number"))
            };
            match word.as_str() {
                "--divide" => options.divide = number(),
                "--parked" => options.parked = number(),
                "--list" => options.list = true,
                _ => options.wanted.push(word),
            }
        }
        options
    }

    fn operations(&self, name: &str, operations: u64) -> u64 {
        match name {
            "parked" if self.parked > 0 => self.parked,
            _ => (operations / self.divide).max(1),
        }
    }
}

/// Runs what is wanted of the table, and prints the figures.
pub fn measure(options: &Options, side: impl Fn(&str) -> Run) {
    for (name, operations, unit) in TABLE {
        if !options.wanted.is_empty() && !options.wanted.iter().any(|w| name.contains(w.as_str())) {
            continue;
        }
        if options.list {
            println!("{name}");
            continue;
        }
        run(name, options.operations(name, operations), unit, side(name), "");
    }
}

fn run(name: &str, n: u64, unit: &str, how: Run, remark: &str) {
    match how {
        Run::Timed(work) => {
            work((n / 10).max(1));
            time(name, n, unit, work, remark);
        }
        Run::First(work) => time(name, n, unit, work, remark),
        Run::Figures(work) => {
            for f in work(n) {
                println!("{name}\t{}\t{:.2}\t{}\t{remark}", f.name, f.value, f.unit);
            }
        }
        Run::But(difference, how) => run(name, n, unit, *how, difference),
        Run::Less(times, how) => run(name, (n / times).max(1), unit, *how, remark),
        Run::Missing(why) => println!("{name}\t\t-\t\t{why}"),
    }
}

fn time(name: &str, n: u64, unit: &str, work: fn(u64), remark: &str) {
    let start = Instant::now();
    work(n);
    let ns = start.elapsed().as_nanos() as f64;
    let value = if unit == "ms" { ns / 1e6 } else { ns / n as f64 };
    println!("{name}\t\t{value:.3}\t{unit}\t{remark}");
}

/// Milliseconds since `start`.
pub fn ms_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// Resident memory and page tables, in bytes; 0 where there is no `/proc`.
pub fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kib.unwrap_or(0) << 10
    };
    field("VmRSS:") + field("VmPTE:")
}

/// What the process has computed so far, in milliseconds, user and system together.
pub fn cpu_ms() -> f64 {
    // SAFETY: `rusage` is plain numbers, and the call fills in the whole of it.
    let usage = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, &mut usage), 0);
        usage
    };
    let ms = |time: libc::timeval| time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3;
    ms(usage.ru_utime) + ms(usage.ru_stime)
}

/// The figures of `n` goroutines, or what there is, that are spawned, wait on one channel, and are woken together.
pub fn parked_figures(n: u64, bytes: u64, spawn_ms: f64, wake_ms: f64) -> Vec<Figure> {
    vec![
        Figure { name: "memory of each", value: bytes as f64 / n as f64, unit: "bytes" },
        Figure { name: "spawn", value: spawn_ms, unit: "ms" },
        Figure { name: "wake", value: wake_ms, unit: "ms" },
    ]
}

/// The figures of `n` idle connections, and of the echoes of others, `alone` and `beside` them, in nanoseconds.
#[allow(dead_code, reason = "a side without sockets")]
pub fn idle_figures(n: u64, bytes: u64, alone: f64, beside: f64) -> Vec<Figure> {
    vec![
        Figure { name: "memory of each", value: bytes as f64 / n as f64, unit: "bytes" },
        Figure { name: "echo without them", value: alone, unit: "ns" },
        Figure { name: "echo beside them", value: beside, unit: "ns" },
    ]
}

/// The same random sleeps on all sides: up to a second, in nanoseconds. `../go/main.go` repeats the generator.
pub fn sleep_ns(index: u64) -> u64 {
    let mut x = (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^= x >> 32;
    x = x.wrapping_mul(0xd6e8_feb8_6659_fd93);
    x ^= x >> 32;
    x % 1_000_000_000
}

/// The figures of sleeps that came `late` by so many nanoseconds each, for `cpu` milliseconds of computing.
pub fn sleep_figures(mut late: Vec<u64>, cpu: f64) -> Vec<Figure> {
    late.sort_unstable();
    let p99 = late[late.len() * 99 / 100] as f64 / 1e6;
    vec![Figure { name: "CPU", value: cpu, unit: "ms" }, Figure { name: "p99 lateness", value: p99, unit: "ms" }]
}

/// The prime that comes last out of a sieve for so many, as far as sieves of such sizes are run.
pub fn expected_prime(primes: u64) -> Option<u64> {
    match primes {
        15 => Some(47),
        150 => Some(863),
        1500 => Some(12_553),
        _ => None,
    }
}
