// A program's arguments are in `std::env`.
#[gaggle::main]
fn main(args: Vec<String>) {
    println!("{args:?}");
}
