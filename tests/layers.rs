//! The house itself: who imports whom, who names which types of std, and what must be argued in writing.
//!
//! A floor may use the floors below it; what it may use sideways is listed. The tests read the sources: comments and
//! strings are blanked, and unit tests do not count.

#[path = "layers/source.rs"]
mod source;

use source::{Source, sources};

/// A room, and the paths under `crate` that it may name. The rooms stand in the order of the floors.
const ROOMS: [(&str, &[&str]); 22] = [
    ("primitives", &[]),
    ("platform", &["primitives"]),
    ("coroutine", &["platform", "primitives"]),
    // `HOOKS` is no room: function pointers, which lib.rs fills in.
    ("sched", &["HOOKS", "coroutine", "platform", "primitives"]),
    ("park", &["sched", "coroutine::stack::class_for", "platform::fatal", "primitives"]),
    // Who it is, where it was started, what is local to it: read, not scheduled.
    ("go", &["HOOKS", "park", "primitives", "sched::current", "sched::site"]),
    ("chan", &["park", "primitives"]),
    ("select", &["chan", "park", "primitives"]),
    // `WaitGroup::go`; and a name that is looked for here, which nothing in the room uses.
    ("sync", &["context::Group", "go", "park", "primitives"]),
    ("time", &["chan", "go", "park", "primitives", "sync"]),
    ("context", &["chan", "go", "park", "primitives", "sync", "time"]),
    // Standard input is locked with what parks.
    ("io", &["park", "platform::fatal", "primitives", "sync"]),
    // Reads and writes where it may block.
    ("fs", &["io::blocking", "park"]),
    ("signal", &["chan", "park", "platform::signal_pipe", "primitives"]),
    // Two pipes are read at once by a scope.
    ("process", &["go", "io::blocking", "park", "primitives"]),
    // A body is entered by whoever drives it, on a stack of its own.
    ("generator", &["chan", "coroutine", "go", "primitives", "sched::current", "sync"]),
    // Looks names up where it may block; listens as Go does.
    ("net", &["io::blocking", "park", "platform::poller::lengthen_backlog", "primitives"]),
    // A public face of the coroutine floor.
    ("stack", &["coroutine", "sched::current"]),
    ("runtime", &["coroutine::stack", "diag", "go", "io::blocking", "park", "sched", "testing"]),
    ("diag", &["coroutine", "go", "park", "platform", "primitives", "sched", "stack"]),
    // The same names in a model.
    ("stack_model", &[]),
    ("testing", &["go", "park", "primitives", "runtime"]),
];

/// Files of `sched` that a model takes as they are: they know the primitives, and what is listed.
const MODELLED: [(&str, &[&str]); 13] = [
    ("sched/idle.rs", &["idle::handoff"]),
    ("sched/idle/handoff.rs", &["idle"]),
    ("sched/injector.rs", &["list"]),
    ("sched/lease.rs", &[]),
    ("sched/list.rs", &[]),
    ("sched/local_queue.rs", &[]),
    ("sched/lookout.rs", &[]),
    ("sched/pause.rs", &[]),
    ("sched/quiescence.rs", &[]),
    ("sched/readiness.rs", &[]),
    ("sched/run_next.rs", &[]),
    ("sched/site.rs", &[]),
    ("sched/status.rs", &[]),
];

/// Types that the primitives name for everybody, and the files that name them with a reason.
const NAMED_ONCE: [(&str, &[&str]); 6] = [
    // Set once by the start of the runtime, and read by panics; and the results that `std`'s own locks return.
    // A value of a context is handed out in std's `Arc`, and its causes and functions are `dyn`, which loom's can't be.
    // What outlives an execution of a model is not modelled; a clock's start is set once.
    (
        "std::sync",
        &[
            "platform/clock.rs",
            "testing/explore.rs",
            "context/cancel.rs",
            "context/mod.rs",
            "context/values.rs",
            "go/panic.rs",
            "sync/mod.rs",
        ],
    ),
    ("core::sync", &[]),
    ("std::cell::UnsafeCell", &[]),
    // A thread's own, never shared.
    ("core::cell::UnsafeCell", &["sched/current.rs"]),
    ("core::cell::{Cell, RefCell, UnsafeCell}", &["sched/current.rs"]),
    // The body of the hatch under loom.
    ("loom::", &["park/loom/mod.rs", "park/loom/record.rs", "testing/explore.rs"]),
];

/// Files with thread locals, which a goroutine that moves must not find stale.
const THREAD_LOCALS: [&str; 9] = [
    // Models only: a loom thread does not move.
    "park/loom/mod.rs",
    "park/loom/record.rs",
    "sync/patience/model.rs",
    "testing/explore.rs",
    "sched/current.rs",
    // What a plain thread waits with; a goroutine does not come there.
    "park/native.rs",
    // Whether a thread is the runtime's: asked where no goroutine runs.
    "platform/census.rs",
    // The ranks of the locks that are held, in debug builds: no lock is held across a park.
    "primitives/lock.rs",
    // The portable back end's word to the loop that resumes, by value and `#[inline(never)]`.
    "coroutine/stack/generators.rs",
];

fn complain(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// Whether the path starts with what is allowed, word by word.
fn is_under(path: &str, allowed: &str) -> bool {
    path.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn rooms_import_from_lower_floors_only() {
    // An upward import: the floor below cannot be understood, or modelled, without the one above.
    let mut found = Vec::new();
    for source in sources("src") {
        let room = source.room();
        if room == "lib" {
            continue;
        }
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            found.push(format!("{}: a room without a floor: enter it in ROOMS", source.path));
            continue;
        };
        for (line, path) in source.crate_paths() {
            let fine = is_under(&path, &room) || allowed.iter().any(|prefix| is_under(&path, prefix));
            if !fine {
                found.push(format!("{}:{line}: {room} names crate::{path}", source.path));
            }
        }
    }
    complain("imports against the floors", found);
}

#[test]
fn the_table_itself_points_downwards() {
    // A table that was bent to what the code does.
    // The two ends of the front office: outside models `testing` repeats on the runtime, in models `runtime` explores.
    // `runtime` starts what `diag` watches, and hands out what it collects.
    const OFFICE: [(&str, &str); 4] =
        [("testing", "runtime"), ("runtime", "testing"), ("runtime", "diag"), ("diag", "stack")];
    const SIDEWAYS: [(&str, &str); 7] = [
        ("select", "chan"),
        ("sync", "go"),
        ("context", "time"),
        ("sync", "context"),
        ("fs", "io"),
        ("net", "io"),
        ("process", "io"),
    ];
    const FLOORS: [&[&str]; 8] = [
        &["primitives", "HOOKS"],
        &["platform"],
        &["coroutine"],
        &["sched"],
        &["park"],
        &["go", "chan", "select", "sync"],
        &["time", "context", "io", "fs", "process", "signal", "generator", "net"],
        &["runtime", "stack", "stack_model", "testing", "diag"],
    ];
    let floor = |room: &str| FLOORS.iter().position(|rooms| rooms.contains(&room)).unwrap();
    for (room, allowed) in ROOMS {
        for path in allowed {
            let other = path.split("::").next().unwrap();
            let down = floor(other) < floor(room);
            assert!(
                down || SIDEWAYS.contains(&(room, other)) || OFFICE.contains(&(room, other)),
                "{room} may not import {path}"
            );
        }
    }
}

#[test]
fn every_room_and_every_exception_exists() {
    // A rule for a file that was renamed: it holds for nothing any more.
    let all = sources("src");
    for (room, _) in ROOMS {
        assert!(all.iter().any(|source| source.room() == room), "no room {room}");
    }
    let exceptions = MODELLED.iter().map(|(file, _)| file).chain(&THREAD_LOCALS);
    for file in exceptions.chain(NAMED_ONCE.iter().flat_map(|(_, files)| *files)) {
        assert!(all.iter().any(|source| source.path == format!("src/{file}")), "no file src/{file}");
    }
}

#[test]
fn what_is_modelled_knows_the_primitives_only() {
    // A data structure of the scheduler that drags the scheduler into its model.
    let mut found = Vec::new();
    for source in sources("src") {
        let Some((_, siblings)) = MODELLED.iter().find(|(file, _)| source.path == format!("src/{file}")) else {
            continue;
        };
        for (line, path) in source.crate_paths() {
            let sibling = path.strip_prefix("sched::").is_some_and(|path| siblings.iter().any(|s| is_under(path, s)));
            if !is_under(&path, "primitives") && !sibling {
                found.push(format!("{}:{line}: crate::{path}", source.path));
            }
        }
    }
    complain("imports of what runs under loom", found);
}

#[test]
fn std_and_loom_types_are_named_by_the_primitives_only() {
    // A lock or an atomic that loom does not see: the model proves something else than what is shipped.
    let mut found = Vec::new();
    for source in sources("src").iter().filter(|source| source.room() != "primitives") {
        for (name, exceptions) in NAMED_ONCE {
            let excepted = exceptions.iter().any(|file| source.path == format!("src/{file}"));
            if !excepted {
                found.extend(source.lines_with(name).map(|line| format!("{}:{line}: {name}", source.path)));
            }
        }
        // However it is imported.
        let own_cell = source.code.contains("UnsafeCell") && !source.code.contains("primitives::cell");
        if own_cell && !source.path.ends_with("sched/current.rs") {
            found.push(format!("{}: an UnsafeCell that is not the primitives'", source.path));
        }
    }
    complain("std and loom types outside the primitives", found);
}

#[test]
fn thread_locals_are_where_they_are_guarded() {
    // An address of a thread local that the compiler keeps across a switch.
    let mut found = Vec::new();
    for source in sources("src") {
        let defines = source.path.starts_with("src/primitives/") && !source.path.ends_with("lock.rs");
        let excepted = THREAD_LOCALS.iter().any(|file| source.path == format!("src/{file}"));
        if !defines && !excepted {
            found.extend(source.lines_with("thread_local!").map(|line| format!("{}:{line}", source.path)));
        }
    }
    complain("thread locals", found);
    let current = sources("src").into_iter().find(|source| source.path == "src/sched/current.rs").unwrap();
    let functions = current.functions_that_name_statics();
    assert!(functions.len() >= 4, "the reader of thread locals was not understood: {functions:?}");
    let inlined = functions.into_iter().filter(|f| !f.never_inlined).map(|f| f.name).collect();
    complain("functions of sched::current that read a thread local and may be inlined", inlined);
}

/// Lines whose code `needs` a note, with none of `notes` on them or within the 8 lines above.
fn without_note(needs: impl Fn(&str) -> bool, notes: &[&str]) -> Vec<String> {
    let noteless = |source: &Source| {
        let raw: Vec<_> = source.raw.lines().collect();
        let lines = source.code.lines().enumerate().filter(|(_, code)| needs(code));
        let bare = lines.filter(|(at, _)| {
            let near = &raw[at.saturating_sub(8)..=*at];
            !near.iter().any(|line| notes.iter().any(|note| line.contains(note)))
        });
        bare.map(|(at, _)| format!("{}:{}", source.path, at + 1)).collect::<Vec<_>>()
    };
    sources("src").iter().chain(&sources("macros/src")).flat_map(noteless).collect()
}

#[test]
fn every_unsafe_is_argued() {
    // A wish in place of an argument.
    let is_unsafe = |code: &str| {
        let mut rest = code;
        while let Some(at) = rest.find("unsafe") {
            let word = !rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            rest = &rest[at + "unsafe".len()..];
            let after = rest.trim_start();
            if word && (after.starts_with('{') || after.starts_with("impl ") || after.starts_with("impl<")) {
                return true;
            }
        }
        false
    };
    complain("unsafe without SAFETY", without_note(is_unsafe, &["SAFETY", "# Safety"]));
}

#[test]
fn every_ordering_names_its_partner() {
    // A fence or a release nobody acquires: too weak, or paid for nothing.
    let strong = |code: &str| {
        let orders = ["Acquire", "Release", "AcqRel", "SeqCst"];
        !code.contains("use ") && orders.iter().any(|order| code.contains(&format!("Ordering::{order}")))
    };
    complain("orderings without ORDERING", without_note(strong, &["ORDERING"]));
}

#[test]
fn files_and_functions_can_be_read_in_one_go() {
    // The 400-line function of every other scheduler.
    let mut found = Vec::new();
    for source in sources("src").iter().chain(&sources("macros/src")) {
        let lines: Vec<_> = source.code.lines().collect();
        if lines.len() > 500 {
            found.push(format!("{}: {} lines", source.path, lines.len()));
        }
        for (at, line) in lines.iter().enumerate() {
            let indent = &line[..line.len() - line.trim_start().len()];
            let words: Vec<_> = line.split_whitespace().take_while(|w| !w.contains('(')).collect();
            let is_function = words.contains(&"fn") || line.trim_start().starts_with("fn ");
            let end = || lines[at..].iter().position(|l| *l == format!("{indent}}}"));
            let length = if is_function && line.trim_end().ends_with('{') { end().unwrap_or(0) } else { 0 };
            if length > 60 {
                found.push(format!("{}:{}: a function of {length} lines", source.path, at + 1));
            }
        }
    }
    complain("too long", found);
}

/// Tells whether a function of a name is written anywhere.
fn all_functions() -> impl Fn(&str) -> bool {
    let written: Vec<_> = ["src", "tests"].into_iter().flat_map(source::raw_files).collect();
    move |name| written.iter().any(|text| text.contains(&format!("fn {name}(")))
}

#[test]
fn every_bad_input_has_tests() {
    // A promise that nothing holds.
    let (_, page) = include_str!("README.md").split_once("## What bad input gets").unwrap();
    let (page, _) = page.split_once("\n## ").unwrap();
    let rows: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("| ")?.rsplit_once(" | ")).skip(2).collect();
    assert!(rows.len() > 10, "the table was not understood: {rows:?}");
    let defined = all_functions();
    let mut found = Vec::new();
    for (row, tests) in rows {
        let names: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        if names.is_empty() {
            found.push(format!("{row}: no test"));
        }
        found.extend(names.iter().filter(|name| !defined(name)).map(|name| format!("{row}: no function {name}")));
    }
    complain("what bad input gets, in tests/README.md", found);
}

/// What stands in backticks first in each row of the chapter's table.
fn first_column(chapter: &str) -> Vec<&'static str> {
    let page = include_str!("README.md");
    let (_, text) = page.split_once(&format!("\n## {chapter}\n")).unwrap();
    let text = text.split("\n## ").next().unwrap();
    let names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(names.len() > 4, "the table was not understood: {names:?}");
    names
}

#[test]
fn every_model_of_the_list_is_there_and_stands_in_it_once() {
    // A count that nobody looks at any more, beside the one that is right.
    let defined = all_functions();
    let names = first_column("Models");
    let mut found = Vec::new();
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            found.push(format!("{name}: twice"));
        }
        if !defined(name.rsplit("::").next().unwrap()) {
            found.push(format!("{name}: no such function"));
        }
    }
    complain("models, in tests/README.md", found);
}

#[test]
fn every_fault_belongs_to_a_protocol() {
    // Faults that a reader of the table does not find; one that nothing catches, and of which the page is silent.
    let (_, table) = include_str!("README.md").split_once("\n## Protocols\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let prefixes: Vec<_> = table.split('`').skip(1).step_by(2).filter(|word| word.ends_with('-')).collect();
    let faults: Vec<_> = include_str!("mutations/list.txt").split("\n[").skip(1).collect();
    assert!(faults.len() > 200 && prefixes.len() > 20, "{} faults, {prefixes:?}", faults.len());
    let survivors = first_column("Faults that nothing finds");
    let mut found = Vec::new();
    for fault in faults {
        let name = fault.split(']').next().unwrap();
        if !prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            found.push(format!("{name}: in no row"));
        }
        if fault.contains("\nsurvives:") != survivors.contains(&name) {
            found.push(format!("{name}: whether it survives"));
        }
    }
    complain("faults, in tests/README.md", found);
}

#[test]
fn every_bug_of_the_list_has_tests_of_its_name() {
    // A row of the table whose test was renamed, or was never written.
    let page = include_str!("README.md");
    let defined = all_functions();
    let mut found = Vec::new();
    for bug in 1..=29 {
        let row = format!("| B{bug} |");
        let Some(row) = page.lines().find(|line| line.starts_with(&row)) else {
            found.push(format!("{row} is missing"));
            continue;
        };
        let mark = format!("b{bug:02}_");
        let mut names: Vec<_> = row.split('`').filter(|word| word.starts_with('b') && word.contains(&mark)).collect();
        if names.is_empty() {
            found.push(format!("{row}: no test"));
        }
        names.retain(|name| !defined(name));
        found.extend(names.into_iter().map(|name| format!("B{bug}: no function {name}")));
    }
    complain("bugs that shipped elsewhere, in tests/README.md", found);
}
