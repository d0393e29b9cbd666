//! A source file as the tests of the house see it.

use std::path::{Path, PathBuf};

/// A file of the crate.
pub struct Source {
    /// From the crate's root, with `/`.
    pub path: String,
    pub raw: String,
    /// As `raw`, line by line, with comments, strings and unit tests blanked.
    pub code: String,
}

/// A function, and whether it is `#[inline(never)]`.
#[derive(Debug)]
pub struct Function {
    pub name: String,
    pub never_inlined: bool,
}

/// All files below `folder` but those of unit tests and models.
pub fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(folder)];
    let mut all = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let is_test = name == "tests" || name == "models" || name.ends_with("_tests") || name.ends_with("_models");
            if path.is_dir() && !is_test {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !is_test {
                all.push(Source::read(root, &path));
            }
        }
    }
    assert!(all.len() > 5, "few files in {folder}");
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

/// The texts of all Rust files below `folder`, tests included.
pub fn raw_files(folder: &str) -> Vec<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut all = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                all.push(std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    all
}

impl Source {
    fn read(root: &Path, path: &Path) -> Self {
        let raw = std::fs::read_to_string(path).unwrap();
        let path = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        let code = without_tests(&without_comments(&raw));
        Self { path, raw, code }
    }

    /// The room that the file belongs to: the first module below the crate.
    pub fn room(&self) -> String {
        let below = self.path.trim_start_matches("src/");
        below.split('/').next().unwrap().trim_end_matches(".rs").to_owned()
    }

    /// How deep in the tree of modules the file's own code stands.
    fn depth(&self) -> Vec<&str> {
        let below = self.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        below.split('/').collect()
    }

    pub fn lines_with(&self, text: &str) -> impl Iterator<Item = usize> {
        self.code.lines().enumerate().filter(move |(_, line)| line.contains(text)).map(|(at, _)| at + 1)
    }

    /// Every path below the crate that the file names, by `crate::` or by `super::`, with its line.
    pub fn crate_paths(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        // The modules that are open where we are, by the depth of their brace.
        let (mut open, mut braces) = (Vec::<(usize, String)>::new(), 0);
        let mut rest = self.code.as_str();
        let line_at = |rest: &str| self.code[..self.code.len() - rest.len()].matches('\n').count() + 1;
        let mut before = ' ';
        while let Some(c) = rest.chars().next() {
            let starts_word = !(before.is_alphanumeric() || before == '_' || before == ':' || before == '$');
            let modules = || {
                let own = self.depth().into_iter().map(str::to_owned);
                own.chain(open.iter().map(|(_, name)| name.clone())).collect::<Vec<_>>()
            };
            if starts_word && rest.starts_with("crate::") {
                let (line, tail) = (line_at(rest), &rest["crate::".len()..]);
                found.extend(paths(tail).into_iter().map(|path| (line, path)));
            } else if starts_word && rest.starts_with("super::") {
                let (line, ups) = (line_at(rest), supers(rest));
                let mut at = modules();
                at.truncate(at.len().saturating_sub(ups));
                for path in paths(&rest[ups * "super::".len()..]) {
                    let prefix = at.iter().map(|module| format!("{module}::")).collect::<String>();
                    found.push((line, format!("{prefix}{path}")));
                }
                before = ':';
                rest = &rest[ups * "super::".len()..];
                continue;
            } else if starts_word && rest.starts_with("mod ") {
                let name: String = rest[4..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if rest[4 + name.len()..].trim_start().starts_with('{') {
                    open.push((braces, name));
                }
            }
            braces += usize::from(c == '{');
            if c == '}' {
                braces -= 1;
                open.retain(|(depth, _)| *depth < braces);
            }
            before = c;
            rest = &rest[c.len_utf8()..];
        }
        found
    }

    /// Functions of the outermost level that name one of the file's statics.
    pub fn functions_that_name_statics(&self) -> Vec<Function> {
        let statics: Vec<_> = self.code.split("static ").skip(1).filter_map(|s| s.split(':').next()).collect();
        let lines: Vec<_> = self.code.lines().collect();
        let mut found = Vec::new();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.starts_with(' ')) {
            let Some((_, after)) = line.split_once("fn ") else { continue };
            let body = lines[at..].iter().take_while(|line| **line != "}");
            if body.clone().any(|line| statics.iter().any(|name| line.contains(name))) {
                let name = after.split(['(', '<']).next().unwrap().to_owned();
                let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
                let never_inlined = attributes.into_iter().any(|line| line.contains("inline(never)"));
                found.push(Function { name, never_inlined });
            }
        }
        found
    }
}

fn supers(text: &str) -> usize {
    (0..).take_while(|n| text[n * "super::".len()..].starts_with("super::")).count()
}

/// The paths that begin here: one, or those of a group in braces.
fn paths(text: &str) -> Vec<String> {
    let Some(group) = text.strip_prefix('{') else {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
        return vec![text[..end].trim_end_matches(':').to_owned()];
    };
    let (mut depth, mut start, mut all) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                all.extend(Some(group[start..at].trim()).filter(|p| !p.is_empty()).and_then(|p| paths(p).pop()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    all
}

/// The text with comments and the insides of strings blanked, newlines kept.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = skipped(rest, out.chars().next_back().unwrap_or(' '));
        if length == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        }
    }
    out
}

/// The bytes of the comment, the string or the character that begins here; 0 if none does.
fn skipped(rest: &str, before: char) -> usize {
    let in_word = before.is_alphanumeric() || before == '_';
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    if rest.starts_with('"') {
        return quoted(rest);
    }
    if !in_word && (rest.starts_with("r\"") || rest.starts_with("r#\"")) {
        let hashes = rest[1..].chars().take_while(|c| *c == '#').count();
        let close = format!("\"{}", "#".repeat(hashes));
        let from = 2 + hashes;
        return rest[from..].find(&close).map_or(rest.len(), |end| from + end + close.len());
    }
    // A character, not a lifetime.
    let mut chars = rest.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('\''), Some('\\'), _) => rest[3..].find('\'').map_or(0, |end| end + 4),
        (Some('\''), Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 0,
    }
}

fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return at + 1,
            _ => escaped = false,
        }
    }
    rest.len()
}

/// The code with modules that are compiled for tests only blanked.
fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(") {
        let attribute = rest[at..].find(']').map_or(rest.len(), |end| at + end + 1);
        let body = rest[attribute..].trim_start();
        let for_tests = rest[at..attribute].contains("test") && !rest[at..attribute].contains("not(test");
        let open = body.starts_with("mod ").then(|| rest[attribute..].find('{')).flatten();
        let semicolon = rest[attribute..].find(';').unwrap_or(usize::MAX);
        let end = open.filter(|open| for_tests && *open < semicolon).map(|open| attribute + open);
        let Some(open) = end else {
            out.push_str(&rest[..attribute]);
            rest = &rest[attribute..];
            continue;
        };
        out.push_str(&rest[..at]);
        let close = open + matching_brace(&rest[open..]);
        out.extend(rest[at..close].chars().filter(|c| *c == '\n'));
        rest = &rest[close..];
    }
    out.push_str(rest);
    out
}

/// The bytes up to and with the brace that closes the one that `text` begins with.
fn matching_brace(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

#[test]
fn sources_are_read_as_rust_is() {
    // A reader that takes comments and strings for code, or code for comments, finds nothing, or everything.
    let text = "use crate::a::b; // use crate::c::d;\nlet s = \"crate::e::f\"; let c = '\"'; use super::super::g::h;\n\
        mod inner { use super::{i::j, k::{l, m}}; }\nlet r = r#\"\" crate::n::o\"#; fn f<'a>() { crate::p::q() }\n\
        #[cfg(all(test, not(loom)))]\nmod tests {\n    use crate::r::s;\n}\nuse crate::{t::u, v};\n";
    let code = without_tests(&without_comments(text));
    assert_eq!(code.lines().count(), text.lines().count());
    let source = Source { path: "src/sync/mutex.rs".into(), raw: text.into(), code };
    let found: Vec<_> = source.crate_paths().into_iter().map(|(line, path)| format!("{line} {path}")).collect();
    let expected = ["1 a::b", "2 g::h", "3 sync::mutex::i::j", "3 sync::mutex::k", "4 p::q", "9 t::u", "9 v"];
    assert_eq!(found, expected);
}
