//! Files, standard input and children in the storm.

use super::gusts;
use gaggle::fs::{self, File, OpenOptions};
use gaggle::process::{Command, Stdio};
use gaggle::{io, spawn};
use std::ffi::CString;
use std::io::{IoSlice, IoSliceMut, PipeWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::Mutex;

fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("gaggle-interrupts-{}-{name}", std::process::id()))
}

fn fifo(name: &str) -> PathBuf {
    let path = path(name);
    _ = std::fs::remove_file(&path);
    let text = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: a path that ends in a zero.
    assert_eq!(unsafe { libc::mkfifo(text.as_ptr(), 0o600) }, 0);
    path
}

/// Opening one and reading it wait for the other end.
pub fn fifos() {
    let path = fifo("fifo");
    for _ in 0..5 {
        let other = path.clone();
        let reader = spawn(move || {
            let mut file = File::open(other).unwrap();
            let mut byte = [0];
            for n in 0..5 {
                assert_eq!(file.read(&mut byte).unwrap(), 1);
                assert_eq!(byte, [n]);
                assert_eq!(file.read_vectored(&mut [IoSliceMut::new(&mut byte)]).unwrap(), 1);
                assert_eq!(byte, [n]);
            }
            let mut rest = Vec::new();
            file.read_to_end(&mut rest).unwrap();
            rest
        });
        gusts(5);
        let mut file = OpenOptions::new().write(true).open(&path).unwrap();
        for n in 0..5 {
            for _ in 0..2 {
                gusts(3);
                assert_eq!(file.write(&[n]).unwrap(), 1);
            }
        }
        gusts(3);
        file.write_all(b"rest").unwrap();
        gusts(3);
        drop(file);
        assert_eq!(reader.join().unwrap(), b"rest");
    }
    std::fs::remove_file(path).unwrap();
}

/// A write that waits for room, and has written nothing yet when it is interrupted.
pub fn a_full_fifo() {
    const BYTES: usize = 1 << 18;
    let path = fifo("full");
    let other = path.clone();
    let writer = spawn(move || {
        let mut file = OpenOptions::new().write(true).open(other).unwrap();
        let piece = [7; 4096];
        let mut left = BYTES;
        while left > 0 {
            let n = left.min(piece.len());
            left -= file.write(&piece[..n]).unwrap();
            let n = left.min(piece.len());
            left -= file.write_vectored(&[IoSlice::new(&piece[..n])]).unwrap();
        }
    });
    let mut file = File::open(&path).unwrap();
    let mut left = BYTES;
    while left > 0 {
        gusts(1);
        let n = file.read(&mut [0; 1 << 13]).unwrap();
        assert!(n > 0);
        left -= n;
    }
    writer.join().unwrap();
    std::fs::remove_file(path).unwrap();
}

pub fn files() {
    let path = path("file");
    for n in 0..20_usize {
        let text = vec![n as u8; 10_000 * n];
        fs::write(&path, &text).unwrap();
        let file = OpenOptions::new().append(true).open(&path).unwrap();
        file.sync_all().unwrap();
        file.set_len(text.len() as u64 / 2).unwrap();
        assert!(fs::read(&path).unwrap() == text[..text.len() / 2]);
        assert!(fs::read_dir(path.parent().unwrap()).unwrap().any(|entry| entry.unwrap().path() == path));
    }
    fs::remove_file(&path).unwrap();
}

static FEED: Mutex<Option<PipeWriter>> = Mutex::new(None);

/// Ends the input with it.
pub struct Feed(());

impl Drop for Feed {
    fn drop(&mut self) {
        *FEED.lock().unwrap() = None;
        assert_eq!(io::stdin().read(&mut [0]).unwrap(), 0);
    }
}

/// Lets standard input be what [`standard_input`] writes.
pub fn feed_standard_input() -> Feed {
    let (reader, writer) = std::io::pipe().unwrap();
    // SAFETY: two open descriptors, and nobody has read of the one that is replaced.
    assert_eq!(unsafe { libc::dup2(reader.as_raw_fd(), 0) }, 0);
    *FEED.lock().unwrap() = Some(writer);
    Feed(())
}

pub fn standard_input() {
    let feeder = spawn(|| {
        for n in 0..10 {
            gusts(3);
            writeln!(FEED.lock().unwrap().as_ref().unwrap(), "line {n}").unwrap();
        }
    });
    for n in 0..5 {
        let mut line = [0; 7];
        let got = io::stdin().read(&mut line).unwrap();
        io::stdin().read_exact(&mut line[got..]).unwrap();
        assert_eq!(line, format!("line {n}\n").as_bytes());
    }
    for n in 5..10 {
        let mut line = String::new();
        io::stdin().read_line(&mut line).unwrap();
        assert_eq!(line, format!("line {n}\n"));
    }
    feeder.join().unwrap();
}

pub fn children() {
    for _ in 0..3 {
        let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut to, mut from) = (cat.stdin.take().unwrap(), cat.stdout.take().unwrap());
        for n in 0..5 {
            gusts(2);
            assert_eq!(to.write(&[n]).unwrap(), 1);
            let mut back = [0];
            assert_eq!(from.read(&mut back).unwrap(), 1);
            assert_eq!(back, [n]);
        }
        let waits = spawn(move || cat.wait().unwrap());
        gusts(5);
        drop(to);
        assert!(waits.join().unwrap().success());
        let output = Command::new("sh").args(["-c", "sleep 0.01; echo done"]).output().unwrap();
        assert_eq!((output.status.code(), output.stdout), (Some(0), b"done\n".to_vec()));
    }
}
