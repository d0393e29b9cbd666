// Options alone start nothing.
use gaggle::go;

fn main() {
    go!(name = "n", pinned;);
}
