// Who would pass it?
use gaggle::go;

fn main() {
    go!(|x: i32| x + 1);
}
