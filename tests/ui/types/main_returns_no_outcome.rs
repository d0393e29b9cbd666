// The error stands at the return type.
#[gaggle::main]
fn main() -> Vec<i32> {
    Vec::new()
}
