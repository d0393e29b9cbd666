//! A directory tree with every kind of name, and its digests by other means than ours.

use md5::{Digest, Md5};
use std::fs;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Removed at the end, unless the test fails.
pub struct Tree(PathBuf);

impl Deref for Tree {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // Nobody waits for it.
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// Makes a tree of this process's own under the directory that cargo gives to tests.
pub fn make(name: &str, files: u32) -> Tree {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    if root.exists() {
        fs::remove_dir_all(&root).expect("the tree of an earlier process of this number can be removed");
    }
    for n in 0..files {
        let directory = root.join(format!("{}/{}", n % 7, n % 3));
        fs::create_dir_all(&directory).expect("a directory can be made");
        // Up to some hundred kilobytes, so that a digest takes several reads.
        let bytes: Vec<u8> = (0..n * 4001).map(|i| (i % 251) as u8).collect();
        fs::write(directory.join(format!("file {n}")), bytes).expect("a file can be written");
    }
    fs::write(root.join("empty"), "").expect("a file can be written");
    // Sorted by components it comes before `0/…`, by bytes between `0/…` and `1/…`.
    fs::write(root.join("0-dash"), "-").expect("a file can be written");
    #[cfg(unix)]
    add_unix_names(&root);
    Tree(root)
}

#[cfg(unix)]
fn add_unix_names(root: &Path) {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    for name in [&b"back\\slash"[..], b"line\nbreak", b"not \xff UTF-8"] {
        // There are file systems that refuse such names; what is there is compared.
        let _ = fs::write(root.join(OsStr::from_bytes(name)), name);
    }
    std::os::unix::fs::symlink("empty", root.join("link")).expect("a link can be made");
}

/// The regular files below `root`, sorted byte by byte.
pub fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).expect("our own tree can be read") {
        let entry = entry.expect("our own tree can be read");
        let kind = entry.file_type().expect("our own tree can be read");
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    found
}

/// What `md5sum` prints for the files; if there is none, or another one than GNU's, which may write unusual names in
/// another way, the same worked out file by file.
pub fn md5sum(files: &[PathBuf]) -> Vec<u8> {
    let version = Command::new("md5sum").arg("--version").output();
    if !version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("GNU coreutils")) {
        return naive(files);
    }
    match Command::new("md5sum").arg("--").args(files).output() {
        Ok(output) if output.status.success() => output.stdout,
        Ok(output) => panic!("md5sum: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => naive(files),
        Err(error) => panic!("md5sum: {error}"),
    }
}

pub fn md5sum_exists() -> bool {
    Command::new("md5sum").arg("--version").output().is_ok()
}

pub fn naive(files: &[PathBuf]) -> Vec<u8> {
    let mut listing = Vec::new();
    for path in files {
        let sum = Md5::digest(fs::read(path).expect("our own file can be read"));
        let hex: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut name = Vec::new();
        for &byte in path.as_os_str().as_encoded_bytes() {
            match byte {
                b'\\' => name.extend(b"\\\\"),
                b'\n' => name.extend(b"\\n"),
                other => name.push(other),
            }
        }
        let mark = if name.len() == path.as_os_str().len() { "" } else { "\\" };
        listing.extend([mark.as_bytes(), hex.as_bytes(), b"  ", &name, b"\n"].concat());
    }
    listing
}
