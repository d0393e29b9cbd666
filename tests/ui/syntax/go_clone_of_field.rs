// `clone` makes a local of the same name, which a field has not.
use gaggle::go;

fn main() {
    let pair = (1, 2);
    go!(clone pair.0; println!("x"));
    let _ = pair;
}
