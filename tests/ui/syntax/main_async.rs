// An async main has nobody to poll it.
#[gaggle::main]
async fn main() {}
