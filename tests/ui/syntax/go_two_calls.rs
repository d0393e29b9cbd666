// Two calls are a body, and a body wants braces.
use gaggle::go;

fn main() {
    go!(f(1), f(2));
    fn f(_: i32) {}
}
