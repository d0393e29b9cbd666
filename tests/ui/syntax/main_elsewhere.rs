// The process would end when this function does.
#[gaggle::main]
fn start() {}

fn main() {
    start();
}
