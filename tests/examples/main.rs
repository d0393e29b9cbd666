//! Runs every example, as `cargo test` has built it, and compares what it prints: with 1, 2 and 8 processors. Of
//! `hogs`, which measures for minutes, only what a bad argument gets; the `model_` examples are in `loom/user`.

mod runner;
mod tour;
mod tree;

#[path = "../../examples/md5all/pipeline.rs"]
#[allow(dead_code, reason = "the printing is tested through the program")]
mod pipeline;

use runner::{PROCS, outputs, run, without_brackets};
use std::fmt::Write;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn hello() {
    // The first program that a newcomer runs.
    for output in outputs("hello") {
        assert_eq!(output, "hello\n");
    }
}

#[test]
fn a_bad_variable_is_refused_before_anything_runs() {
    // A slip of the pen that silently means the default.
    for procs in ["banana", "0", "-1", "1025", ""] {
        let refused = run::<&str>("hello", procs, &[]);
        assert_eq!((refused.status.code(), refused.stdout.as_slice()), (Some(2), &b""[..]));
        assert_eq!(refused.stderr, format!("gaggle: GAGGLE_PROCS={procs}: expected a whole number from 1 to 1024\n"));
    }
}

#[test]
fn ping_pong() {
    // Two players with the ball at once, or a stroke lost.
    let mut expected = String::new();
    for hit in 1..=8 {
        let name = if hit % 2 == 1 { "ping" } else { "pong" };
        writeln!(expected, "{name} {hit}").unwrap();
    }
    expected += "ping hit 4 times, pong 4\na long match: 100000 hits\n";
    for output in outputs("ping_pong") {
        assert_eq!(without_brackets(&output), expected);
    }
}

#[test]
fn prime_sieve() {
    // A filter that loses, repeats or reorders numbers.
    let is_prime = |n: &u32| (2..*n).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
    let expected: String = (2..).filter(is_prime).take(100).map(|prime| format!("{prime}\n")).collect();
    for output in outputs("prime_sieve") {
        assert_eq!(output, expected);
    }
}

#[test]
fn daisy_chain() {
    // A link that is never woken; a stack that cannot be had.
    let links = if cfg!(gaggle_portable) { "10000" } else { "100000" };
    for output in outputs("daisy_chain") {
        assert_eq!(output.lines().next(), Some(links));
    }
}

#[test]
fn philosophers() {
    // A deadlock, a fork in two hands (the example asserts), a philosopher who starves.
    let mut expected = String::new();
    for name in ["Anaximander", "Bolzano", "Carnap", "Diotima", "Epicurus"] {
        writeln!(expected, "{name} ate 20 times").unwrap();
    }
    expected += "no two neighbours ever ate at once\n";
    for output in outputs("philosophers") {
        assert_eq!(output, expected);
    }
}

#[test]
fn worker_pool() {
    // A job lost or done twice; work that is said to be done before it is.
    let mut expected: String = (1..=9).map(|job| format!("job {job}: {}\n", job * job)).collect();
    expected += "not before three rounds of work were over: true\n";
    for output in outputs("worker_pool") {
        assert_eq!(without_brackets(&output), expected);
    }
}

#[test]
fn rate_limiter() {
    // Requests that are let through too soon.
    let requests = |title| (1..=5).map(move |n| format!("{title} {n}\n"));
    let mut expected: String = requests("request").collect();
    expected += "five requests took five ticks or more: true\n";
    expected.extend(requests("bursty request"));
    expected += "a burst of three, and the other two took two ticks or more: true\n";
    for output in outputs("rate_limiter") {
        assert_eq!(without_brackets(&output), expected);
    }
}

#[test]
fn tree_compare() {
    // Values out of order, a recursion that is not allowed to go on, a walk that nobody ends.
    let expected = "the same values in another order: the same, walked to the end\n\
                    one value more: different, walked to the end\n\
                    twice the values from 1 on: different, stopped early\n\
                    the same values as a list: the same, walked to the end\n";
    for output in outputs("tree_compare") {
        assert_eq!(output, expected);
    }
}

#[test]
fn load_balancer() {
    // A request or an answer lost; a worker that never gets any.
    let answers: u64 = (1..=40).map(|n| n * (n + 1) / 2).sum();
    let expected =
        format!("2000 requests, 2000 served\nsum of the answers: {}\nevery worker had a share: true\n", 50 * answers);
    for output in outputs("load_balancer") {
        assert_eq!(without_brackets(&output), expected);
    }
}

#[test]
fn google_search() {
    // A slow replica waited for; a deadline that does not end the search.
    let line = |kind| format!("  {kind} result for \"golang\"\n");
    let (web, image, video) = (line("web"), line("image"), line("video"));
    for output in outputs("google_search") {
        let output = without_brackets(&output);
        let (complete, late) = output.split_once("no video server is up\n").expect("two searches");
        assert_eq!(complete, format!("one replica of each kind is enough\n{image}{video}{web}"));
        // What comes in before a deadline is up to the machine; that it passes is not.
        let late = late.strip_suffix("  timed out\n").expect("a deadline passes");
        let all = format!("{image}{web}");
        assert!([&all, &image, &web, ""].contains(&late), "{late}");
    }
}

#[test]
fn tcp_echo() {
    // A line lost between two sockets; a server that is never told that its listener was closed.
    for output in outputs("tcp_echo") {
        assert_eq!(without_brackets(&output), "listening\n50 connections; 2000 of 2000 lines came back\n");
    }
}

#[test]
fn chat() {
    // A guest who hears a line twice, or never (the example asserts); a room that nobody can close.
    let mut expected = String::new();
    for (name, line) in [("alice", "hello"), ("bob", "it works"), ("carol", "bye")] {
        writeln!(expected, "all heard {name} say {line:?}").unwrap();
    }
    expected += "carol left, and the others were told\nthe room is closed\n";
    for output in outputs("chat") {
        assert_eq!(output, expected);
    }
}

#[test]
fn crawler() {
    // A page fetched twice or forgotten; a limit that does not hold, or one request after the other.
    let expected = "200 pages found; missing: /page/200\n201 requests: each page was fetched once\n\
                    several at once, and not more than 20: true\n";
    for output in outputs("crawler") {
        assert_eq!(without_brackets(&output), expected);
    }
}

#[test]
fn port_scanner() {
    // A refusal that is waited for; an open door that is overlooked.
    for output in outputs("port_scanner") {
        assert_eq!(without_brackets(&output), "every port was asked: true\nthe 5 open doors were found: true\n");
    }
}

#[test]
fn http_server() {
    // An answer to another request, a connection that is not kept, a client that is not told what is wrong.
    let expected = "20 connections were kept alive; 600 of 600 answers were right\n\
                    an unknown path:    HTTP/1.1 404 Not Found\n\
                    a wrong method:     HTTP/1.1 405 Method Not Allowed\n\
                    no request at all:  HTTP/1.1 400 Bad Request\n\
                    a body without end: HTTP/1.1 413 Content Too Large\n\
                    a body in chunks:   HTTP/1.1 501 Not Implemented\n\
                    endless headers:    HTTP/1.1 431 Request Header Fields Too Large\n";
    for output in outputs("http_server") {
        assert_eq!(output, expected);
    }
}

#[test]
fn servers_say_what_is_wrong_with_their_arguments() {
    // A server that serves nobody, and says nothing or succeeds.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for server in ["tcp_echo", "chat", "http_server"] {
        let refused = run(server, "2", &["a", "b"]);
        assert_eq!((refused.status.code(), refused.stderr), (Some(2), format!("usage: {server} [ADDRESS]\n")));
        for (address, why) in [(address.as_str(), "in use"), ("nonsense", "invalid socket address")] {
            let failed = run(server, "2", &[address]);
            assert_eq!((failed.status.code(), failed.stdout.as_slice()), (Some(1), &b""[..]));
            let named = failed.stderr.starts_with(&format!("{server}: {address}: "));
            assert!(named && failed.stderr.contains(why), "{}", failed.stderr);
        }
    }
}

#[test]
fn hogs_says_which_scenes_there_are() {
    // A scene that is misspelt: a panic, or five minutes of other scenes.
    for arguments in [&["crowds"][..], &["asleep", "crowd"]] {
        let refused = run("hogs", "2", arguments);
        assert_eq!((refused.status.code(), refused.stdout.as_slice()), (Some(2), &b""[..]));
        assert_eq!(refused.stderr, "usage: hogs [endless | asleep | crowd]\n");
    }
}

#[test]
fn poller() {
    // A server asked before its delay is over; one sleeping thread that stops everybody.
    let expected = "40 servers were asked, none too early: true\n\
                    while one goroutine slept on its thread, the others got answers: true\n";
    for output in outputs("poller") {
        assert_eq!(without_brackets(&output), expected);
    }
}

#[test]
fn md5all_prints_what_md5sum_does() {
    // A wrong digest, a file forgotten, a name printed otherwise, another order.
    let root = tree::make("md5all", 120);
    let expected = tree::md5sum(&tree::files(&root));
    assert_eq!(String::from_utf8_lossy(&expected), String::from_utf8_lossy(&tree::naive(&tree::files(&root))));
    for procs in PROCS {
        let listing = run("md5all", procs, &[&*root]);
        assert!(listing.status.success(), "{}", listing.stderr);
        assert_eq!(String::from_utf8_lossy(&listing.stdout), String::from_utf8_lossy(&expected));
        assert_eq!(listing.stdout, expected);
    }
}

#[test]
fn md5all_says_what_is_wrong_with_its_argument() {
    // A missing directory that looks like an empty one.
    for procs in PROCS {
        let missing = run("md5all", procs, &["no/such/directory"]);
        assert_eq!(missing.status.code(), Some(1));
        assert!(missing.stderr.starts_with("md5all: no/such/directory: "), "{}", missing.stderr);
        assert_eq!(missing.stdout, b"");
        let nothing = run::<&str>("md5all", procs, &[]);
        assert_eq!((nothing.status.code(), nothing.stderr.as_str()), (Some(2), "usage: md5all DIR\n"));
    }
}

#[test]
fn a_failure_stops_the_md5_pipeline() {
    // Stages left blocked behind a collector that has gone: then the call below would never return.
    let root = tree::make("failure", 300);
    for procs in [1, 2, 8] {
        gaggle::runtime::set_max_procs(procs);
        let begun = AtomicUsize::new(0);
        let digest = |path: &Path| match begun.fetch_add(1, Ordering::Relaxed) {
            20 => Err(io::Error::other("the twenty-first file")),
            _ => pipeline::md5(path),
        };
        let failure = gaggle::run(|| pipeline::digest_tree(&root, |_| true, digest)).expect_err("one file fails");
        assert!(failure.to_string().ends_with(": the twenty-first file"), "{failure}");
    }
}
