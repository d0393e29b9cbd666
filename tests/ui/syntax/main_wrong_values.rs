// Each value is checked where it stands.
#[gaggle::main(procs = 0, stack = "1 MiB", procs = 2)]
fn main() {}
