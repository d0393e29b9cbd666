// The error stands at what is called.
use gaggle::go;

fn main() {
    let number = 1;
    go!(number);
}
