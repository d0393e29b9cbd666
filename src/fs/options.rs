//! How a file is opened.

use super::{File, off};
#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::{fs, io};

/// How a file is to be opened, as `std::fs::OpenOptions`; made from one, it has all that std has.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("gaggle-{}-options", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// use gaggle::fs::OpenOptions;
/// use std::io::Write;
///
/// for word in ["one", "two"] {
///     let mut log = OpenOptions::new().append(true).create(true).open(dir.join("log"))?;
///     log.write_all(word.as_bytes())?;
/// }
/// assert_eq!(gaggle::fs::read_to_string(dir.join("log"))?, "onetwo");
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions(fs::OpenOptions);

impl Default for OpenOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl From<fs::OpenOptions> for OpenOptions {
    fn from(options: fs::OpenOptions) -> Self {
        Self(options)
    }
}

impl OpenOptions {
    /// No option is set.
    #[must_use]
    pub fn new() -> Self {
        Self(fs::OpenOptions::new())
    }

    /// Whether it can be read.
    pub fn read(&mut self, read: bool) -> &mut Self {
        self.0.read(read);
        self
    }

    /// Whether it can be written.
    pub fn write(&mut self, write: bool) -> &mut Self {
        self.0.write(write);
        self
    }

    /// Whether every write goes to the end.
    pub fn append(&mut self, append: bool) -> &mut Self {
        self.0.append(append);
        self
    }

    /// Whether its contents are dropped first.
    pub fn truncate(&mut self, truncate: bool) -> &mut Self {
        self.0.truncate(truncate);
        self
    }

    /// Whether it is made if it does not exist.
    pub fn create(&mut self, create: bool) -> &mut Self {
        self.0.create(create);
        self
    }

    /// Whether it is made, and must not exist; as [`File::create_new`].
    pub fn create_new(&mut self, create_new: bool) -> &mut Self {
        self.0.create_new(create_new);
        self
    }

    /// Opens a file so.
    ///
    /// # Blocking
    /// Until it is open. Of a named pipe that is, until somebody opens its other end.
    ///
    /// # Errors
    /// The system's, as `std::fs::OpenOptions::open`.
    pub fn open<P: AsRef<Path>>(&self, path: P) -> io::Result<File> {
        let path = path.as_ref();
        off(|| self.0.open(path)).map(File::from)
    }
}

#[cfg(unix)]
impl OpenOptionsExt for OpenOptions {
    fn mode(&mut self, mode: u32) -> &mut Self {
        self.0.mode(mode);
        self
    }

    fn custom_flags(&mut self, flags: i32) -> &mut Self {
        self.0.custom_flags(flags);
        self
    }
}
