// The error stands at the value of the option.
use gaggle::go;

fn main() {
    go!(stack = "big"; println!("x"));
}
