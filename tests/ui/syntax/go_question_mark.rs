// `?` after the call would have to return from the goroutine.
use gaggle::go;

fn main() {
    go!("1".parse::<i32>()?);
}
