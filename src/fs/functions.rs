//! The functions of `std::fs`, each on a pool thread.

use super::{Metadata, Permissions, off};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The whole contents of a file.
///
/// # Errors
/// The system's, as `std::fs::read`.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-read", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// gaggle::fs::write(dir.join("a"), b"bytes")?;
/// assert_eq!(gaggle::fs::read(dir.join("a"))?, b"bytes");
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read<P: AsRef<Path>>(path: P) -> io::Result<Vec<u8>> {
    let path = path.as_ref();
    off(|| fs::read(path))
}

/// The whole contents of a file, as text.
///
/// # Errors
/// The system's; and what is no UTF-8.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-rts", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// gaggle::fs::write(dir.join("a"), "text")?;
/// assert_eq!(gaggle::fs::read_to_string(dir.join("a"))?, "text");
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read_to_string<P: AsRef<Path>>(path: P) -> io::Result<String> {
    let path = path.as_ref();
    off(|| fs::read_to_string(path))
}

/// Makes a file of these contents, or replaces those of an existing one.
///
/// # Errors
/// The system's, as `std::fs::write`.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-write", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// gaggle::fs::write(dir.join("a"), "one")?;
/// gaggle::fs::write(dir.join("a"), "two")?;
/// assert_eq!(gaggle::fs::read_to_string(dir.join("a"))?, "two");
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write<P: AsRef<Path>, C: AsRef<[u8]>>(path: P, contents: C) -> io::Result<()> {
    let (path, contents) = (path.as_ref(), contents.as_ref());
    off(|| fs::write(path, contents))
}

/// Copies a file with its permissions; returns the number of bytes.
///
/// # Errors
/// The system's, as `std::fs::copy`.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-copy", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// gaggle::fs::write(dir.join("a"), "four")?;
/// assert_eq!(gaggle::fs::copy(dir.join("a"), dir.join("b"))?, 4);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn copy<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> io::Result<u64> {
    let (from, to) = (from.as_ref(), to.as_ref());
    off(|| fs::copy(from, to))
}

/// Renames a file or directory, in place of one that has that name.
///
/// # Errors
/// The system's, as `std::fs::rename`.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-rename", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// gaggle::fs::write(dir.join("a"), "")?;
/// gaggle::fs::rename(dir.join("a"), dir.join("b"))?;
/// assert!(gaggle::fs::exists(dir.join("b"))?);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn rename<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> io::Result<()> {
    let (from, to) = (from.as_ref(), to.as_ref());
    off(|| fs::rename(from, to))
}

/// Gives a file one more name.
///
/// # Errors
/// The system's, as `std::fs::hard_link`.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-link", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// gaggle::fs::write(dir.join("a"), "same")?;
/// gaggle::fs::hard_link(dir.join("a"), dir.join("b"))?;
/// assert_eq!(gaggle::fs::read_to_string(dir.join("b"))?, "same");
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn hard_link<P: AsRef<Path>, Q: AsRef<Path>>(original: P, link: Q) -> io::Result<()> {
    let (original, link) = (original.as_ref(), link.as_ref());
    off(|| fs::hard_link(original, link))
}

/// Removes a file.
///
/// # Errors
/// The system's, as `std::fs::remove_file`.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-rmf", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// gaggle::fs::write(dir.join("a"), "")?;
/// gaggle::fs::remove_file(dir.join("a"))?;
/// assert!(!gaggle::fs::exists(dir.join("a"))?);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn remove_file<P: AsRef<Path>>(path: P) -> io::Result<()> {
    let path = path.as_ref();
    off(|| fs::remove_file(path))
}

/// Makes a directory.
///
/// # Errors
/// The system's, as `std::fs::create_dir`.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-mkdir", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// gaggle::fs::create_dir(dir.join("d"))?;
/// assert!(gaggle::fs::metadata(dir.join("d"))?.is_dir());
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn create_dir<P: AsRef<Path>>(path: P) -> io::Result<()> {
    let path = path.as_ref();
    off(|| fs::create_dir(path))
}

/// Makes a directory, and those above it that are missing.
///
/// # Errors
/// The system's, as `std::fs::create_dir_all`.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-mkdirp", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// gaggle::fs::create_dir_all(dir.join("d/e/f"))?;
/// assert!(gaggle::fs::metadata(dir.join("d/e/f"))?.is_dir());
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn create_dir_all<P: AsRef<Path>>(path: P) -> io::Result<()> {
    let path = path.as_ref();
    off(|| fs::create_dir_all(path))
}

/// Removes an empty directory.
///
/// # Errors
/// The system's, as `std::fs::remove_dir`.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-rmdir", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// gaggle::fs::create_dir(dir.join("d"))?;
/// gaggle::fs::remove_dir(dir.join("d"))?;
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn remove_dir<P: AsRef<Path>>(path: P) -> io::Result<()> {
    let path = path.as_ref();
    off(|| fs::remove_dir(path))
}

/// Removes a directory and all that is in it. Use with care.
///
/// # Errors
/// The system's, as `std::fs::remove_dir_all`.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-rmr", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// gaggle::fs::create_dir_all(dir.join("d/e"))?;
/// gaggle::fs::remove_dir_all(dir.join("d"))?;
/// assert!(!gaggle::fs::exists(dir.join("d"))?);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn remove_dir_all<P: AsRef<Path>>(path: P) -> io::Result<()> {
    let path = path.as_ref();
    off(|| fs::remove_dir_all(path))
}

/// What the system knows of a file; of the file that a symbolic link leads to.
///
/// # Errors
/// The system's, as `std::fs::metadata`.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-meta", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// gaggle::fs::write(dir.join("a"), "four")?;
/// assert_eq!(gaggle::fs::metadata(dir.join("a"))?.len(), 4);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn metadata<P: AsRef<Path>>(path: P) -> io::Result<Metadata> {
    let path = path.as_ref();
    off(|| fs::metadata(path))
}

/// What the system knows of a file, or of a symbolic link itself.
///
/// # Errors
/// The system's, as `std::fs::symlink_metadata`.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-smeta", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// gaggle::fs::write(dir.join("a"), "")?;
/// assert!(!gaggle::fs::symlink_metadata(dir.join("a"))?.is_symlink());
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn symlink_metadata<P: AsRef<Path>>(path: P) -> io::Result<Metadata> {
    let path = path.as_ref();
    off(|| fs::symlink_metadata(path))
}

/// Sets the permissions of a file.
///
/// # Errors
/// The system's, as `std::fs::set_permissions`.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-perm", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// let path = dir.join("a");
/// gaggle::fs::write(&path, "")?;
/// let mut permissions = gaggle::fs::metadata(&path)?.permissions();
/// permissions.set_readonly(true);
/// gaggle::fs::set_permissions(&path, permissions)?;
/// assert!(gaggle::fs::metadata(&path)?.permissions().readonly());
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn set_permissions<P: AsRef<Path>>(path: P, permissions: Permissions) -> io::Result<()> {
    let path = path.as_ref();
    off(|| fs::set_permissions(path, permissions))
}

/// The absolute form of a path, without symbolic links.
///
/// # Errors
/// The system's; a path that does not exist.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-canon", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// assert_eq!(gaggle::fs::canonicalize(dir.join("."))?, dir.canonicalize()?);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn canonicalize<P: AsRef<Path>>(path: P) -> io::Result<PathBuf> {
    let path = path.as_ref();
    off(|| fs::canonicalize(path))
}

/// Where a symbolic link leads.
///
/// # Errors
/// The system's; what is no symbolic link.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-readlink", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// #[cfg(unix)]
/// {
///     std::os::unix::fs::symlink("there", dir.join("a"))?;
///     assert_eq!(gaggle::fs::read_link(dir.join("a"))?.to_str(), Some("there"));
/// }
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read_link<P: AsRef<Path>>(path: P) -> io::Result<PathBuf> {
    let path = path.as_ref();
    off(|| fs::read_link(path))
}

/// Whether there is a file or directory of this name.
///
/// # Errors
/// When that cannot be told.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-exists", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// assert!(gaggle::fs::exists(&dir)?);
/// assert!(!gaggle::fs::exists(dir.join("a"))?);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn exists<P: AsRef<Path>>(path: P) -> io::Result<bool> {
    let path = path.as_ref();
    off(|| fs::exists(path))
}
