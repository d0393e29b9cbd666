//! An open file.

use super::{FileTimes, Metadata, OpenOptions, Permissions, again, off};
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::SystemTime;
use std::{fmt, fs};

/// An open file, as `std::fs::File`: `Read`, `Write` and `Seek` on `File` and on `&File`.
///
/// # Blocking
/// Every operation parks the goroutine until a pool thread has done it; so do those on a file that is a pipe or a
/// terminal, for as long as those take. Dropping the file closes it there and then.
///
/// # Compared with std
/// A read or a write of a pipe or a terminal that a signal interrupts is made again, as in Go.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-file", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// use gaggle::fs::File;
/// use std::io::{Read, Seek, Write};
///
/// let mut file = File::options().read(true).write(true).create(true).truncate(true).open(dir.join("a"))?;
/// file.write_all(b"hello")?;
/// file.rewind()?;
/// let mut text = String::new();
/// file.read_to_string(&mut text)?;
/// assert_eq!((text.as_str(), file.metadata()?.len()), ("hello", 5));
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct File(fs::File);

impl File {
    /// Opens a file to read it.
    ///
    /// # Errors
    /// The system's, as `std::fs::File::open`.
    pub fn open<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        OpenOptions::new().read(true).open(path)
    }

    /// Opens a file to write it: a new one, or an existing one whose contents are dropped.
    ///
    /// # Errors
    /// The system's, as `std::fs::File::create`.
    pub fn create<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        OpenOptions::new().write(true).create(true).truncate(true).open(path)
    }

    /// Makes a file, to read and write, that must not exist yet.
    ///
    /// # Errors
    /// The system's, as `std::fs::File::create_new`.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("gaggle-{}-new", std::process::id()));
    /// # std::fs::create_dir_all(&dir)?;
    /// use gaggle::fs::File;
    /// use std::io::ErrorKind;
    ///
    /// File::create_new(dir.join("a"))?;
    /// assert_eq!(File::create_new(dir.join("a")).unwrap_err().kind(), ErrorKind::AlreadyExists);
    /// # std::fs::remove_dir_all(&dir)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn create_new<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        OpenOptions::new().read(true).write(true).create_new(true).open(path)
    }

    /// Options to open a file with: [`OpenOptions::new`].
    #[must_use]
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// Waits until contents and metadata are on the disk.
    ///
    /// # Errors
    /// The system's: then nobody knows what is.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("gaggle-{}-sync", std::process::id()));
    /// # std::fs::create_dir_all(&dir)?;
    /// use gaggle::fs::File;
    /// use std::io::Write;
    ///
    /// let mut ledger = File::create(dir.join("ledger"))?;
    /// ledger.write_all(b"paid\n")?;
    /// ledger.sync_all()?;
    /// # std::fs::remove_dir_all(&dir)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn sync_all(&self) -> io::Result<()> {
        off(|| self.0.sync_all())
    }

    /// Waits until the contents are on the disk; the times of the file may come later. As [`sync_all`](Self::sync_all).
    ///
    /// # Errors
    /// The system's: then nobody knows what is.
    pub fn sync_data(&self) -> io::Result<()> {
        off(|| self.0.sync_data())
    }

    /// Cuts the file off at this length, or fills it up with zeroes.
    ///
    /// # Errors
    /// The system's; a file that is not open for writing.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("gaggle-{}-len", std::process::id()));
    /// # std::fs::create_dir_all(&dir)?;
    /// let file = gaggle::fs::File::create(dir.join("a"))?;
    /// file.set_len(3)?;
    /// assert_eq!(gaggle::fs::read(dir.join("a"))?, [0, 0, 0]);
    /// # std::fs::remove_dir_all(&dir)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_len(&self, size: u64) -> io::Result<()> {
        off(|| self.0.set_len(size))
    }

    /// What the system knows of the file.
    ///
    /// # Errors
    /// The system's.
    pub fn metadata(&self) -> io::Result<Metadata> {
        off(|| self.0.metadata())
    }

    /// Sets the permissions.
    ///
    /// # Errors
    /// The system's.
    pub fn set_permissions(&self, permissions: Permissions) -> io::Result<()> {
        off(|| self.0.set_permissions(permissions))
    }

    /// Sets the times.
    ///
    /// # Errors
    /// The system's.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("gaggle-{}-times", std::process::id()));
    /// # std::fs::create_dir_all(&dir)?;
    /// use gaggle::fs::{File, FileTimes};
    /// use std::time::SystemTime;
    ///
    /// let file = File::create(dir.join("a"))?;
    /// file.set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH))?;
    /// assert_eq!(file.metadata()?.modified()?, SystemTime::UNIX_EPOCH);
    /// # std::fs::remove_dir_all(&dir)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_times(&self, times: FileTimes) -> io::Result<()> {
        off(|| self.0.set_times(times))
    }

    /// Sets the time of the last change.
    ///
    /// # Errors
    /// The system's.
    pub fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        off(|| self.0.set_modified(time))
    }

    /// One more handle to the same open file, with which it shares its place.
    ///
    /// # Errors
    /// The system's: no descriptors are left.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("gaggle-{}-clone", std::process::id()));
    /// # std::fs::create_dir_all(&dir)?;
    /// use gaggle::fs::File;
    /// use std::io::Write;
    ///
    /// let mut one = File::create(dir.join("a"))?;
    /// let mut other = one.try_clone()?;
    /// one.write_all(b"first ")?;
    /// other.write_all(b"second")?;
    /// assert_eq!(gaggle::fs::read_to_string(dir.join("a"))?, "first second");
    /// # std::fs::remove_dir_all(&dir)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }
}

impl From<fs::File> for File {
    fn from(file: fs::File) -> Self {
        Self(file)
    }
}

impl From<File> for fs::File {
    fn from(file: File) -> Self {
        file.0
    }
}

impl From<File> for std::process::Stdio {
    fn from(file: File) -> Self {
        file.0.into()
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// The provided methods that loop over `read` and `write` are std's on the pool thread: one way there and back.

impl Read for &File {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        again(|| (&self.0).read(buf))
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        again(|| (&self.0).read_vectored(bufs))
    }

    fn read_to_end(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        off(|| (&self.0).read_to_end(buf))
    }

    fn read_to_string(&mut self, buf: &mut String) -> io::Result<usize> {
        off(|| (&self.0).read_to_string(buf))
    }

    fn read_exact(&mut self, buf: &mut [u8]) -> io::Result<()> {
        off(|| (&self.0).read_exact(buf))
    }
}

impl Write for &File {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        again(|| (&self.0).write(buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        again(|| (&self.0).write_vectored(bufs))
    }

    fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
        off(|| (&self.0).write_all(buf))
    }

    /// Nothing is buffered here.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for &File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        off(|| (&self.0).seek(to))
    }
}

impl Read for File {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(bufs)
    }

    fn read_to_end(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        (&*self).read_to_end(buf)
    }

    fn read_to_string(&mut self, buf: &mut String) -> io::Result<usize> {
        (&*self).read_to_string(buf)
    }

    fn read_exact(&mut self, buf: &mut [u8]) -> io::Result<()> {
        (&*self).read_exact(buf)
    }
}

impl Write for File {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(bufs)
    }

    fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
        (&*self).write_all(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self).flush()
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        (&*self).seek(to)
    }
}

#[cfg(unix)]
mod unix {
    use super::{File, again};
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
    use std::os::unix::fs::FileExt;

    impl FileExt for File {
        fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
            again(|| self.0.read_at(buf, offset))
        }

        fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
            again(|| self.0.write_at(buf, offset))
        }
    }

    impl AsFd for File {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }

    impl AsRawFd for File {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_raw_fd()
        }
    }

    impl IntoRawFd for File {
        fn into_raw_fd(self) -> RawFd {
            self.0.into_raw_fd()
        }
    }

    impl FromRawFd for File {
        unsafe fn from_raw_fd(fd: RawFd) -> Self {
            // SAFETY: the caller's contract is the same.
            Self(unsafe { std::fs::File::from_raw_fd(fd) })
        }
    }

    impl From<OwnedFd> for File {
        fn from(fd: OwnedFd) -> Self {
            Self(fd.into())
        }
    }

    impl From<File> for OwnedFd {
        fn from(file: File) -> Self {
            file.0.into()
        }
    }
}
