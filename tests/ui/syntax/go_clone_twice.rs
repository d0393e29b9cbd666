// The second clone would be of the first.
use gaggle::go;

fn main() {
    let a = 1;
    go!(clone a, a; println!("{a}"));
}
