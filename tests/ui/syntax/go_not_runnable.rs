// A sum is a value, not something to run.
use gaggle::go;

fn main() {
    go!(1 + 2);
}
