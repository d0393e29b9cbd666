//! The MD5 pipeline over a real tree, checked against `md5sum`.

use crate::pipeline::{self, Digested};
use crate::{Tree, grouped, heading};
use std::io;
use std::process::Command;
use std::time::Instant;

/// How many names go onto one command line.
const BATCH: usize = 500;

/// What `md5sum` prints for the same files; `None` if there is no such command.
fn md5sum(entries: &[Digested]) -> Result<Option<Vec<u8>>, String> {
    let mut listing = Vec::new();
    for batch in entries.chunks(BATCH) {
        let paths = batch.iter().map(|entry| &entry.path);
        match Command::new("md5sum").arg("--").args(paths).output() {
            Ok(output) if output.status.success() => listing.extend(output.stdout),
            Ok(output) => return Err(format!("md5sum: {}", String::from_utf8_lossy(&output.stderr))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot run md5sum: {error}")),
        }
    }
    Ok(Some(listing))
}

pub fn digests(tree: &Tree) -> Result<(), String> {
    heading(10, "md5 pipeline over a directory tree", "select { case paths <- p: case <-done: }");
    let start = Instant::now();
    let entries = pipeline::digest_tree(&tree.0, |_| true, pipeline::md5).map_err(|failure| failure.to_string())?;
    let took = start.elapsed();
    let mut listing = Vec::new();
    pipeline::write_listing(&entries, &mut listing).map_err(|error| error.to_string())?;
    println!("   all regular files are digested [{} in {took:.1?}]", grouped(entries.len() as u64));

    let start = Instant::now();
    match md5sum(&entries)? {
        Some(theirs) if theirs == listing => println!("   md5sum says the same [{:.1?}]", start.elapsed()),
        Some(_) => return Err("md5sum says something else".into()),
        None => println!("   there is no md5sum here to compare with"),
    }
    Ok(())
}
