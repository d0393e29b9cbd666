//! The tour: every part's text, and what a bad argument gets.

use crate::runner::{Finished, PROCS, run, without_brackets};
use crate::tree;

/// A part: its heading as the left column has it, and its lines.
const PARTS: [(&str, &[&str]); 6] = [
    ("1. goroutines", &["hello from Ann", "hello from Bob", "hello from Cleo", "ten thousand more have come and gone"]),
    (
        "2. rendezvous",
        &[
            "nobody receives yet, so a send would wait",
            "send returned: the receiver has the value",
            "received Some(42)",
        ],
    ),
    ("3. fan-in", &["Ann said 1 2 3", "Bob said 1 2 3", "both on one channel"]),
    (
        "4. select, with timeout and default",
        &["timed out", "heard Some(\"a word\")", "nothing to hear, and no wish to wait", "heard None"],
    ),
    ("5. worker pool", &["the squares of 1 to 20 add up to 2870"]),
    ("6. prime sieve", &["2 3 5 7 11 13 17 19 23 29 31 37 41 43 47 53 59 61 67 71 73 79 83 89 97"]),
];

const PARKED: &[&str] = &[
    "all of them wait on one channel",
    #[cfg(target_os = "linux")]
    "memory and page tables",
    "the channel is closed, and all of them have finished",
];

const RECURSION: &[&str] = &[
    "1 + 2 + … + 1,000,000 = 500,000,500,000",
    #[cfg(target_os = "linux")]
    "at the bottom, in one goroutine",
    #[cfg(target_os = "linux")]
    "afterwards: given back",
];

const PANIC: &[&str] = &[
    "the neighbours add up to 600",
    "joining it hands over the panic: index out of bounds: the len is 3 but the index is 3",
];

fn expected() -> Vec<String> {
    let digests = match tree::md5sum_exists() {
        true => ["all regular files are digested", "md5sum says the same"],
        false => ["all regular files are digested", "there is no md5sum here to compare with"],
    };
    let rest = [
        ("7. a million goroutines, parked at once", PARKED),
        ("8. a million levels of recursion", RECURSION),
        ("9. a panic ends one goroutine", PANIC),
        ("10. md5 pipeline over a directory tree", &digests),
    ];
    let mut lines = vec!["A tour of gaggle".to_owned()];
    for (heading, text) in PARTS.into_iter().chain(rest) {
        lines.extend([String::new(), heading.to_owned()]);
        lines.extend(text.iter().map(|line| format!("   {line}")));
    }
    lines.extend([String::new(), "That was the tour.".to_owned()]);
    lines
}

/// The output line by line, without what is the machine's, and without Go's column.
fn shown(finished: Finished) -> Vec<String> {
    let text = without_brackets(&finished.text_beside_stderr());
    text.lines().map(|line| line.split("  Go: ").next().unwrap_or_default().trim_end().to_owned()).collect()
}

#[test]
fn the_tour_shows_everything() {
    // A feature that does not work, or a tour that says otherwise than Go would.
    let root = tree::make("tour", 40);
    for procs in PROCS {
        assert_eq!(shown(run("tour", procs, &[&*root])), expected());
    }
    let default = run::<&str>("tour", "2", &[]);
    // A panic message from which nobody can tell whose it is.
    assert!(default.stderr.contains("unlucky"), "{}", default.stderr);
    assert!(default.stderr.contains("index out of bounds"), "{}", default.stderr);
    assert_eq!(shown(default), expected());
}

#[test]
fn the_tour_refuses_a_bad_directory_before_it_begins() {
    // Ten seconds of waiting for the news of a slip of the pen.
    let file = env!("CARGO_MANIFEST_DIR").to_owned() + "/Cargo.toml";
    for argument in ["no/such/directory", &file] {
        let finished = run("tour", "2", &[argument]);
        assert_eq!(finished.status.code(), Some(1));
        assert_eq!(finished.stdout, b"");
        let message = format!("tour: cannot read the directory {argument}: ");
        assert!(finished.stderr.starts_with(&message), "{}", finished.stderr);
    }
    let two = run("tour", "2", &["a", "b"]);
    assert_eq!((two.status.code(), two.stdout.as_slice()), (Some(2), &b""[..]));
    assert_eq!(two.stderr, "usage: tour [DIR]\n");
}
