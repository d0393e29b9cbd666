// Options end with `;`.
use gaggle::go;

fn main() {
    let a = 1;
    go!(clone a { println!("{a}") });
}
