// Only migration is unsafe.
#[gaggle::main(unsafe(procs = 4))]
fn main() {}
