//! The threads of the runtime, as the system shows them.

use std::collections::HashSet;
use std::fs;

/// Waits until the monitor and the thread that it starts ahead are there, and all but the calling thread sleep. One that
/// was half-way when the last address space is gone would abort the process, since the standard library has none for
/// its signal stack; and one that sets its heap up gives address space back a moment later.
///
/// A thread goes by the name of the one that started it until the standard library has set up what it needs.
pub fn wait_for_the_runtimes_threads() {
    // SAFETY: takes nothing and cannot fail.
    let myself = unsafe { libc::gettid() }.to_string();
    loop {
        let mut names = HashSet::new();
        let mut settled = true;
        for task in fs::read_dir("/proc/self/task").unwrap() {
            let task = task.unwrap();
            // Of one that has just ended there is nothing to read.
            let Ok(stat) = fs::read_to_string(task.path().join("stat")) else { continue };
            // The name is in parentheses, the state follows.
            let (name, rest) = stat.split_once(" (").and_then(|(_, stat)| stat.rsplit_once(") ")).unwrap();
            if name.starts_with("gaggle-") {
                let waits = rest.starts_with('S') || task.file_name() == myself.as_str();
                settled &= names.insert(name.to_owned()) && waits;
            }
        }
        // A worker, the spare, and the monitor.
        if settled && names.len() >= 3 && names.contains("gaggle-sysmon") {
            return;
        }
        std::thread::yield_now();
    }
}
