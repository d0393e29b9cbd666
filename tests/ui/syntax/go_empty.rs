// A goroutine needs something to do.
use gaggle::go;

fn main() {
    go!();
}
