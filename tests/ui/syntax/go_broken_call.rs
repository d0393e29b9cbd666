// What Rust's grammar says, with the accepted form.
use gaggle::go;

fn main() {
    go!(f(1 2));
    fn f(_: i32) {}
}
