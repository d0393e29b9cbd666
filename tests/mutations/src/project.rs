//! The copy of the project that faults are put into.
//!
//! # Invariants
//! 1. A file of the copy is written only when it differs, so that cargo builds again what changed and nothing else;
//!    and it is always written, never moved or given an old time, or cargo would keep the binary of the fault.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

pub struct Project {
    copy: PathBuf,
    _lock: File,
}

impl Project {
    /// Makes `work/project` a copy of `source`, or brings it up to date.
    ///
    /// # Errors
    /// When it cannot be written, or another run uses it.
    pub fn copy(source: &Path, work: &Path) -> io::Result<Self> {
        let copy = work.join("project");
        fs::create_dir_all(&copy)?;
        let lock = File::create(work.join("lock"))?;
        lock.try_lock().map_err(|_| io::Error::other(format!("another run uses {}", work.display())))?;
        let mut seen = BTreeSet::new();
        bring_up(source, &copy, &mut seen)?;
        remove_others(&copy, &seen)?;
        Ok(Self { copy, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.copy
    }

    pub fn read(&self, file: &str) -> io::Result<String> {
        fs::read_to_string(self.copy.join(file))
    }

    pub fn write(&self, file: &str, text: &str) -> io::Result<()> {
        fs::write(self.copy.join(file), text)
    }
}

/// What cargo and git made is left where it is.
fn is_product(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name == ".git" || name == "target" || path.join("CACHEDIR.TAG").exists()
}

fn bring_up(from: &Path, to: &Path, seen: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            if !is_product(&path) {
                bring_up(&path, &target, seen)?;
            }
        } else if entry.file_type()?.is_file() {
            let bytes = fs::read(&path)?;
            if fs::read(&target).ok().as_ref() != Some(&bytes) {
                fs::write(&target, bytes)?;
                fs::set_permissions(&target, fs::metadata(&path)?.permissions())?;
            }
            seen.insert(target);
        }
    }
    Ok(())
}

fn remove_others(dir: &Path, seen: &BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_others(&entry.path(), seen)?;
        } else if !seen.contains(&entry.path()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
