//! Backtraces: taken, named, and rid of what is not the program's.
//!
//! # Invariants
//! 1. A parked goroutine is looked at between `freeze` and `thaw` of its park word (status, I4): its stack and its
//!    owner fields are ours meanwhile. Names are looked up after the thaw: that takes much longer.

use crate::coroutine::borrow;
use crate::primitives::sync::Arc;
use crate::sched::goroutine::Goroutine;
use core::fmt;
use std::backtrace::Backtrace;
use std::collections::HashMap;

/// A place in the program where a goroutine is: see [`GoroutineRecord::frames`](super::GoroutineRecord::frames).
///
/// ```
/// let dump = gaggle::run(gaggle::runtime::dump);
/// for frame in dump.goroutines().flat_map(|g| g.frames()) {
///     match (frame.file(), frame.line()) {
///         (Some(file), Some(line)) => println!("{} in {file}, line {line}", frame.function()),
///         _ => println!("{}", frame.function()),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    function: Box<str>,
    place: Option<Box<str>>,
    line: Option<u32>,
}

impl Frame {
    /// The function, with its path.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// The source file, if the program has been built with debug information.
    pub fn file(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// The line in the file.
    pub fn line(&self) -> Option<u32> {
        self.line
    }

    /// Whether it belongs to this crate or to Rust's own libraries, rather than to the program.
    fn is_runtime(&self) -> bool {
        let crates = ["std::", "core::", "alloc::", "__rust_", "_Unwind_", "rust_begin_", "__libc_"];
        self.is_ours() || self.is_of(&crates) || ["main", "_start"].contains(&&*self.function) || self.is_of_rust()
    }

    /// Whether it belongs to this crate. Where debug information is no more than tables of lines, names have no path:
    /// then the file tells.
    fn is_ours(&self) -> bool {
        const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/");
        let as_compiled = || file!().strip_suffix("diag/trace.rs").is_some_and(|sources| self.is_from(sources));
        self.is_of(&["gaggle::"]) || (self.has_no_path() && (as_compiled() || self.is_from(SOURCES)))
    }

    /// As [`is_ours`](Self::is_ours), of Rust's own libraries: their sources are where the compiler was made, or in a
    /// toolchain's folder.
    fn is_of_rust(&self) -> bool {
        self.has_no_path()
            && (self.is_from("/rustc/") || self.file().is_some_and(|file| file.contains("/rustlib/src/rust/library/")))
    }

    fn has_no_path(&self) -> bool {
        let name = self.function.split_once('<').map_or(&*self.function, |(name, _)| name);
        !self.function.starts_with('<') && !name.contains("::")
    }

    /// `std` shortens the names of files below the current directory.
    fn is_from(&self, sources: &str) -> bool {
        let whole = |short: &str| std::env::current_dir().is_ok_and(|here| here.join(short).starts_with(sources));
        self.file().is_some_and(|file| match file.strip_prefix("./") {
            Some(short) => short.starts_with(sources) || whole(short),
            None => file.starts_with(sources),
        })
    }

    fn is_of(&self, crates: &[&str]) -> bool {
        let name = self.function.trim_start_matches(['<', '&', '(']);
        let name = name.strip_prefix("dyn ").unwrap_or(name);
        crates.iter().any(|c| name.starts_with(c))
    }
}

impl fmt::Display for Frame {
    /// As Go does: the function, and below it the place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.function)?;
        match (&self.place, self.line) {
            (Some(file), Some(line)) => write!(f, "\n\t{file}:{line}"),
            (Some(file), None) => write!(f, "\n\t{file}"),
            _ => Ok(()),
        }
    }
}

pub(super) type Frames = Arc<[Frame]>;

/// Stacks deeper than this are not named: a recursion of a million levels would take minutes and gigabytes.
const DEEPEST: usize = 10_000;

/// What could be had of a goroutine's stack.
#[derive(Clone, Debug)]
pub(super) enum Trace {
    Frames(Frames),
    /// Why there are none.
    Unavailable(&'static str),
}

impl Trace {
    pub(super) fn none() -> Self {
        Self::Frames(Arc::new([]))
    }
}

/// What was seen of a parked goroutine, to be named later.
pub(super) enum Seen {
    Known(Trace),
    New(Vec<usize>, Backtrace),
}

/// The stacks that have been named already: thousands of goroutines stand in a few places.
#[derive(Default)]
pub(super) struct Names(HashMap<Vec<usize>, Frames>);

impl Names {
    /// Looks at the stack of a parked goroutine.
    ///
    /// # Safety
    /// The caller has frozen it (I1).
    pub(super) unsafe fn look(&self, g: &Goroutine) -> Seen {
        if !borrow::POSSIBLE {
            return Seen::Known(Trace::Unavailable("stack unavailable on the portable back end"));
        }
        let mut seen = Seen::Known(Trace::none());
        let mut look = || {
            let mut addresses = Vec::with_capacity(64);
            unwind::addresses(&mut addresses, DEEPEST);
            seen = match self.0.get(&addresses) {
                _ if addresses.len() == DEEPEST => Seen::Known(Trace::Unavailable("more than 10000 frames; not named")),
                Some(frames) => Seen::Known(Trace::Frames(frames.clone())),
                None => Seen::New(addresses, Backtrace::force_capture()),
            };
        };
        // SAFETY: frozen, so the context was saved by a park, and is ours (I1).
        g.context.with(|context| unsafe { borrow::look(context, &mut look) });
        seen
    }

    /// Names what was seen.
    pub(super) fn name(&mut self, seen: Seen) -> Trace {
        match seen {
            Seen::Known(trace) => trace,
            Seen::New(addresses, backtrace) => {
                let frames = frames_of(&backtrace);
                Trace::Frames(self.0.entry(addresses).or_insert(frames).clone())
            }
        }
    }
}

/// The caller's own frames, to be named where there is room for it.
pub(super) fn here() -> Backtrace {
    Backtrace::force_capture()
}

/// The frames of the program in `backtrace`; with `RUST_BACKTRACE=full` all frames of the goroutine.
pub(super) fn frames_of(backtrace: &Backtrace) -> Frames {
    let mut frames = parse(&backtrace.to_string());
    // Those of whoever looks at a parked goroutine are not its own.
    if let Some(looker) = frames.iter().rposition(|frame| frame.function.contains("call_as_if_from")) {
        frames.drain(..=looker);
    }
    let full = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value == "full");
    trimmed(frames, full).into()
}

fn trimmed(mut frames: Vec<Frame>, full: bool) -> Vec<Frame> {
    let is_own = |frame: &Frame| !frame.is_runtime();
    match (frames.iter().position(is_own), frames.iter().rposition(is_own)) {
        (Some(first), Some(last)) if !full => {
            frames.truncate(last + 1);
            frames.drain(..first);
            // In between as well: the growth in a recursion, a `Once` around an initialiser.
            frames.retain(|frame| !frame.is_ours());
            frames
        }
        // A program without symbols, or of nothing but the runtime's frames, shows what it has.
        _ => frames,
    }
}

/// Reads the text of a `std::backtrace::Backtrace`, which is all that it gives away:
///
/// ```text
///    3: app::work
///              at ./src/main.rs:12:9
///       app::inlined::into::the::same::frame
/// ```
fn parse(text: &str) -> Vec<Frame> {
    let mut frames: Vec<Frame> = Vec::new();
    for line in text.lines().map(str::trim) {
        let unplaced = frames.last_mut().filter(|frame| frame.place.is_none());
        if let (Some(place), Some(frame)) = (line.strip_prefix("at "), unplaced) {
            (frame.place, frame.line) = split_place(place);
            continue;
        }
        let number = line.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
        let function = line[number..].strip_prefix(": ").filter(|_| number > 0).unwrap_or(line);
        if !function.is_empty() {
            frames.push(Frame { function: function.into(), place: None, line: None });
        }
    }
    frames
}

/// `file:line:column`, the last two of which may be missing.
fn split_place(place: &str) -> (Option<Box<str>>, Option<u32>) {
    let number = |text: &str| text.parse::<u32>().ok();
    let (file, last) = place.rsplit_once(':').map_or((place, None), |(file, n)| (file, number(n)));
    match file.rsplit_once(':').and_then(|(file, n)| Some((file, number(n)?))) {
        Some((file, line)) if last.is_some() => (Some(file.into()), Some(line)),
        _ if last.is_some() => (Some(file.into()), last),
        _ => (Some(place.into()), None),
    }
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(gaggle_portable)))]
mod unwind {
    use core::ffi::{c_int, c_void};

    // The unwinder that Rust's own panics use; `std` links it.
    unsafe extern "C" {
        fn _Unwind_Backtrace(trace: extern "C" fn(*mut c_void, *mut c_void) -> c_int, arg: *mut c_void) -> c_int;
        fn _Unwind_GetIP(context: *mut c_void) -> usize;
    }

    struct Room<'a> {
        addresses: &'a mut Vec<usize>,
        most: usize,
    }

    /// The addresses of the callers, innermost first, `most` of them at most.
    pub(super) fn addresses(addresses: &mut Vec<usize>, most: usize) {
        const GO_ON: c_int = 0;
        const STOP: c_int = 5;
        extern "C" fn note(context: *mut c_void, room: *mut c_void) -> c_int {
            // SAFETY: our own argument, alive and used by nobody else until the unwinder returns.
            let room = unsafe { &mut *room.cast::<Room<'_>>() };
            if room.addresses.len() == room.most {
                return STOP;
            }
            // SAFETY: the unwinder's own context.
            room.addresses.push(unsafe { _Unwind_GetIP(context) });
            GO_ON
        }
        let mut room = Room { addresses, most };
        // SAFETY: `note` does not unwind, and knows what it is given.
        unsafe { _Unwind_Backtrace(note, (&raw mut room).cast()) };
    }
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(gaggle_portable))))]
mod unwind {
    /// Nobody asks where no stack can be looked at.
    pub(super) fn addresses(_addresses: &mut Vec<usize>, _most: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, file: &str, line: u32) -> Frame {
        Frame { function: function.into(), place: Some(file.into()), line: Some(line) }
    }

    #[test]
    fn the_text_of_a_backtrace_is_read() {
        // A change of std's format that leaves dumps without a place, or with the wrong one.
        let text = "   0: gaggle::park::wait\n             at ./src/park/mod.rs:7:5\n\
            \x20     app::inlined<T>\n             at C:\\app\\main.rs:12\n   1: <unknown>\n  12: app::main::{{closure}}\n             at /a b/c:d.rs:1:2\n";
        let frames = parse(text);
        assert_eq!(frames[0], frame("gaggle::park::wait", "./src/park/mod.rs", 7));
        assert_eq!(frames[1], frame("app::inlined<T>", "C:\\app\\main.rs", 12));
        assert_eq!(frames[2], Frame { function: "<unknown>".into(), place: None, line: None });
        assert_eq!(frames[3], frame("app::main::{{closure}}", "/a b/c:d.rs", 1));
        assert_eq!(frames.len(), 4);
    }

    #[test]
    fn what_std_prints_is_what_we_read() {
        // The same, of the std that is there. An optimised test is a part of who calls it, its caller's name is all
        // that is seen of it: so the one to be found is a function that stays one.
        #[inline(never)]
        fn asks_where_it_is() -> String {
            core::hint::black_box(Backtrace::force_capture().to_string())
        }
        let text = asks_where_it_is();
        let frames = parse(&text);
        let here = frames.iter().find(|f| f.function().ends_with("asks_where_it_is"));
        let here = here.unwrap_or_else(|| panic!("not found in\n{text}"));
        if cfg!(debug_assertions) {
            assert!(here.file().unwrap().ends_with("diag/trace.rs"));
            assert!(here.line().unwrap() > 200);
        }
    }

    #[test]
    fn frames_without_a_path_are_known_by_their_file() {
        // Line tables for all debug information, and a program started elsewhere than in the sources: each stack of a
        // dump began with the switch and ended with the worker's loop.
        let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sched/worker.rs");
        for file in [sources, "./src/sched/worker.rs"] {
            assert!(frame("leave", file, 1).is_ours(), "{file}");
            assert!(!frame("app::leave", file, 1).is_ours(), "{file}");
        }
        for file in ["/home/app/src/main.rs", "./examples/src.rs"] {
            assert!(!frame("leave", file, 1).is_runtime(), "{file}");
        }
        assert!(frame("and_then", "/rustc/0123/library/core/src/result.rs", 1).is_runtime());
    }

    #[test]
    fn the_programs_own_frames_are_left() {
        // Ten lines of the runtime before the one that the reader looks for.
        let names = |frames: &[Frame]| frames.iter().map(|f| f.function().to_owned()).collect::<Vec<_>>();
        let all = [
            "gaggle::diag::trace::unwind::addresses",
            "<gaggle::chan::Receiver<T> as core::iter::Iterator>::next",
            "app::inner",
            "core::iter::adapters::map::map_fold",
            "app::outer",
            "gaggle::stack::growable",
            "app::outer",
            "core::ops::function::FnOnce::call_once",
            "__rust_try",
            "gaggle::sched::worker::entry",
        ];
        let frames: Vec<_> = all.iter().map(|name| frame(name, "x.rs", 1)).collect();
        assert_eq!(names(&trimmed(frames.clone(), false)), [all[2], all[3], all[4], all[6]]);
        assert_eq!(names(&trimmed(frames.clone(), true)), all);
        assert_eq!(names(&trimmed(frames[..2].to_vec(), false)), all[..2]);
    }
}
