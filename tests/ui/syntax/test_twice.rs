// The harness would run it twice, once outside of the runtime.
#[gaggle::test]
#[test]
fn it_works() {}

fn main() {}
