// Only a function has a stack.
#[gaggle::growable]
struct Tree;

fn main() {
    let _ = Tree;
}
