//! Walk a directory tree, digest its files, collect: a bounded parallel pipeline. `md5all` and the tour share it.
//!
//! ```text
//!            paths             results
//!   walk ────────────► digest ────────► collect
//!                      digest
//!                      digest   …           │
//!     ▲                   ▲                 │ the first failure, or the end
//!     └───────────────────┴──── stopped ◄───┘
//! ```
//!
//! Closing the `stopped` channel tells every stage to end, whatever it waits for: each send stands in a `select!`
//! beside a receive from it. The goroutines are those of a scope, so none can be left behind.

use gaggle::{Receiver, Sender, chan, select};
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

/// How many files are open at once, at most.
const DIGESTERS: usize = 8;

pub type Sum = [u8; 16];

/// A file and its digest.
#[derive(Debug)]
pub struct Digested {
    pub path: PathBuf,
    pub sum: Sum,
}

/// What went wrong, and where.
#[derive(Debug)]
pub struct Failure {
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.error)
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let path = path.to_owned();
    move |error| Failure { path, error }
}

/// Digests all regular files below `root`, as `digest` does it; entries that are not `wanted` are passed over,
/// directories with everything in them. The result is sorted by path, byte by byte.
///
/// The first failure stops the pipeline, and is returned.
pub fn digest_tree<W, D>(root: &Path, wanted: W, digest: D) -> Result<Vec<Digested>, Failure>
where
    W: Fn(&OsStr) -> bool + Sync,
    D: Fn(&Path) -> io::Result<Sum> + Sync,
{
    let (path, paths) = chan(0);
    let (result, results) = chan(0);
    // Nobody ever sends on it: that it is closed is the message.
    let (done, stopped) = chan::<()>(0);
    let collected: Result<Vec<_>, _> = gaggle::scope(|s| {
        let (wanted, digest) = (&wanted, &digest);
        let (failure, stop) = (result.clone(), stopped.clone());
        s.go(move || {
            if let Err(error) = walk(root, wanted, &path, &stop) {
                select! { failure <- Err(error) => {}, <-stop => {} }
            }
        });
        for _ in 0..DIGESTERS {
            let (paths, result, stop) = (paths.clone(), result.clone(), stopped.clone());
            s.go(move || digest_each(paths, digest, &result, &stop));
        }
        // The pipeline ends when the last of its own senders does.
        drop(result);
        let collected = results.iter().collect();
        done.close();
        collected
    });
    let mut collected = collected?;
    collected.sort_unstable_by(|a: &Digested, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    Ok(collected)
}

/// Sends the path of every regular file below `root`. It does not follow symbolic links, `root` itself excepted.
fn walk<W>(root: &Path, wanted: &W, paths: &Sender<PathBuf>, stopped: &Receiver<()>) -> Result<(), Failure>
where
    W: Fn(&OsStr) -> bool,
{
    if fs::metadata(root).map_err(at(root))?.is_file() {
        select! { paths <- root.to_owned() => {}, <-stopped => {} }
        return Ok(());
    }
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).map_err(at(&directory))? {
            let entry = entry.map_err(at(&directory))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(at(&path))?;
            if !wanted(&entry.file_name()) {
                continue;
            }
            if kind.is_dir() {
                directories.push(path);
            } else if kind.is_file() {
                select! {
                    paths <- path => {},
                    <-stopped => return Ok(()),
                }
            }
        }
    }
    Ok(())
}

fn digest_each<D>(
    paths: Receiver<PathBuf>,
    digest: &D,
    results: &Sender<Result<Digested, Failure>>,
    stopped: &Receiver<()>,
) where
    D: Fn(&Path) -> io::Result<Sum>,
{
    for path in paths {
        let result = match digest(&path) {
            Ok(sum) => Ok(Digested { path, sum }),
            Err(error) => Err(Failure { path, error }),
        };
        select! {
            results <- result => {},
            <-stopped => return,
        }
    }
}

/// The MD5 digest of a file. The read blocks its thread; the runtime's other threads go on meanwhile.
pub fn md5(path: &Path) -> io::Result<Sum> {
    let mut file = File::open(path)?;
    let mut hasher = Md5::new();
    // On the heap: a goroutine's stack is small.
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(n) => hasher.update(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes the lines that `md5sum` would: a name with a line break or a backslash in it is escaped, and marked so.
pub fn write_listing(entries: &[Digested], out: &mut impl Write) -> io::Result<()> {
    for Digested { path, sum } in entries {
        let name = path.as_os_str().as_encoded_bytes();
        if name.iter().any(|byte| b"\\\n\r".contains(byte)) {
            out.write_all(b"\\")?;
        }
        for byte in sum {
            write!(out, "{byte:02x}")?;
        }
        out.write_all(b"  ")?;
        for byte in name {
            match byte {
                b'\\' => out.write_all(b"\\\\")?,
                b'\n' => out.write_all(b"\\n")?,
                b'\r' => out.write_all(b"\\r")?,
                byte => out.write_all(&[*byte])?,
            }
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}
