// All tests of a process share one runtime.
#[gaggle::test(procs = 4)]
fn it_works() {}

fn main() {}
