// A goroutine blocks where a future would wait.
use gaggle::go;

fn main() {
    go!(async { 1 });
}
