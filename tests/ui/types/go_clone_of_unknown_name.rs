// The error stands at the name.
use gaggle::go;

fn main() {
    go!(clone missing; { missing + 1 });
}
