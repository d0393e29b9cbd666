//! A dump as JSON, for programs that read it.

use super::dump::{Dump, GoroutineRecord};
use super::trace::Frame;
use core::fmt::{self, Write};

impl Dump {
    /// The dump as JSON: an object with an array `goroutines`.
    ///
    /// Each has `id`, `state` and `created_at`, and, where there is something to say, `name`, `reason`, `waiting_ms`,
    /// `locked_to_thread`, `creator`, `frames` (objects with `function`, and perhaps `file` and `line`) and `note`.
    ///
    /// ```
    /// let json = gaggle::run(|| gaggle::runtime::dump().to_json());
    /// assert!(json.starts_with(r#"{"goroutines":[{"id":1,"state":"running""#));
    /// ```
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        // Writing to a string never fails.
        let _ = write_dump(&mut text, self);
        text
    }
}

fn write_dump(out: &mut String, dump: &Dump) -> fmt::Result {
    out.write_str("{\"goroutines\":[")?;
    for (at, g) in dump.goroutines().enumerate() {
        out.write_str(if at == 0 { "" } else { "," })?;
        write_goroutine(out, g)?;
    }
    out.write_str("]}")
}

fn write_goroutine(out: &mut String, g: &GoroutineRecord) -> fmt::Result {
    write!(out, "{{\"id\":{},\"state\":\"{}\"", g.id().get(), g.state().as_str())?;
    if let Some(name) = g.name() {
        write!(out, ",\"name\":{}", Text(name))?;
    }
    if let Some(reason) = g.reason() {
        write!(out, ",\"reason\":{}", Text(reason))?;
    }
    if let Some(waiting) = g.waiting() {
        write!(out, ",\"waiting_ms\":{}", waiting.as_millis())?;
    }
    if g.locked {
        out.write_str(",\"locked_to_thread\":true")?;
    }
    if let Some(creator) = g.creator() {
        write!(out, ",\"creator\":{}", creator.get())?;
    }
    write!(out, ",\"created_at\":{}", Text(&g.site().to_string()))?;
    if let Some(note) = g.note() {
        return write!(out, ",\"note\":{}}}", Text(note));
    }
    out.write_str(",\"frames\":[")?;
    for (at, frame) in g.frames().iter().enumerate() {
        out.write_str(if at == 0 { "" } else { "," })?;
        write_frame(out, frame)?;
    }
    out.write_str("]}")
}

fn write_frame(out: &mut String, frame: &Frame) -> fmt::Result {
    write!(out, "{{\"function\":{}", Text(frame.function()))?;
    if let Some(file) = frame.file() {
        write!(out, ",\"file\":{}", Text(file))?;
    }
    if let Some(line) = frame.line() {
        write!(out, ",\"line\":{line}")?;
    }
    out.write_str("}")
}

/// A string of JSON, in quotes.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                // Control characters must be escaped; the two separators may not stand in JavaScript.
                c if c < ' ' || c == '\u{7f}' || c == '\u{2028}' || c == '\u{2029}' => {
                    write!(f, "\\u{:04x}", c as u32)?
                }
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        // A name with a quotation mark that ends the string, and everything after it.
        let text = Text("a\"b\\c\nd\te\0f\u{2028}g\u{7f}ü😀").to_string();
        assert_eq!(text, "\"a\\\"b\\\\c\\nd\\u0009e\\u0000f\\u2028g\\u007fü😀\"");
    }
}
