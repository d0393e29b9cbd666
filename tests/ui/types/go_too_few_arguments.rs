// The error stands at the call.
use gaggle::go;

fn main() {
    go!(f(1));
    fn f(_: i32, _: i32) {}
}
