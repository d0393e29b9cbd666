// A size that is ignored would be believed.
#[gaggle::growable(stack = 4096)]
fn depth() {}

fn main() {
    depth();
}
