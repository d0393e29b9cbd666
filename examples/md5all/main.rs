//! `md5all DIR`: the MD5 digests of all regular files below DIR, as `md5sum` prints them, sorted by path.
//!
//! The idea is "MD5 all the things" in Sameer Ajmani's article "Go Concurrency Patterns: Pipelines and cancellation"
//! (2014), in its bounded form. The pipeline itself is in `pipeline.rs`.
//!
//! Pinned mode, the default. A digester that has begun stays on its thread; that costs little here, because eight of
//! them begin on whichever threads are free.

mod pipeline;

use std::env;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

#[gaggle::main]
fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(root), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: md5all DIR");
        return ExitCode::from(2);
    };
    let entries = match pipeline::digest_tree(Path::new(&root), |_| true, pipeline::md5) {
        Ok(entries) => entries,
        Err(failure) => {
            eprintln!("md5all: {failure}");
            return ExitCode::FAILURE;
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match pipeline::write_listing(&entries, &mut out).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has read enough: `md5all DIR | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("md5all: writing the list: {error}");
            ExitCode::FAILURE
        }
    }
}
