//! The list of faults, as `list.txt` has them. Its head says how it is written.

use std::fmt;

/// One deliberate fault.
#[derive(Debug)]
pub struct Mutation {
    pub name: String,
    pub file: String,
    /// What it is that goes wrong with it.
    pub fault: String,
    /// What should find it, tried in this order.
    pub by: Vec<Check>,
    /// Why nothing finds it, if that is so.
    pub survives: Option<String>,
    pub edits: Vec<Edit>,
}

#[derive(Debug)]
pub struct Edit {
    pub is: String,
    pub becomes: String,
}

/// Some tests of one binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub kind: Kind,
    pub filters: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The models in `src`.
    LoomLib,
    /// The models in `tests/loom`.
    LoomTests,
    /// The unit tests.
    Lib,
    /// One file of `tests`.
    Test(String),
    /// The unit tests of the macros.
    Macros,
}

impl Kind {
    pub fn is_loom(&self) -> bool {
        matches!(self, Self::LoomLib | Self::LoomTests)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::LoomLib => write!(f, "loom lib")?,
            Kind::LoomTests => write!(f, "loom tests")?,
            Kind::Lib => write!(f, "lib")?,
            Kind::Test(name) => write!(f, "test {name}")?,
            Kind::Macros => write!(f, "macros")?,
        }
        self.filters.iter().try_for_each(|filter| write!(f, " {filter}"))
    }
}

impl Check {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let kind = match words.next()? {
            "loom" => match words.next()? {
                "lib" => Kind::LoomLib,
                "tests" => Kind::LoomTests,
                _ => return None,
            },
            "lib" => Kind::Lib,
            "test" => Kind::Test(words.next()?.into()),
            "macros" => Kind::Macros,
            _ => return None,
        };
        Some(Self { kind, filters: words.map(Into::into).collect() })
    }
}

const IS: &str = "<<<<";
const BECOMES: &str = "====";
const END: &str = ">>>>";

/// Reads the whole list.
///
/// # Errors
/// The number of the line that is not as the head of the list says, and why.
pub fn parse(text: &str) -> Result<Vec<Mutation>, String> {
    let mut mutations: Vec<Mutation> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let wrong = |why: &str| Err(format!("line {}: {why}: {line}", at + 1));
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if mutations.iter().any(|m| m.name == name) {
                return wrong("a name used twice");
            }
            mutations.push(Mutation {
                name: name.into(),
                file: String::new(),
                fault: String::new(),
                by: Vec::new(),
                survives: None,
                edits: Vec::new(),
            });
            continue;
        }
        let Some(mutation) = mutations.last_mut() else { return wrong("expected [name]") };
        if line == IS {
            mutation.edits.push(Edit { is: until(&mut lines, BECOMES)?, becomes: until(&mut lines, END)? });
            continue;
        }
        match line.split_once(": ") {
            Some(("file", file)) => mutation.file = file.into(),
            Some(("fault", fault)) => mutation.fault = fault.into(),
            Some(("survives", why)) => mutation.survives = Some(why.into()),
            Some(("by", check)) => match Check::parse(check) {
                Some(check) => mutation.by.push(check),
                None => return wrong("no such check"),
            },
            _ => return wrong("expected file:, fault:, by:, survives: or <<<<"),
        }
    }
    for m in &mutations {
        if m.file.is_empty() || m.fault.is_empty() || m.by.is_empty() || m.edits.is_empty() {
            return Err(format!("{}: needs file:, fault:, by: and <<<<", m.name));
        }
    }
    Ok(mutations)
}

/// The lines up to `mark`, each with its end.
fn until<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>, mark: &str) -> Result<String, String> {
    let mut text = String::new();
    for (_, line) in lines {
        if line == mark {
            return Ok(text);
        }
        text.push_str(line);
        text.push('\n');
    }
    Err(format!("{mark} is missing"))
}

impl Mutation {
    /// `source` with the fault in it.
    ///
    /// # Errors
    /// If the place is not there, or there are several: the list has gone stale.
    pub fn apply(&self, source: &str) -> Result<String, String> {
        let mut text = source.to_owned();
        for edit in &self.edits {
            match text.matches(&edit.is).count() {
                1 => text = text.replacen(&edit.is, &edit.becomes, 1),
                n => {
                    let first = edit.is.lines().next().unwrap_or_default().trim();
                    return Err(format!("{}: found {n} times in {}: {first} ...", self.name, self.file));
                }
            }
        }
        if text == source {
            return Err(format!("{}: changes nothing", self.name));
        }
        Ok(text)
    }
}
