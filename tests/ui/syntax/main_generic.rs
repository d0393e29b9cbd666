// Nothing could choose the type.
#[gaggle::main]
fn main<T>() {}
