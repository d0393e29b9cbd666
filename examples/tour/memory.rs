//! What the system says about this process's memory. Linux only; elsewhere the tour prints no figures.

use std::fs;

/// The value of `key` in a file of `Key:  value kB` lines, in bytes.
fn field(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib << 10)
}

/// Resident memory and page tables together.
pub fn used() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    Some(field(&status, "VmRSS")? + field(&status, "VmPTE")?)
}

/// How much more this process may take: what the machine has left, or what its control group allows.
pub fn room() -> Option<u64> {
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let machine = field(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable")?;
    let group = number("/sys/fs/cgroup/memory.max")
        .map(|limit| limit.saturating_sub(number("/sys/fs/cgroup/memory.current").unwrap_or(0)));
    Some(group.map_or(machine, |group| group.min(machine)))
}

/// `bytes` in a unit that reads well.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} KB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
