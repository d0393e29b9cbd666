// There is nothing to await in a goroutine.
use gaggle::go;

fn main() {
    go!(f(1).await);
    async fn f(_: i32) {}
}
