//! Directories: made, and read in batches, with one way to the pool thread and back for many entries.

use super::{FileType, Metadata, off};
use core::fmt;
use std::collections::VecDeque;
use std::ffi::OsString;
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, DirEntryExt};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// How many entries are fetched at once.
const BATCH: usize = 128;

/// The entries of a directory.
///
/// # Blocking
/// Until the first of them are there; the iterator, once in a while, until there are more.
///
/// # Errors
/// The system's, as `std::fs::read_dir`; and each entry may come as an error.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-readdir", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// gaggle::fs::write(dir.join("a"), "")?;
/// let names: Vec<_> = gaggle::fs::read_dir(&dir)?.map(|entry| entry.unwrap().file_name()).collect();
/// assert_eq!(names, ["a"]);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read_dir<P: AsRef<Path>>(path: P) -> io::Result<ReadDir> {
    let path = path.as_ref();
    off(|| {
        let mut dir = ReadDir { dir: Some(fs::read_dir(path)?), fetched: VecDeque::new() };
        dir.fetch();
        Ok(dir)
    })
}

/// Iterates over the entries of a directory; see [`read_dir`].
///
/// # Blocking
/// Once in a while, for the next batch of entries.
pub struct ReadDir {
    /// `None` once all was fetched.
    dir: Option<fs::ReadDir>,
    fetched: VecDeque<io::Result<DirEntry>>,
}

impl ReadDir {
    /// Fetches the next batch.
    fn fetch(&mut self) {
        let Some(dir) = &mut self.dir else { return };
        let entry = |entry: fs::DirEntry| DirEntry { file_type: entry.file_type().ok(), entry };
        self.fetched.extend(dir.take(BATCH).map(|found| found.map(entry)));
        if self.fetched.len() < BATCH {
            self.dir = None;
        }
    }
}

impl Iterator for ReadDir {
    type Item = io::Result<DirEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.fetched.is_empty() && self.dir.is_some() {
            off(|| self.fetch());
        }
        self.fetched.pop_front()
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadDir").field("fetched", &self.fetched.len()).finish_non_exhaustive()
    }
}

/// An entry of a directory; see [`read_dir`].
///
/// # Blocking
/// [`metadata`](Self::metadata), and [`file_type`](Self::file_type) where the system does not tell it with the entry.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-entry", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// gaggle::fs::write(dir.join("a"), "four")?;
/// for entry in gaggle::fs::read_dir(&dir)? {
///     let entry = entry?;
///     assert_eq!(entry.path(), dir.join("a"));
///     assert!(entry.file_type()?.is_file());
///     assert_eq!(entry.metadata()?.len(), 4);
/// }
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct DirEntry {
    entry: fs::DirEntry,
    /// Fetched with the entry, as it rarely costs anything there.
    file_type: Option<FileType>,
}

impl DirEntry {
    /// The path of the directory as it was given, with the entry's name.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.entry.path()
    }

    /// The entry's name alone.
    #[must_use]
    pub fn file_name(&self) -> OsString {
        self.entry.file_name()
    }

    /// What kind of file it is, without following symbolic links.
    ///
    /// # Errors
    /// The system's.
    pub fn file_type(&self) -> io::Result<FileType> {
        match self.file_type {
            Some(file_type) => Ok(file_type),
            None => off(|| self.entry.file_type()),
        }
    }

    /// What the system knows of it, without following symbolic links.
    ///
    /// # Errors
    /// The system's.
    pub fn metadata(&self) -> io::Result<Metadata> {
        off(|| self.entry.metadata())
    }
}

impl fmt::Debug for DirEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DirEntry").field(&self.path()).finish()
    }
}

#[cfg(unix)]
impl DirEntryExt for DirEntry {
    fn ino(&self) -> u64 {
        self.entry.ino()
    }
}

/// How a directory is to be made, as `std::fs::DirBuilder`.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-dirbuilder", std::process::id()));
/// gaggle::fs::DirBuilder::new().recursive(true).create(dir.join("d/e"))?;
/// assert!(gaggle::fs::metadata(dir.join("d/e"))?.is_dir());
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct DirBuilder(fs::DirBuilder);

impl DirBuilder {
    /// One directory, whose parent exists.
    #[expect(clippy::new_without_default, reason = "std's has none")]
    #[must_use]
    pub fn new() -> Self {
        Self(fs::DirBuilder::new())
    }

    /// Whether those above it are made, too, and it may exist already.
    pub fn recursive(&mut self, recursive: bool) -> &mut Self {
        self.0.recursive(recursive);
        self
    }

    /// Makes a directory so.
    ///
    /// # Errors
    /// The system's, as `std::fs::DirBuilder::create`.
    pub fn create<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let path = path.as_ref();
        off(|| self.0.create(path))
    }
}

#[cfg(unix)]
impl DirBuilderExt for DirBuilder {
    fn mode(&mut self, mode: u32) -> &mut Self {
        self.0.mode(mode);
        self
    }
}
