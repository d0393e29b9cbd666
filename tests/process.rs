//! `gaggle::process`: children that are started, fed, read and waited for by parking.
#![cfg(unix)]

use gaggle::process::{Child, Command, Stdio};
use gaggle::{chan, go, runtime, time};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::time::Duration;

mod support;
use support::{everywhere, turn};

fn everywhere_and_on_a_thread(times: usize, f: impl Fn() + Send + Sync + Copy + 'static) {
    f();
    everywhere(times, f);
}

fn sh(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// A child that ends when its input does.
fn cat() -> Child {
    Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn output_status_and_surroundings() {
    // A stream that leaks into the terminal, or an argument into the wrong place.
    let _turn = turn("output_status_and_surroundings");
    everywhere_and_on_a_thread(2, || {
        let mut command = sh("cat; echo out $A; echo err >&2; exit 3");
        let command = command.env("A", "b").env_remove("HOME").current_dir("/");
        let output = command.output().unwrap();
        assert_eq!((output.status.code(), output.stdout, output.stderr), (Some(3), b"out b\n".into(), b"err\n".into()));
        // Again, with streams of its own.
        let output = command.stdout(Stdio::null()).output().unwrap();
        assert_eq!((output.stdout, output.stderr), (vec![], b"err\n".into()));
        assert_eq!(sh("exit 4").stdin(Stdio::null()).status().unwrap().code(), Some(4));
        let killed = sh("kill -9 $$").status().unwrap();
        assert_eq!((killed.code(), killed.signal()), (None, Some(9)));
        let missing = Command::new("/there/is/no/such/program").spawn().unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        let mut renamed = sh("echo $0");
        renamed.as_std_mut().arg0("other");
        assert!(renamed.output().unwrap().status.success());
    });
}

#[test]
fn a_talk_with_a_child() {
    // A pipe that keeps its thread: with one processor the other side of the talk never comes.
    let _turn = turn("a_talk_with_a_child");
    everywhere_and_on_a_thread(3, || {
        let mut child = cat();
        let (mut to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (tx, rx) = chan::<String>(0);
        let reader = go!({
            for line in BufReader::new(from).lines() {
                tx.send(line.unwrap()).unwrap();
            }
        });
        for n in 0..20 {
            writeln!(to, "line {n}").unwrap();
            assert_eq!(rx.recv().unwrap(), format!("line {n}"));
        }
        assert_eq!(child.try_wait().unwrap(), None);
        drop(to);
        assert_eq!(rx.recv(), None);
        reader.join().unwrap();
        assert!(child.wait().unwrap().success());
        // Again and again.
        assert!(child.wait().unwrap().success() && child.try_wait().unwrap().unwrap().success());
    });
}

#[test]
fn pipes_larger_than_the_kernels() {
    // Two pipes, of which one fills up while the other is read; a write that is cut short.
    let _turn = turn("pipes_larger_than_the_kernels");
    everywhere_and_on_a_thread(1, || {
        let script = "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2";
        let output = sh(script).output().unwrap();
        assert_eq!((output.stdout.len(), output.stderr.len()), (300_000, 600_000));
        let mut child = cat();
        let mut to = child.stdin.take().unwrap();
        let text: Vec<u8> = (0..1 << 20).map(|n| (n % 251) as u8).collect();
        let expected = text.clone();
        let writer = go!({ to.write_all(&text).unwrap() });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.stdout == expected);
    });
}

#[test]
fn one_child_reads_what_another_writes() {
    // A pipe handed on in a mode that the other program does not expect: it gives up at once when there is nothing.
    let _turn = turn("one_child_reads_what_another_writes");
    everywhere_and_on_a_thread(2, || {
        let mut first = sh("sleep 0.05; echo late").stdout(Stdio::piped()).spawn().unwrap();
        let mut upper = Command::new("tr");
        let second = upper.args(["a-z", "A-Z"]).stdin(first.stdout.take().unwrap()).output().unwrap();
        assert_eq!((second.stdout, second.stderr), (b"LATE\n".into(), vec![]));
        assert!(first.wait().unwrap().success());
    });
}

#[test]
fn a_child_that_is_gone() {
    // A write that waits for nobody; a kill of whoever has the number now.
    let _turn = turn("a_child_that_is_gone");
    everywhere_and_on_a_thread(2, || {
        let mut child = sh("exec 0<&-; echo closed; exec sleep 1000");
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut word = [0; 7];
        child.stdout.as_mut().unwrap().read_exact(&mut word).unwrap();
        let error = child.stdin.as_mut().unwrap().write_all(&[0; 1 << 20]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        child.kill().unwrap();
    });
}

#[test]
fn killed_while_its_output_is_read() {
    // A reader that nobody tells.
    let _turn = turn("killed_while_its_output_is_read");
    everywhere(3, || {
        let mut child = Command::new("sleep").arg("1000").stdout(Stdio::piped()).spawn().unwrap();
        let mut from = child.stdout.take().unwrap();
        let reader = go!({ from.read(&mut [0; 8]).unwrap() });
        runtime::yield_now();
        child.kill().unwrap();
        assert_eq!(reader.join().unwrap(), 0);
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    });
}

#[cfg(target_os = "linux")]
fn count(folder: &str) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// What this process has open, but for the folder that tells.
#[cfg(target_os = "linux")]
fn open() -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap();
    entries.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok()).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn waiting_holds_no_thread_and_leaks_no_descriptor() {
    // A thread for each child that is waited for, or read from; a descriptor left for each.
    let _turn = turn("waiting_holds_no_thread_and_leaks_no_descriptor");
    const CHILDREN: usize = 40;
    everywhere(1, || {
        // What is started once, the poller, is.
        let mut child = cat();
        let mut from = child.stdout.take().unwrap();
        let reader = go!(name = "reader"; { from.read(&mut [0]).unwrap() });
        while !runtime::dump().to_string().contains("\"reader\" [IO wait") {
            runtime::yield_now();
        }
        assert!(child.wait().unwrap().success());
        assert_eq!(reader.join().unwrap(), 0);
        let (descriptors, threads) = (open(), count("/proc/self/task"));
        let (ready, all_ready) = chan::<()>(0);
        let (tx, ended) = chan(CHILDREN);
        let mut inputs = Vec::new();
        for _ in 0..CHILDREN {
            let mut child = cat();
            inputs.push(child.stdin.take().unwrap());
            go!(clone ready, tx; {
                let mut from = child.stdout.take().unwrap();
                let reader = go!({ from.read_to_end(&mut Vec::new()) });
                ready.send(()).unwrap();
                let status = child.wait().unwrap();
                reader.join().unwrap().unwrap();
                tx.send(status).unwrap();
            });
        }
        (0..CHILDREN).for_each(|_| all_ready.recv().unwrap());
        // They are about to wait; threads that they held would not go for ten seconds.
        time::sleep(Duration::from_millis(20));
        let more = count("/proc/self/task").saturating_sub(threads);
        assert!(more < CHILDREN / 2, "{more} threads more for {CHILDREN} children");
        assert!(ended.is_empty());
        drop(inputs);
        (0..CHILDREN).for_each(|_| assert!(ended.recv().unwrap().success()));
        drop((ready, all_ready, tx, ended));
        support::yields(3);
        let left = open();
        assert_eq!(left.len(), descriptors.len(), "{left:?} instead of {descriptors:?}");
    });
}

#[test]
fn many_children_at_once() {
    // An end that is told to the wrong waiter, or to nobody.
    let _turn = turn("many_children_at_once");
    everywhere(1, || {
        let all: Vec<_> = (0..30)
            .map(|n| {
                go!({
                    let output = sh(&format!("echo {n}; exit {n}")).output().unwrap();
                    assert_eq!((output.status.code(), output.stdout), (Some(n), format!("{n}\n").into_bytes()));
                })
            })
            .collect();
        all.into_iter().for_each(|g| g.join().unwrap());
    });
}
