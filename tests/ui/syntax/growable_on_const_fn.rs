// A constant has no stack to grow.
#[gaggle::growable]
const fn depth() {}

fn main() {
    depth();
}
