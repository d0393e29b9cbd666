// Migration is a promise of the program, so it says `unsafe`.
#[gaggle::main(migrate)]
fn main() {}
