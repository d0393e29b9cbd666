// An argument that is ignored would be believed.
#[gaggle::main(threads = 4)]
fn main() {}
