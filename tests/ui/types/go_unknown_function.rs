// The error stands at the name.
use gaggle::go;

fn main() {
    go!(missing(1));
}
