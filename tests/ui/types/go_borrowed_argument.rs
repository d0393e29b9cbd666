// The goroutine may outlive what is borrowed.
use gaggle::go;

fn main() {
    let text = String::from("x");
    go!(f(&text));
    fn f(_: &str) {}
}
