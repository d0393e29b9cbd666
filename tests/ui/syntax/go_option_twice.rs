// Which of the two would count?
use gaggle::go;

fn main() {
    go!(name = "a", name = "b"; println!("x"));
}
