//! What `tests/properties.rs` cannot include, for want of the parsers' dependencies.

use super::{parsers, play};
use std::path::Path;

#[test]
fn parsers() {
    // A macro that panics on odd input, or answers with tokens that rustc blames on the user.
    play::play(parsers::run, &Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/parsers"), 1_500);
}
