// Another thread could run the goroutine.
use gaggle::go;
use std::rc::Rc;

fn main() {
    let shared = Rc::new(1);
    go!({ println!("{shared}") });
}
