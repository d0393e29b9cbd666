// The error stands at the method.
use gaggle::go;

fn main() {
    let text = String::from("x");
    go!(text.missing(1));
}
