// The error stands at the argument.
use gaggle::go;

fn main() {
    go!(f(1, "two"));
    fn f(_: i32, _: i32) {}
}
