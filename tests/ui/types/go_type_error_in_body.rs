// The error stands inside the body.
use gaggle::go;

fn main() {
    go!({ let n: i32 = "n"; n });
}
