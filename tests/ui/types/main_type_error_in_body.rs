// The error stands inside the body.
#[gaggle::main]
fn main() {
    let number: i32 = "number";
    println!("{number}");
}
