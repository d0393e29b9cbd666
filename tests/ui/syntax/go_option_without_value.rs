// A name needs to be given.
use gaggle::go;

fn main() {
    go!(name, pinned; println!("x"));
}
