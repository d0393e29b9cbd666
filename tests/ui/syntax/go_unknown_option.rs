// A misspelt option must not become a statement of the body.
use gaggle::go;

fn main() {
    go!(nmae = "n"; println!("x"));
}
