// The error stands inside the body, though it became a closure.
#[gaggle::growable]
fn depth(n: u32) -> u32 {
    if n == 0 { "zero" } else { depth(n - 1) }
}

fn main() {
    depth(1);
}
