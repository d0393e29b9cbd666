//! Spawn sites: one static record per `go!`, named by dumps and panic messages.

use core::fmt;

/// Where goroutines are started: the static record of one `go!` call.
#[derive(Debug)]
pub struct Site {
    file: &'static str,
    line: u32,
    column: u32,
}

impl Site {
    /// A record for the given place; `go!` fills it with `file!()`, `line!()` and `column!()`.
    pub const fn new(file: &'static str, line: u32, column: u32) -> Self {
        Self { file, line, column }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
